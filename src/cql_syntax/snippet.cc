#include "cql_syntax/snippet.h"

#include <algorithm>

namespace tailrace::cql_syntax {
namespace {

constexpr std::size_t kTokensBefore = 10;
constexpr std::size_t kTokensAfter = 2;

// The byte of a line that is `units` UTF-16 units from its start; its size if there are fewer.
std::size_t byte_of(std::string_view line, std::size_t units) {
  std::size_t i = 0;
  while (i < line.size() && units > 0) {
    const unsigned char c = static_cast<unsigned char>(line[i]);
    units -= std::min<std::size_t>(units, c >= 0xF0 ? 2 : 1);
    ++i;
    while (i < line.size() && (static_cast<unsigned char>(line[i]) & 0xC0) == 0x80) ++i;
  }
  return i;
}

std::size_t units_of(std::string_view text) {
  std::size_t units = 0;
  for (const char byte : text) {
    const unsigned char c = static_cast<unsigned char>(byte);
    if ((c & 0xC0) != 0x80) units += c >= 0xF0 ? 2 : 1;
  }
  return units;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines(1);
  for (const char c : text) {
    if (c == '\n')
      lines.emplace_back();
    else
      lines.back() += c;
  }
  while (lines.size() > 1 && lines.back().empty()) lines.pop_back();
  return lines;
}

// Cassandra measures the text without its quotes, so of a string the last two characters are not
// shown.
std::size_t end_of(const Token& token, std::string_view text) {
  const bool quoted = token.kind == Kind::kString || token.kind == Kind::kQuotedName;
  const std::string_view shown =
      quoted ? std::string_view(token.text) : text.substr(token.at.offset, token.size);
  return static_cast<std::size_t>(token.at.column) + units_of(shown);
}

}  // namespace

std::string snippet(std::string_view text, const Tokens& tokens, std::size_t offending,
                    std::size_t last) {
  const Token& from = tokens.all[offending > kTokensBefore ? offending - kTokensBefore : 0];
  const Token& to = tokens.all[std::min(last, offending + kTokensAfter)];
  const Token& wrong = tokens.all[offending];
  for (const Token* token : {&from, &to, &wrong}) {
    if (token->kind == Kind::kEnd) return "";
  }
  std::vector<std::string> lines = lines_of(text);
  const auto line_of = [&lines](const Token& token) {
    return std::min(static_cast<std::size_t>(token.at.line) - 1, lines.size() - 1);
  };
  const bool from_start = from.at.line == 1 && from.at.column == 0;
  const bool to_end = static_cast<std::size_t>(to.at.line) == lines.size() &&
                      end_of(to, text) == units_of(lines.back());

  std::string& last_line = lines[line_of(to)];
  last_line.resize(byte_of(last_line, end_of(to, text)));
  std::string& wrong_line = lines[line_of(wrong)];
  wrong_line.insert(byte_of(wrong_line, end_of(wrong, text)), "]");
  wrong_line.insert(byte_of(wrong_line, static_cast<std::size_t>(wrong.at.column)), "[");
  std::string& first_line = lines[line_of(from)];
  first_line.erase(0, byte_of(first_line, static_cast<std::size_t>(from.at.column)));

  std::string shown = from_start ? " (" : " (...";
  for (std::size_t i = line_of(from); i <= line_of(to); ++i) shown += lines[i];
  return shown + (to_end ? ")" : "...)");
}

}  // namespace tailrace::cql_syntax
