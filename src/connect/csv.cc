#include "connect/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "connect/json_path.h"

namespace tailrace::connect {
namespace {

struct CsvField {
  std::string text;
  bool quoted = false;
};

/// Splits one row; false when a quote is still open at its end.
bool split(std::string_view row, std::vector<CsvField>& fields) {
  fields.assign(1, {});
  bool open = false;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const char c = row[i];
    CsvField& field = fields.back();
    if (open && c == '"' && i + 1 < row.size() && row[i + 1] == '"') {
      field.text += '"';
      ++i;
    } else if (c == '"' && (open || field.text.empty())) {
      open = !open;
      field.quoted = true;
    } else if (c == ',' && !open) {
      fields.emplace_back();
    } else {
      field.text += c;
    }
  }
  return !open;
}

bool is_json_scalar(std::string_view text) {
  if (text == "true" || text == "false") return true;
  const char first = text.empty() ? '\0' : text.front();
  return (first == '-' || (first >= '0' && first <= '9')) && check_json(text).has_value();
}

/// Lines put together to rows.
class CsvRows {
 public:
  explicit CsvRows(LineReader lines) : lines_(std::move(lines)) {}

  /// The next row that is not blank; false at the end.
  Result<bool> next() {
    problem.clear();
    do {
      ASSIGN(const bool more, next_line(text));
      if (!more) return false;
      begin = lines;
      if (begin == 1 && text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
    } while (text.empty() || text == "\r");
    std::string continued;
    while (!split(text, fields)) {
      ASSIGN(const bool more, next_line(continued));
      if (!more || text.size() + continued.size() > kMaxRow) {
        problem = "a quote is not closed";
        open_quote = !more;
        return true;
      }
      text += '\n' + continued;
    }
    if (text.ends_with('\r')) fields.back().text.pop_back();
    return true;
  }
  /// What follows, up to the end of its line, into `text`; false at the end.
  Result<bool> rest_of_line() {
    problem.clear();
    begin = lines + 1;
    return next_line(text);
  }
  bool was_ended() const { return lines_.line_was_ended(); }
  std::int64_t offset() const { return lines_.offset(); }

  std::string text;
  std::vector<CsvField> fields;
  std::string problem;
  bool open_quote = false;  // the input ended within quotes
  std::int64_t begin = 0;   // the row's first line
  std::int64_t lines = 0;   // lines taken, those before the part included

 private:
  Result<bool> next_line(std::string& line) {
    ASSIGN(const bool more, lines_.next(line));
    if (more) ++lines;
    return more;
  }

  static constexpr std::size_t kMaxRow = 64 << 20;
  LineReader lines_;
};

class CsvFile final : public RecordFile {
 public:
  CsvFile(LineReader rows, const FilePart& part) : rows_(std::move(rows)) {
    part_ = part;
    rows_.lines = part.line - (part.open_line ? 1 : 0);
  }

  Status take_names(const std::vector<CsvField>& fields) {
    for (const CsvField& field : fields) {
      std::string name = field.text.empty() ? fmt::format("_c{}", names_.size()) : field.text;
      if (std::ranges::find(names_, name) != names_.end())
        return error(Code::kInvalidArgument,
                     fmt::format("names the column {} twice in its header", name));
      names_.push_back(std::move(name));
    }
    return {};
  }

  Result<bool> next(FileRecord& record) override {
    while (true) {
      const bool went_on = part_.open_line;
      ASSIGN(const bool more, went_on ? rows_.rest_of_line() : rows_.next());
      if (!more || !may_be_taken()) return false;
      part_.offset = rows_.offset();
      part_.line = rows_.lines;
      part_.open_line = !rows_.was_ended();
      if (went_on && (rows_.text.empty() || rows_.text == "\r")) continue;
      if (went_on || !names_.empty()) return take(record, went_on);
      TRY(take_names(rows_.fields));
    }
  }

 private:
  bool may_be_taken() const {
    if (part_.last == LastLine::kAll) return true;
    if (rows_.open_quote) return false;
    return rows_.was_ended() || (part_.last == LastLine::kProbablyAll && !names_.empty());
  }

  bool take(FileRecord& record, bool went_on) const {
    record.number = rows_.begin;
    record.problem = rows_.problem;
    if (went_on)
      record.problem = "the row went on after it was read";
    else if (record.problem.empty() && rows_.fields.size() != names_.size())
      record.problem =
          fmt::format("{} fields, the header names {}", rows_.fields.size(), names_.size());
    record.value = record.problem.empty() ? to_json() : rows_.text;
    return true;
  }

  std::string to_json() const {
    std::string out = "{";
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (i) out += ',';
      append_json_string(out, names_[i]);
      out += ':';
      const CsvField& field = rows_.fields[i];
      if (!field.quoted && field.text.empty())
        out += "null";
      else if (!field.quoted && is_json_scalar(field.text))
        out += field.text;
      else
        append_json_string(out, field.text);
    }
    return out + "}";
  }

  CsvRows rows_;
  std::vector<std::string> names_;
};

}  // namespace

Result<std::unique_ptr<RecordFile>> open_csv(std::optional<LineReader> header, LineReader rows,
                                             const FilePart& part) {
  auto file = std::make_unique<CsvFile>(std::move(rows), part);
  if (header) {
    CsvRows first(std::move(*header));
    ASSIGN(const bool any, first.next());
    if (any) TRY(file->take_names(first.fields));
  }
  return file;
}

}  // namespace tailrace::connect
