#include "connect/json_values.h"

#include <fmt/format.h>

#include "connect/json_path.h"

namespace tailrace::connect {
namespace {

constexpr std::size_t kMaxValue = 256 << 20;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// Finds where a value ends: strings and depth are followed, the rest is for the JSON parser.
class Brackets {
 public:
  /// Takes a byte; whether it is a separator of the array, outside of all values.
  bool ends_element(char c) {
    if (in_string_) {
      follow_string(c);
      return false;
    }
    if (depth_ == 0 && (c == ',' || c == ']')) return true;
    in_string_ = c == '"';
    if (c == '{' || c == '[') ++depth_;
    if ((c == '}' || c == ']') && depth_ > 0) --depth_;
    return false;
  }
  bool closed() const { return depth_ == 0 && !in_string_; }

 private:
  void follow_string(char c) {
    if (escaped_)
      escaped_ = false;
    else if (c == '\\')
      escaped_ = true;
    else if (c == '"')
      in_string_ = false;
  }

  int depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

class JsonValues final : public RecordFile {
 public:
  explicit JsonValues(LineReader bytes) : bytes_(std::move(bytes)) {}

  Result<bool> next(FileRecord& record) override {
    record.value.clear();
    record.problem.clear();
    if (!begun_) TRY(begin());
    ASSIGN(const bool more, is_array_ && !array_ended_ ? element(record) : value(record));
    if (!more) return false;
    record.number = ++number_;
    if (is_array_ && array_ended_ && record.problem.empty() && after_array_)
      record.problem = "it stands after the end of the array";
    if (record.problem.empty())
      if (const Status good = check_json(record.value); !good) record.problem = good.error().what;
    return true;
  }

 private:
  Status begin() {
    begun_ = true;
    ASSIGN(std::string_view bytes, bytes_.look());
    if (bytes.starts_with("\xEF\xBB\xBF")) bytes_.take(3);
    TRY(skip_blanks());
    ASSIGN(bytes, bytes_.look());
    is_array_ = bytes.starts_with('[');
    if (is_array_) bytes_.take(1);
    return {};
  }

  Status skip_blanks() {
    while (true) {
      ASSIGN(const std::string_view bytes, bytes_.look());
      std::size_t blanks = 0;
      while (blanks < bytes.size() && is_blank(bytes[blanks])) ++blanks;
      bytes_.take(blanks);
      if (bytes.empty() || blanks < bytes.size()) return {};
    }
  }

  /// The next element of the array into record.value; false after "]".
  Result<bool> element(FileRecord& record) {
    TRY(skip_blanks());
    Brackets brackets;
    while (true) {
      ASSIGN(const std::string_view bytes, bytes_.look());
      if (bytes.empty()) return error(Code::kDataLoss, "cut short inside its JSON array");
      std::size_t at = 0;
      while (at < bytes.size() && !brackets.ends_element(bytes[at])) ++at;
      record.value += bytes.substr(0, at);
      if (record.value.size() > kMaxValue)
        return error(Code::kResourceExhausted, "an element is larger than 256 MiB");
      if (at == bytes.size()) {
        bytes_.take(at);
        continue;
      }
      array_ended_ = bytes[at] == ']';
      bytes_.take(at + 1);
      break;
    }
    while (!record.value.empty() && is_blank(record.value.back())) record.value.pop_back();
    if (!record.value.empty()) return true;
    if (!array_ended_ || number_ > 0) record.problem = "an element is missing";
    if (!record.problem.empty()) return true;
    return value(record);
  }

  /// The next value outside of an array.
  Result<bool> value(FileRecord& record) {
    TRY(skip_blanks());
    after_array_ = true;
    Brackets brackets;
    while (true) {
      ASSIGN(const std::string_view bytes, bytes_.look());
      if (bytes.empty()) break;
      std::size_t at = 0;
      bool ended = false;
      while (at < bytes.size() && !ended) {
        const char c = bytes[at++];
        brackets.ends_element(c);
        ended = brackets.closed() && (c == '}' || c == ']' || c == '"' || is_blank(c));
      }
      record.value += bytes.substr(0, at);
      bytes_.take(at);
      if (record.value.size() > kMaxValue)
        return error(Code::kResourceExhausted, "a value is larger than 256 MiB");
      if (ended) break;
    }
    if (!brackets.closed()) return error(Code::kDataLoss, "cut short inside a JSON value");
    while (!record.value.empty() && is_blank(record.value.back())) record.value.pop_back();
    return !record.value.empty();
  }

  LineReader bytes_;
  std::int64_t number_ = 0;
  bool begun_ = false;
  bool is_array_ = false;
  bool array_ended_ = false;
  bool after_array_ = false;
};

}  // namespace

std::unique_ptr<RecordFile> open_json_values(LineReader bytes) {
  return std::make_unique<JsonValues>(std::move(bytes));
}

}  // namespace tailrace::connect
