#include "engine/functions/json_scan.h"

#include <simdjson.h>

#include <string>
#include <vector>

namespace tailrace::engine {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The bytes of a character by its first one; 1 for what begins none.
std::size_t character_bytes(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

/// The first byte that is not UTF-8; the size of the text when all of it is.
std::size_t utf8_end(std::string_view text) {
  if (simdjson::validate_utf8(text.data(), text.size())) return text.size();
  std::size_t at = 0;
  while (at < text.size()) {
    const std::string_view one = text.substr(at, character_bytes(text[at]));
    if (!simdjson::validate_utf8(one.data(), one.size())) break;
    at += one.size();
  }
  return at;
}

/// Goes over a text that is UTF-8, once.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::optional<JsonFault> run() {
    bool value = true;  // a value is next, or else what follows one
    while (!fault_) {
      skip_space();
      if (value) {
        value = !begin_value();
      } else if (in_object_.empty()) {
        if (at_ < text_.size()) fail("there is text after the document's end");
        break;
      } else {
        value = follow_value();
      }
    }
    return fault_;
  }

 private:
  /// The next byte; 0 at the end (a NUL in the text fits nowhere either).
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool take(char c) {
    if (peek() != c || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }

  void fail(const char* what) {
    if (!fault_) fault_ = JsonFault{at_, at_ < text_.size() ? what : "the text ends too early"};
  }

  void skip_space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").contains(text_[at_])) ++at_;
  }

  /// True when the value is over, false when its first element is next.
  bool begin_value() {
    const char c = peek();
    if (c == '{' || c == '[') return begin_container(c == '{');
    if (c == '"')
      text(kJsonMaxString, "a string is longer than 20,000,000 characters");
    else if (c == '-' || is_digit(c))
      number();
    else
      word();
    return true;
  }

  bool begin_container(bool object) {
    if (in_object_.size() == kJsonMaxDepth) fail("nested too deep");
    ++at_;
    skip_space();
    if (take(object ? '}' : ']')) return true;
    in_object_.push_back(object);
    if (object) name();
    return false;
  }

  /// True when another value is next.
  bool follow_value() {
    const bool object = in_object_.back();
    if (take(',')) {
      if (object) name();
      return true;
    }
    if (take(object ? '}' : ']'))
      in_object_.pop_back();
    else
      fail(object ? "a comma or } is expected" : "a comma or ] is expected");
    return false;
  }

  void name() {
    skip_space();
    if (peek() != '"') return fail("a name in double quotes is expected");
    text(kJsonMaxName, "a name is longer than 50,000 characters");
    skip_space();
    if (!fault_ && !take(':')) fail("a colon is expected");
  }

  void word() {
    for (const std::string_view known : {"true", "false", "null"})
      if (text_.substr(at_).starts_with(known)) {
        at_ += known.size();
        return;
      }
    fail("a value is expected");
  }

  void text(std::size_t limit, const char* too_long) {
    ++at_;
    std::size_t units = 0;
    while (!fault_ && !take('"')) {
      const char c = peek();
      if (at_ >= text_.size() || static_cast<unsigned char>(c) < 0x20)
        return fail("a control character in a string must be escaped");
      if (c == '\\') {
        units += escape();
      } else {
        const std::size_t bytes = character_bytes(c);
        units += bytes == 4 ? 2 : 1;
        at_ += bytes;
      }
      if (units > limit) fail(too_long);
    }
  }

  /// The UTF-16 units that the escape stands for.
  std::size_t escape() {
    ++at_;
    if (peek() != 'u') {
      if (at_ >= text_.size() || !std::string_view("\"\\/bfnrt").contains(peek()))
        fail("no such escape");
      ++at_;
      return 1;
    }
    ++at_;
    const int first = hex();
    if (first < 0xD800 || first > 0xDFFF) return 1;
    const bool pair = first < 0xDC00 && text_.substr(at_).starts_with("\\u");
    if (pair) at_ += 2;
    const int second = pair ? hex() : 0;
    if (second < 0xDC00 || second > 0xDFFF) fail("half a surrogate pair");
    return 2;
  }

  /// Four hexadecimal digits; 0 after a fault.
  int hex() {
    int value = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = peek(), lower = static_cast<char>(c | 0x20);
      if (!is_digit(c) && (lower < 'a' || lower > 'f')) {
        fail("four hexadecimal digits are expected");
        return 0;
      }
      value = value * 16 + (is_digit(c) ? c - '0' : lower - 'a' + 10);
    }
    return value;
  }

  void number() {
    take('-');
    const bool zero = take('0');
    std::size_t count = zero ? 1 : digits();
    const bool fraction = take('.');
    if (fraction) count += digits();
    const bool exponent = peek() == 'e' || peek() == 'E';
    if (exponent) {
      ++at_;
      if (!take('-')) take('+');
      count += digits();
    }
    if (zero && !(fraction && exponent)) --count;  // as the parser of real Spark counts
    if (count > kJsonMaxNumberDigits) fail("a number has more than 1,000 digits");
  }

  /// At least one.
  std::size_t digits() {
    const std::size_t begin = at_;
    while (is_digit(peek())) ++at_;
    if (at_ == begin) fail("a digit is expected");
    return at_ - begin;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<bool> in_object_;
  std::optional<JsonFault> fault_;
};

}  // namespace

std::optional<JsonFault> scan_json(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return JsonFault{0, "the text is empty"};
  const std::size_t sound = utf8_end(text);
  auto fault = Scanner(text.substr(0, sound)).run();
  if (sound == text.size() || (fault && fault->byte < sound)) return fault;
  return JsonFault{sound, "not UTF-8"};
}

}  // namespace tailrace::engine
