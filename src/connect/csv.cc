#include "connect/csv.h"

#include <fmt/format.h>

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

class CsvFile final : public RecordFile {
 public:
  explicit CsvFile(LineReader lines) : lines_(std::move(lines)) {}

  Result<bool> next(FileRecord& record) override {
    if (names_.empty()) {
      ASSIGN(const bool header, row());
      if (!header) return false;
      for (const CsvField& field : fields_) names_.push_back(field.text);
    }
    ASSIGN(const bool more, row());
    if (!more) return false;
    record.number = begin_;
    record.problem = problem_;
    if (problem_.empty() && fields_.size() != names_.size())
      record.problem = fmt::format("{} fields, the header names {}", fields_.size(), names_.size());
    record.value = record.problem.empty() ? to_json() : text_;
    return true;
  }

 private:
  /// The next row that is not blank, into text_ and fields_.
  Result<bool> row() {
    problem_.clear();
    do {
      ASSIGN(const bool more, lines_.next(text_));
      if (!more) return false;
      begin_ = ++line_;
      if (line_ == 1 && text_.starts_with("\xEF\xBB\xBF")) text_.erase(0, 3);
    } while (text_.empty());
    std::string continued;
    while (!split(text_, fields_)) {
      ASSIGN(const bool more, lines_.next(continued));
      if (!more || text_.size() + continued.size() > kMaxRow) {
        problem_ = "a quote is not closed";
        return true;
      }
      ++line_;
      text_ += '\n' + continued;
    }
    return true;
  }

  std::string to_json() const {
    std::string out = "{";
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (i) out += ',';
      append_json_string(out, names_[i]);
      out += ':';
      const CsvField& field = fields_[i];
      if (!field.quoted && field.text.empty())
        out += "null";
      else if (!field.quoted && is_json_scalar(field.text))
        out += field.text;
      else
        append_json_string(out, field.text);
    }
    return out + "}";
  }

  static constexpr std::size_t kMaxRow = 64 << 20;
  LineReader lines_;
  std::vector<std::string> names_;
  std::vector<CsvField> fields_;
  std::string text_, problem_;
  std::int64_t line_ = 0;
  std::int64_t begin_ = 0;
};

}  // namespace

Result<std::unique_ptr<RecordFile>> open_csv(LineReader lines) {
  return std::make_unique<CsvFile>(std::move(lines));
}

}  // namespace tailrace::connect
