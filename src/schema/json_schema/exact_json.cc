#include "schema/json_schema/exact_json.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <unordered_map>

namespace tailrace::schema::json_schema {
namespace {

// Jackson's limit.
constexpr std::size_t kMaxNumberChars = 1000;
// Objects of more members than this are searched for a repeated name by a hash table.
constexpr std::size_t kFewMembers = 16;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

void append_utf8(std::string& out, std::uint32_t c) {
  if (c < 0x80) return void(out += static_cast<char>(c));
  if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
  } else {
    if (c < 0x10000) {
      out += static_cast<char>(0xE0 | (c >> 12));
    } else {
      out += static_cast<char>(0xF0 | (c >> 18));
      out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    }
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
  }
  out += static_cast<char>(0x80 | (c & 0x3F));
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Result<Json> read() { return value(0); }

 private:
  std::unexpected<Error> fault(std::string_view what) const {
    return error(Code::kInvalidArgument, "the schema is not JSON: " + std::string(what) +
                                             " at byte " + std::to_string(at_));
  }

  void skip_spaces() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
      ++at_;
  }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take_word(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    const std::size_t end = at_ + word.size();
    if (end < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[end])) != 0))
      return false;
    at_ = end;
    return true;
  }

  Result<Json> value(std::size_t depth) {
    if (depth > kMaxJsonDepth)
      return error(Code::kInvalidArgument,
                   "the schema is nested more than " + std::to_string(kMaxJsonDepth) + " deep");
    skip_spaces();
    if (at_ >= text_.size()) return fault("a value is missing");
    switch (text_[at_]) {
      case '{':
        return object(depth);
      case '[':
        return array(depth);
      case '"': {
        ASSIGN(std::string text, string());
        return Json(std::move(text));
      }
      default:
        return scalar();
    }
  }

  Result<Json> scalar() {
    if (take_word("true")) return Json(true);
    if (take_word("false")) return Json(false);
    if (take_word("null")) return Json();
    for (const std::string_view name : {"NaN", "Infinity", "-Infinity", "+Infinity"})
      if (take_word(name)) return Json(std::string(name.substr(name.starts_with('+') ? 1 : 0)));
    return number();
  }

  Result<Json> object(std::size_t depth) {
    ++at_;
    JsonObject made;
    std::unordered_map<std::string, std::size_t> places;
    skip_spaces();
    if (take('}')) return Json(std::move(made));
    while (true) {
      skip_spaces();
      if (at_ >= text_.size() || text_[at_] != '"') return fault("a name is missing");
      ASSIGN(std::string name, string());
      skip_spaces();
      if (!take(':')) return fault("a colon is missing");
      ASSIGN(Json one, value(depth + 1));
      const std::size_t place = place_of(made, places, name);
      if (place == made.size()) made.push_back({std::move(name), {}});
      made[place].value = std::move(one);
      skip_spaces();
      if (take('}')) return Json(std::move(made));
      if (!take(',')) return fault("a comma is missing");
    }
  }

  static std::size_t place_of(const JsonObject& made,
                              std::unordered_map<std::string, std::size_t>& places,
                              const std::string& name) {
    if (made.size() < kFewMembers) {
      const auto known = std::ranges::find(made, name, &JsonMember::name);
      return static_cast<std::size_t>(known - made.begin());
    }
    if (places.empty())
      for (std::size_t i = 0; i < made.size(); ++i) places.emplace(made[i].name, i);
    return places.try_emplace(name, made.size()).first->second;
  }

  Result<Json> array(std::size_t depth) {
    ++at_;
    JsonArray made;
    skip_spaces();
    if (take(']')) return Json(std::move(made));
    while (true) {
      ASSIGN(Json one, value(depth + 1));
      made.push_back(std::move(one));
      skip_spaces();
      if (take(']')) return Json(std::move(made));
      if (!take(',')) return fault("a comma is missing");
    }
  }

  Result<std::string> string() {
    ++at_;
    std::string made;
    while (true) {
      const std::size_t from = at_;
      while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' &&
             static_cast<unsigned char>(text_[at_]) >= 0x20)
        ++at_;
      made.append(text_, from, at_ - from);
      if (take('"')) return made;
      if (!take('\\')) return fault("a text does not end");
      TRY(escape(made));
    }
  }

  Status escape(std::string& out) {
    static constexpr std::string_view kShort = "\"\"\\\\//b\bf\fn\nr\rt\t";
    if (at_ >= text_.size()) return fault("a text does not end");
    const char c = text_[at_++];
    if (c == 'u') {
      ASSIGN(std::uint32_t unit, hex());
      const bool high = unit >= 0xD800 && unit < 0xDC00;
      if (high && text_.substr(at_).starts_with("\\u")) {
        at_ += 2;
        ASSIGN(const std::uint32_t low, hex());
        if (low >= 0xDC00 && low < 0xE000)
          unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        else
          at_ -= 6;
      }
      append_utf8(out, unit >= 0xD800 && unit < 0xE000 ? 0xFFFD : unit);
      return {};
    }
    for (std::size_t i = 0; i < kShort.size(); i += 2)
      if (kShort[i] == c) {
        out += kShort[i + 1];
        return {};
      }
    return fault("an unknown escape");
  }

  Result<std::uint32_t> hex() {
    std::uint32_t unit = 0;
    if (text_.size() - at_ < 4) return fault("an escape is cut off");
    const char* from = text_.data() + at_;
    if (std::from_chars(from, from + 4, unit, 16).ptr != from + 4) return fault("a wrong escape");
    at_ += 4;
    return unit;
  }

  Result<Json> number() {
    const std::size_t from = at_;
    take('-');
    if (!take('0')) {
      if (at_ >= text_.size() || !is_digit(text_[at_])) return fault("an unknown value");
      digits();
    }
    if (take('.') && digits() == 0) return fault("a number is cut off");
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      if (digits() == 0) return fault("a number is cut off");
    }
    if (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0))
      return fault("a wrong number");
    return exact_number(text_.substr(from, at_ - from));
  }

  std::size_t digits() {
    const std::size_t from = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return at_ - from;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// java.math.BigDecimal.toString of ±digits · 10^-scale.
std::string decimal_text(bool negative, const std::string& digits, std::int64_t scale) {
  std::string made = negative ? "-" : "";
  const auto count = static_cast<std::int64_t>(digits.size());
  const std::int64_t exponent = count - 1 - scale;
  if (scale >= 0 && exponent >= -6) {
    if (scale == 0) return made + digits;
    if (count > scale)
      return made + digits.substr(0, static_cast<std::size_t>(count - scale)) + "." +
             digits.substr(static_cast<std::size_t>(count - scale));
    return made + "0." + std::string(static_cast<std::size_t>(scale - count), '0') + digits;
  }
  made += digits[0];
  if (count > 1) made += "." + digits.substr(1);
  return made + "E" + (exponent >= 0 ? "+" : "") + std::to_string(exponent);
}

}  // namespace

Result<Json> exact_number(std::string_view text) {
  if (text.size() > kMaxNumberChars)
    return error(Code::kInvalidArgument, "a number has more than 1000 digits");
  const bool negative = text.starts_with('-');
  std::string digits;
  std::int64_t scale = 0;
  bool after_point = false;
  std::size_t at = negative ? 1 : 0;
  for (; at < text.size() && text[at] != 'e' && text[at] != 'E'; ++at) {
    if (text[at] == '.') {
      after_point = true;
    } else {
      digits += text[at];
      if (after_point) ++scale;
    }
  }
  if (at < text.size()) {
    std::int64_t exponent = 0;
    const char* from = text.data() + at + 1;
    if (*from == '+') ++from;
    const auto read = std::from_chars(from, text.data() + text.size(), exponent);
    if (read.ec != std::errc() || exponent > INT32_MAX || exponent < -INT32_MAX)
      return error(Code::kInvalidArgument, "the exponent of a number is too large");
    scale -= exponent;
  }
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  const bool zero = digits == "0";
  const std::string made = decimal_text(negative && !zero, digits, scale);
  if (made.find_first_of(".E") != std::string::npos) return Json(JsonDecimal{made});
  std::int64_t whole = 0;
  const char* end = made.data() + made.size();
  if (std::from_chars(made.data(), end, whole).ec == std::errc()) return Json(whole);
  std::uint64_t big = 0;
  if (std::from_chars(made.data(), end, big).ec == std::errc()) return Json(big);
  return Json(JsonDecimal{made});
}

Result<Json> read_exact_json(std::string_view text) {
  if (text.size() > kMaxSchemaBytes)
    return error(Code::kInvalidArgument, "the schema has " + std::to_string(text.size()) +
                                             " bytes, more than " +
                                             std::to_string(kMaxSchemaBytes));
  if (!simdjson::validate_utf8(text))
    return error(Code::kInvalidArgument, "the schema is not JSON: it is not UTF-8");
  return Reader(text).read();
}

}  // namespace tailrace::schema::json_schema
