#include "app/terminal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "app/commands.h"

namespace tailrace::app {
namespace {

/// Text without control characters.
std::string printable(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F)
      out += fmt::format("\\x{:02X}", byte);
    else
      out += c;
  }
  return out;
}

std::string cell_text(const Json& value) {
  if (value.is_null()) return "NULL";
  if (value.is_string()) return printable(value.get<std::string>());
  return printable(value.dump());
}

/// Display width: code points, near enough for a table on a terminal.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

using Cells = std::vector<std::vector<std::string>>;

Cells cells_of(const Json& rows) {
  Cells cells(1);
  for (const Json& column : rows["columns"])
    cells[0].push_back(printable(column.value("name", "")));
  for (const Json& row : rows["rows"]) {
    cells.emplace_back();
    for (const Json& value : row) cells.back().push_back(cell_text(value));
  }
  return cells;
}

/// The place after a quoted text or a comment that begins at `at`; `at` when none does, npos when
/// it does not end.
std::size_t after_quoted(const std::string& text, std::size_t at) {
  const char c = text[at];
  if (text.compare(at, 2, "--") == 0) return text.find('\n', at);
  if (text.compare(at, 2, "/*") == 0) {
    const std::size_t end = text.find("*/", at + 2);
    return end == std::string::npos ? end : end + 2;
  }
  if (c != '\'' && c != '"' && c != '`') return at;
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\' && c != '`')
      ++i;
    else if (text[i] == c)
      return i + 1;
  }
  return std::string::npos;
}

bool blank(const std::string& text) {
  return text.find_first_not_of(" \t\r\n") == std::string::npos;
}

}  // namespace

Paint::Paint(int descriptor) : on_(isatty(descriptor) != 0 && std::getenv("NO_COLOR") == nullptr) {}

std::string Paint::state(const std::string& state) const {
  const std::string padded = fmt::format("{:<7}", state);
  if (!on_) return padded;
  const char* colour = state == "ok" ? "32" : state == "waiting" ? "33" : "31";
  return fmt::format("\x1b[{}m{}\x1b[0m", colour, padded);
}

std::string status_line(const Json& hop) {
  std::string line =
      fmt::format("{:<9} {:<26} {:>12}", hop.value("kind", ""), printable(hop.value("title", "")),
                  hop.value("count", std::int64_t{0}));
  const auto add = [&](const char* name, const char* field) {
    if (const auto value = hop.value(field, std::int64_t{0}); value > 0)
      line += fmt::format("  {} {}", name, value);
  };
  add("lag", "lag_records");
  add("rejected", "rejected");
  const std::string why = hop.value("why", ""), detail = hop.value("detail", "");
  if (!detail.empty()) line += "  " + printable(detail);
  if (!why.empty()) line += "  " + printable(why);
  return line;
}

void Grid::print(const Json& rows) {
  constexpr std::size_t kWidest = 60;  // a longer cell moves only its own row
  const Cells cells = cells_of(rows);
  if (!begun_) {
    widths_.resize(cells[0].size());
    for (const auto& row : cells)
      for (std::size_t c = 0; c < row.size(); ++c)
        widths_[c] = std::max(widths_[c], std::min(width(row[c]), kWidest));
  }
  std::size_t total = 0;
  for (const std::size_t w : widths_) total += w + 2;
  for (std::size_t r = begun_ ? 1 : 0; r < cells.size(); ++r) {
    std::string line;
    for (std::size_t c = 0; c < cells[r].size(); ++c) {
      line += (c ? "  " : "") + cells[r][c];
      if (c + 1 < cells[r].size() && width(cells[r][c]) < widths_[c])
        line.append(widths_[c] - width(cells[r][c]), ' ');
    }
    std::cout << line << "\n";
    if (r == 0) std::cout << std::string(total > 2 ? total - 2 : 0, '-') << "\n";
  }
  begun_ = true;
  count_ += rows["rows"].size();
}

void Grid::end() const {
  std::cout << "(" << count_ << (count_ == 1 ? " row)" : " rows)") << "\n";
}

void print_json_lines(const Json& rows) {
  for (const Json& row : rows["rows"]) {
    Json line = Json::object();
    for (std::size_t c = 0; c < row.size(); ++c)
      line[rows["columns"][c].value("name", "")] = row[c];
    std::cout << line.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
  }
}

void print_table(const Json& columns, const Json& rows, bool json) {
  if (json) {
    for (const auto& row : rows) std::cout << row.dump() << "\n";
    return;
  }
  std::vector<std::size_t> widths;
  const auto text = [](const Json& value) {
    return value.is_string() ? value.get<std::string>() : value.is_null() ? "-" : value.dump();
  };
  for (const auto& column : columns) {
    std::size_t width = column.get<std::string>().size();
    for (const auto& row : rows) width = std::max(width, text(row[column]).size());
    widths.push_back(width);
  }
  const auto line = [&](auto&& cell) {
    std::string out;
    for (std::size_t i = 0; i < widths.size(); ++i)
      out += fmt::format("{:<{}}  ", cell(i), widths[i]);
    out.erase(out.find_last_not_of(' ') + 1);
    std::cout << out << "\n";
  };
  line([&](std::size_t i) { return columns[i].get<std::string>(); });
  for (const auto& row : rows) {
    line([&](std::size_t i) { return text(row[columns[i].get<std::string>()]); });
  }
}

int fail(const Error& error) {
  std::cerr << "tailrace: " << error.what << "\n";
  return 1;
}

Statements split_statements(const std::string& text) {
  Statements found;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t after = after_quoted(text, at);
    if (after == std::string::npos) break;
    if (after == at && text[at] == ';') {
      std::string statement = text.substr(begin, at - begin);
      if (!blank(statement)) found.whole.push_back(std::move(statement));
      begin = at + 1;
    }
    at = std::max(after, at + 1);
  }
  found.rest = text.substr(begin);
  if (blank(found.rest)) found.rest.clear();
  return found;
}

}  // namespace tailrace::app
