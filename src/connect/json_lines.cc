// JSON or text by lines. A line without its '\n' is taken when it cannot go on, text only when it
// is not waited for any more; what it goes on with all the same is a reject of its own.
#include "connect/json_lines.h"

#include "connect/json_path.h"

namespace tailrace::connect {
namespace {

bool blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

enum class Lines { kJson, kText };

class LineFile final : public RecordFile {
 public:
  LineFile(Lines kind, LineReader lines, const FilePart& part)
      : kind_(kind), lines_(std::move(lines)) {
    part_ = part;
  }

  Result<bool> next(FileRecord& record) override {
    while (true) {
      ASSIGN(const bool more, lines_.next(record.value));
      if (!more) return false;
      const bool went_on = part_.open_line;
      const bool ended = lines_.line_was_ended();
      const std::int64_t line = part_.line + (went_on ? 0 : 1);
      if (line == 1 && !went_on && record.value.starts_with("\xEF\xBB\xBF"))
        record.value.erase(0, 3);
      if (record.value.ends_with('\r')) record.value.pop_back();
      const bool nothing = blank(record.value);
      const Status good = kind_ == Lines::kJson ? check_json(record.value) : Status();
      if (!ended && (nothing || !may_be_taken(record.value, good.has_value() && !went_on)))
        return false;
      part_.offset = lines_.offset();
      part_.line = line;
      part_.open_line = !ended;
      if (nothing) continue;
      record.number = line;
      record.problem = went_on ? "the line went on after it was read"
                       : good  ? ""
                               : good.error().what;
      if (kind_ == Lines::kText && !went_on) wrap(record.value);
      return true;
    }
  }

 private:
  bool may_be_taken(std::string_view value, bool good) const {
    if (part_.last == LastLine::kAll) return true;
    if (kind_ == Lines::kText) return false;
    const bool closed = value.starts_with('{') || value.starts_with('[');
    return good && (closed || part_.last == LastLine::kProbablyAll);
  }

  static void wrap(std::string& line) {
    std::string json = "{\"line\":";
    append_json_string(json, line);
    line = json + "}";
  }

  const Lines kind_;
  LineReader lines_;
};

}  // namespace

std::unique_ptr<RecordFile> open_json_lines(LineReader lines, const FilePart& part) {
  return std::make_unique<LineFile>(Lines::kJson, std::move(lines), part);
}

std::unique_ptr<RecordFile> open_text_lines(LineReader lines, const FilePart& part) {
  return std::make_unique<LineFile>(Lines::kText, std::move(lines), part);
}

}  // namespace tailrace::connect
