#include "staging/cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

#include "staging/json_text.h"

namespace tailrace::staging {
namespace {

constexpr std::size_t kShownBytes = 60;
/// A number of more significant digits may not be given back by a double.
constexpr int kDoubleDigits = 15;

constexpr std::pair<std::string_view, Type> kNames[] = {
    {"text", Type::kText},       {"bigint", Type::kBigint},       {"double", Type::kDouble},
    {"boolean", Type::kBoolean}, {"timestamp", Type::kTimestamp}, {"date", Type::kDate},
    {"numeric", Type::kNumeric}, {"json", Type::kJson},           {"uuid", Type::kUuid}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size() || text == "-0")
    return std::nullopt;
  return number;
}

/// As JSON has numbers, so that a text may be taken for one.
bool is_number(std::string_view text) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const auto digits = [&] {
    const std::size_t begin = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at > begin;
  };
  const std::size_t first = at;
  if (!digits() || (text[first] == '0' && at > first + 1)) return false;
  if (at < text.size() && text[at] == '.' && (++at, !digits())) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (!digits()) return false;
  }
  return at == text.size();
}

bool fits_double(std::string_view number) {
  double value = 0;
  const auto [end, failed] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (failed != std::errc() || !std::isfinite(value)) return false;
  const auto digits = std::count_if(
      number.begin(),
      std::find_if(number.begin(), number.end(), [](char c) { return (c | 32) == 'e'; }), is_digit);
  return digits <= kDoubleDigits;
}

std::optional<int> digits_at(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int number = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (!is_digit(text[i])) return std::nullopt;
    number = number * 10 + (text[i] - '0');
  }
  return number;
}

std::optional<std::chrono::sys_days> date_at(std::string_view text) {
  const auto year = digits_at(text, 0, 4);
  const auto month = digits_at(text, 5, 2);
  const auto day = digits_at(text, 8, 2);
  if (!year || !month || !day || text[4] != '-' || text[7] != '-' || *year == 0)
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

/// Z, +HH, +HH:MM, +HHMM, or nothing, which is UTC: in minutes.
std::optional<int> zone_minutes(std::string_view zone) {
  if (zone.empty() || zone == "Z" || zone == "z") return 0;
  if (zone.front() != '+' && zone.front() != '-') return std::nullopt;
  const auto hours = digits_at(zone, 1, 2);
  std::optional<int> minutes = 0;
  const std::size_t at = zone.size() > 3 && zone[3] == ':' ? 4 : 3;
  if (zone.size() > 3) minutes = digits_at(zone, at, 2);
  if (!hours || !minutes || *hours > 15 || *minutes > 59 || zone.size() > at + 2)
    return std::nullopt;
  return (zone.front() == '-' ? -1 : 1) * (*hours * 60 + *minutes);
}

/// Microseconds since 1970, from 2015-06-07[T| ]08:09[:10[.111]][zone]; a date is its midnight.
std::optional<std::int64_t> moment(std::string_view text) {
  const auto date = date_at(text);
  if (!date) return std::nullopt;
  std::int64_t micros = std::chrono::microseconds(date->time_since_epoch()).count();
  if (text.size() == 10) return micros;
  const auto hour = digits_at(text, 11, 2);
  const auto minute = digits_at(text, 14, 2);
  if (!hour || !minute || *hour > 23 || *minute > 59 || (text[10] != 'T' && text[10] != ' ') ||
      text[13] != ':')
    return std::nullopt;
  micros += (*hour * 60LL + *minute) * 60'000'000;
  std::size_t at = 16;
  if (at < text.size() && text[at] == ':') {
    const auto second = digits_at(text, 17, 2);
    if (!second || *second > 59) return std::nullopt;
    micros += *second * 1'000'000LL;
    at = 19;
    if (at < text.size() && text[at] == '.') {
      std::int64_t unit = 100'000;
      const std::size_t begin = ++at;
      for (; at < text.size() && is_digit(text[at]); ++at, unit /= 10)
        micros += (text[at] - '0') * unit;
      if (at == begin) return std::nullopt;
    }
  }
  const auto zone = zone_minutes(text.substr(at));
  if (!zone) return std::nullopt;
  return micros - *zone * 60'000'000LL;
}

void append_moment(std::string& out, std::int64_t micros) {
  const std::chrono::sys_time<std::chrono::microseconds> at{std::chrono::microseconds(micros)};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(at - day);
  out += fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
  if (const auto fraction = time.subseconds().count(); fraction != 0) {
    std::string digits = fmt::format(".{:06}", fraction);
    digits.resize(digits.find_last_not_of('0') + 1);
    out += digits;
  }
  out += 'Z';
}

bool append_uuid(std::string& out, std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const char c = text[i] >= 'A' && text[i] <= 'F' ? static_cast<char>(text[i] + 32) : text[i];
    if (dash ? c != '-' : !is_digit(c) && (c < 'a' || c > 'f')) return false;
    out += c;
  }
  return true;
}

/// From the text of a string or the words of a number or boolean.
bool append_typed(std::string& out, Type type, std::string_view text) {
  switch (type) {
    case Type::kText:
      out += text;
      return text.find('\0') == std::string_view::npos;
    case Type::kBigint:
      if (!whole(text)) return false;
      out += text;
      return true;
    case Type::kDouble: {
      double value = 0;
      if (!is_number(text)) return false;
      const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
      out += text;
      return failed == std::errc();
    }
    case Type::kNumeric:
      out += text;
      return is_number(text);
    case Type::kBoolean:
      out += text;
      return text == "true" || text == "false";
    case Type::kTimestamp: {
      const auto at = moment(text);
      if (at) append_moment(out, *at);
      return at.has_value();
    }
    case Type::kDate:
      if (!moment(text)) return false;
      out += text.substr(0, 10);
      return true;
    case Type::kUuid:
      return append_uuid(out, text);
    case Type::kJson:
      break;
  }
  return false;
}

bool is_numeric(Type type) {
  return type == Type::kBigint || type == Type::kDouble || type == Type::kNumeric;
}

}  // namespace

std::string_view name(Type type) {
  for (const auto& [word, one] : kNames)
    if (one == type) return word;
  return "";
}

std::optional<Type> type_named(std::string_view name) {
  for (const auto& [word, type] : kNames)
    if (word == name) return type;
  return std::nullopt;
}

std::vector<std::string_view> type_names() {
  std::vector<std::string_view> names;
  for (const auto& [word, type] : kNames) names.push_back(word);
  return names;
}

Type type_of(std::string_view raw) {
  switch (raw.front()) {
    case '"':
      return Type::kText;
    case '{':
    case '[':
      return Type::kJson;
    case 't':
    case 'f':
      return Type::kBoolean;
    default:
      break;
  }
  if (whole(raw)) return Type::kBigint;
  const bool fraction = raw.find_first_of(".eE") != std::string_view::npos;
  return fraction && fits_double(raw) ? Type::kDouble : Type::kNumeric;
}

bool holds(Type type, std::string_view raw) {
  const Type other = type_of(raw);
  if (type == other || type == Type::kJson) return true;
  if (type == Type::kNumeric) return is_numeric(other);
  const bool of_text = type == Type::kTimestamp || type == Type::kDate || type == Type::kUuid;
  if (!of_text || other != Type::kText) return false;
  std::string ignored;
  return append_cell(ignored, type, raw).has_value();
}

Type widened(Type type, Type other, bool of_key) {
  if (type == other) return type;
  if (is_numeric(type) && is_numeric(other)) return Type::kNumeric;
  const auto textual = [](Type one) {
    return one == Type::kText || one == Type::kTimestamp || one == Type::kDate ||
           one == Type::kUuid;
  };
  if (of_key || (textual(type) && textual(other))) return Type::kText;
  return Type::kJson;
}

bool can_widen(Type from, Type to) {
  if (from == to || to == Type::kText || to == Type::kJson) return true;
  return (from == Type::kBigint || from == Type::kDouble) && to == Type::kNumeric;
}

Status append_cell(std::string& out, Type type, std::string_view raw) {
  if (type == Type::kJson) {
    append_compact(out, raw);
    return {};
  }
  const std::size_t begin = out.size();
  bool fits = false;
  if (raw.front() == '"' && raw.find('\\') == std::string_view::npos) {
    fits = append_typed(out, type, raw.substr(1, raw.size() - 2));
  } else if (raw.front() == '"') {
    std::string text;
    append_unescaped(text, raw);
    fits = append_typed(out, type, text);
  } else if (raw.front() == '{' || raw.front() == '[') {
    if (type == Type::kText) append_compact(out, raw);
    fits = type == Type::kText;
  } else {
    fits = append_typed(out, type, raw);
  }
  if (fits) return {};
  out.resize(begin);
  if (type == Type::kText)
    return error(Code::kInvalidArgument, "its text has a NUL character, which no column holds");
  return error(Code::kInvalidArgument,
               fmt::format("{}{} is no {}", raw.substr(0, kShownBytes),
                           raw.size() > kShownBytes ? "…" : "", name(type)));
}

}  // namespace tailrace::staging
