#include "postgres/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "base/base64.h"

namespace tailrace::postgres {
namespace {

constexpr int kDeepestArray = 16;  // PostgreSQL's MAXDIM is 6

struct BuiltIn {
  std::uint32_t oid;
  std::uint32_t array;
  Shape shape;
};

// src/include/catalog/pg_type.dat.
constexpr BuiltIn kBuiltIns[] = {
    {16, 1000, Shape::kBoolean}, {17, 1001, Shape::kBytes},       {18, 1002, Shape::kText},
    {19, 1003, Shape::kText},    {20, 1016, Shape::kInteger},     {21, 1005, Shape::kInteger},
    {23, 1007, Shape::kInteger}, {25, 1009, Shape::kText},        {26, 1028, Shape::kInteger},
    {114, 199, Shape::kJson},    {700, 1021, Shape::kFloat},      {701, 1022, Shape::kFloat},
    {790, 791, Shape::kText},    {869, 1041, Shape::kText},       {650, 651, Shape::kText},
    {1042, 1014, Shape::kText},  {1043, 1015, Shape::kText},      {1082, 1182, Shape::kDate},
    {1083, 1183, Shape::kTime},  {1114, 1115, Shape::kTimestamp}, {1184, 1185, Shape::kTimestampTz},
    {1186, 1187, Shape::kText},  {1266, 1270, Shape::kText},      {1700, 1231, Shape::kNumeric},
    {2950, 2951, Shape::kText},  {3802, 3807, Shape::kJson},      {1560, 1561, Shape::kText},
    {1562, 1563, Shape::kText},
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_json_number(std::string_view text) {
  std::size_t i = text.starts_with('-') ? 1 : 0;
  const std::size_t first = i;
  while (i < text.size() && is_digit(text[i])) ++i;
  if (i == first || (text[first] == '0' && i > first + 1)) return false;
  const auto digits = [&] {
    const std::size_t from = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return i > from;
  };
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (!digits()) return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (!digits()) return false;
  }
  return i == text.size();
}

/// A number of exactly `count` digits at `at`, which moves on; none: something else.
std::optional<int> digits(std::string_view text, std::size_t& at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_digit(text[at + i])) return std::nullopt;
    value = value * 10 + (text[at + i] - '0');
  }
  at += count;
  return value;
}

/// 2024-01-31 as days since 1970; `at` moves behind it.
std::optional<std::int64_t> days(std::string_view text, std::size_t& at) {
  const auto dash = text.find('-', at);
  if (dash == std::string_view::npos || dash - at < 4 || dash - at > 6) return std::nullopt;
  const auto year = digits(text, at, dash - at);
  const auto month = digits(text, ++at, 2);
  if (!year || !month || at >= text.size() || text[at] != '-') return std::nullopt;
  const auto day = digits(text, ++at, 2);
  if (!day) return std::nullopt;
  namespace ch = std::chrono;
  // chrono ends at the year 32767: whole cycles of 400 years are 146,097 days each.
  const int cycles = *year / 400;
  const ch::year_month_day date{ch::year(*year % 400), ch::month(static_cast<unsigned>(*month)),
                                ch::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return ch::sys_days(date).time_since_epoch().count() + std::int64_t{cycles} * 146'097;
}

/// 12:30:00.5 as microseconds; to the text's end.
std::optional<std::int64_t> micros(std::string_view text, std::size_t at) {
  const auto hours = digits(text, at, 2);
  const auto minutes = at < text.size() && text[at] == ':' ? digits(text, ++at, 2) : std::nullopt;
  const auto seconds = at < text.size() && text[at] == ':' ? digits(text, ++at, 2) : std::nullopt;
  if (!hours || !minutes || !seconds) return std::nullopt;
  std::int64_t fraction = 0;
  if (at < text.size()) {
    if (text[at] != '.' || text.size() - at > 7 || text.size() - at < 2) return std::nullopt;
    const std::size_t count = text.size() - ++at;
    const auto read = digits(text, at, count);
    if (!read) return std::nullopt;
    fraction = *read;
    for (std::size_t i = count; i < 6; ++i) fraction *= 10;
  }
  return ((*hours * 60LL + *minutes) * 60 + *seconds) * 1'000'000 + fraction;
}

void append_integer(std::string& out, std::int64_t value) {
  std::array<char, 24> digits_of{};
  const auto end = std::to_chars(digits_of.data(), digits_of.data() + digits_of.size(), value).ptr;
  out.append(digits_of.data(), end);
}

/// What a moment is in Debezium's default, adaptive precision.
std::optional<std::int64_t> moment(std::string_view text, const ValueType& type) {
  std::size_t at = 0;
  if (type.shape == Shape::kDate) {
    const auto day = days(text, at);
    return at == text.size() ? day : std::nullopt;
  }
  std::int64_t value = 0;
  if (type.shape == Shape::kTimestamp) {
    const auto day = days(text, at);
    if (!day || at >= text.size() || text[at] != ' ') return std::nullopt;
    value = *day * 86'400'000'000;
    ++at;
  }
  const auto rest = micros(text, at);
  if (!rest) return std::nullopt;
  value += *rest;
  if (!type.milliseconds) return value;
  return value / 1000 - (value % 1000 < 0 ? 1 : 0);
}

void append_moment(std::string& out, std::string_view text, const ValueType& type,
                   ValueStyle style) {
  if (style == ValueStyle::kDebezium && type.shape != Shape::kTimestampTz) {
    if (const auto value = moment(text, type)) return append_integer(out, *value);
    return append_json_string(out, text);
  }
  if (type.shape == Shape::kDate || type.shape == Shape::kTime)
    return append_json_string(out, text);
  const auto space = text.find(' ');
  const bool utc = type.shape != Shape::kTimestampTz || text.ends_with("+00");
  // "infinity" has no space, "… BC" has another behind the time.
  if (space == std::string_view::npos || !utc || text.find(' ', space + 1) != text.npos)
    return append_json_string(out, text);
  out += '"';
  out.append(text.substr(0, space));
  out += 'T';
  if (type.shape == Shape::kTimestampTz) text.remove_suffix(3);
  out.append(text.substr(space + 1));
  out += type.shape == Shape::kTimestampTz ? "Z\"" : "\"";
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

void append_bytes(std::string& out, std::string_view text) {
  if (!text.starts_with("\\x") || text.size() % 2 != 0) return append_json_string(out, text);
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 2; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return append_json_string(out, text);
    bytes += static_cast<char>(high * 16 + low);
  }
  out += '"';
  out += encode_base64(bytes);
  out += '"';
}

/// PostgreSQL's text of arrays: {1,NULL,"a \"b\""}, {{1,2},{3,4}}, [0:1]={1,2}.
class ArrayReader {
 public:
  ArrayReader(std::string_view text, const ValueType& type, ValueStyle style)
      : text_(text), element_(*type.element), delimiter_(type.delimiter), style_(style) {}

  bool append(std::string& out) {
    if (text_.starts_with('[')) {
      const auto equals = text_.find('=');
      if (equals == std::string_view::npos || text_[equals - 1] != ']') return false;
      at_ = equals + 1;
    }
    return list(out, 0) && at_ == text_.size();
  }

 private:
  bool next_is(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool take(char c) {
    if (!next_is(c)) return false;
    ++at_;
    return true;
  }
  bool list(std::string& out, int depth) {
    if (depth > kDeepestArray || !take('{')) return false;
    out += '[';
    for (bool first = true; !take('}'); first = false) {
      if (!first && !take(delimiter_)) return false;
      if (!first) out += ',';
      if (next_is('{') ? !list(out, depth + 1) : !element(out)) return false;
    }
    out += ']';
    return true;
  }
  bool element(std::string& out) {
    if (take('"')) return quoted(out);
    const std::size_t from = at_;
    while (at_ < text_.size() && text_[at_] != delimiter_ && text_[at_] != '}') ++at_;
    const std::string_view plain = text_.substr(from, at_ - from);
    if (plain.empty()) return false;
    if (plain == "NULL") {
      out += "null";
    } else {
      append_value(out, plain, element_, style_);
    }
    return true;
  }
  bool quoted(std::string& out) {
    std::string plain;
    while (!take('"')) {
      take('\\');
      if (at_ >= text_.size()) return false;
      plain += text_[at_++];
    }
    append_value(out, plain, element_, style_);
    return true;
  }

  std::string_view text_;
  const ValueType& element_;
  char delimiter_;
  ValueStyle style_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<ValueType> built_in_type(Oid oid, std::int32_t modifier) {
  for (const BuiltIn& one : kBuiltIns) {
    ValueType type{.shape = one.shape};
    const bool timed = one.shape == Shape::kTime || one.shape == Shape::kTimestamp;
    type.milliseconds = timed && modifier >= 0 && modifier <= 3;
    if (one.oid == oid.value) return type;
    if (one.array == oid.value)
      return ValueType{.shape = Shape::kArray, .element = std::make_shared<ValueType>(type)};
  }
  if (oid < kFirstOwnType) return ValueType{};
  return std::nullopt;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else {
      constexpr std::string_view kHex = "0123456789abcdef";
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
    }
  }
  out.append(text, plain);
  out += '"';
}

void append_value(std::string& out, std::string_view text, const ValueType& type,
                  ValueStyle style) {
  switch (type.shape) {
    case Shape::kInteger:
    case Shape::kFloat:
      if (!is_json_number(text)) return append_json_string(out, text);
      out.append(text);
      return;
    case Shape::kNumeric:
      if (style == ValueStyle::kDebezium || !is_json_number(text))
        return append_json_string(out, text);
      out.append(text);
      return;
    case Shape::kBoolean:
      if (text != "t" && text != "f") return append_json_string(out, text);
      out.append(text == "t" ? "true" : "false");
      return;
    case Shape::kDate:
    case Shape::kTime:
    case Shape::kTimestamp:
    case Shape::kTimestampTz:
      return append_moment(out, text, type, style);
    case Shape::kBytes:
      return append_bytes(out, text);
    case Shape::kJson:
      // PostgreSQL has checked it.
      if (style == ValueStyle::kDebezium || text.empty()) return append_json_string(out, text);
      out.append(text);
      return;
    case Shape::kArray: {
      const std::size_t before = out.size();
      if (ArrayReader(text, type, style).append(out)) return;
      out.resize(before);
      return append_json_string(out, text);
    }
    case Shape::kText:
      return append_json_string(out, text);
  }
}

}  // namespace tailrace::postgres
