// Texts as booleans, numbers, dates and timestamps, in every form Spark's casts take.
#include <date/tz.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "engine/functions/calendar.h"
#include "engine/functions/text_of.h"

namespace tailrace::engine {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool same_word(std::string_view text, std::string_view lower) {
  return std::ranges::equal(
      text, lower, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

template <typename T>
std::optional<T> parse_floating(std::string_view text) {
  text = trim_spaces(text);
  std::string_view body = text;
  const bool negative = !body.empty() && body[0] == '-';
  if (!body.empty() && (body[0] == '-' || body[0] == '+')) body.remove_prefix(1);
  if (same_word(body, "nan") && body.size() == text.size())
    return std::numeric_limits<T>::quiet_NaN();
  if (same_word(body, "inf") || same_word(body, "infinity")) {
    return negative ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
  }
  if (!body.empty() && (same_word(body.substr(body.size() - 1), "d") ||
                        same_word(body.substr(body.size() - 1), "f"))) {
    body.remove_suffix(1);
  }
  if (body.empty() || (!is_digit(body[0]) && body[0] != '.')) return std::nullopt;
  T value{};
  const auto [end, fault] = std::from_chars(body.data(), body.data() + body.size(), value);
  if (end != body.data() + body.size()) return std::nullopt;
  if (fault == std::errc::result_out_of_range) {
    const auto e = body.find_first_of("eE");
    const bool small = e != std::string_view::npos && e + 1 < body.size() && body[e + 1] == '-';
    value = small ? T{0} : std::numeric_limits<T>::infinity();
  } else if (fault != std::errc()) {
    return std::nullopt;
  }
  return negative ? -value : value;
}

/// Takes digits off the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}
  bool done() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  std::string_view rest() const { return rest_; }
  bool take(char c) {
    if (peek() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::optional<int> digits(std::size_t least, std::size_t most) {
    std::size_t count = 0;
    int value = 0;
    while (count < rest_.size() && is_digit(rest_[count])) {
      if (++count > most) return std::nullopt;
      value = value * 10 + (rest_[count - 1] - '0');
    }
    if (count < least) return std::nullopt;
    rest_.remove_prefix(count);
    return value;
  }

 private:
  std::string_view rest_;
};

std::optional<std::int32_t> scan_date(Scanner& in) {
  const bool negative = in.take('-');
  if (!negative) in.take('+');
  const auto year = in.digits(4, 7);
  if (!year) return std::nullopt;
  int month = 1;
  int day = 1;
  if (in.take('-')) {
    const auto found = in.digits(1, 2);
    if (!found) return std::nullopt;
    month = *found;
    if (in.take('-')) {
      const auto found_day = in.digits(1, 2);
      if (!found_day) return std::nullopt;
      day = *found_day;
    } else if (!in.done()) {
      return std::nullopt;
    }
  } else if (!in.done()) {
    return std::nullopt;
  }
  const int signed_year = negative ? -*year : *year;
  if (month < 1 || month > 12 || day < 1 || day > days_in_month(signed_year, month))
    return std::nullopt;
  return days_of(signed_year, month, day);
}

std::optional<std::int64_t> scan_time(Scanner& in) {
  const auto hour = in.digits(1, 2);
  if (!hour || !in.take(':')) return std::nullopt;
  const auto minute = in.digits(1, 2);
  if (!minute) return std::nullopt;
  std::int64_t micros = (std::int64_t{*hour} * 3600 + *minute * 60) * kMicrosPerSecond;
  if (*hour > 23 || *minute > 59) return std::nullopt;
  if (!in.take(':')) return micros;
  const auto second = in.digits(1, 2);
  if (!second || *second > 59) return std::nullopt;
  micros += *second * kMicrosPerSecond;
  if (!in.take('.')) return micros;
  std::int64_t unit = kMicrosPerSecond;
  while (is_digit(in.peek())) {
    unit /= 10;
    micros += (in.peek() - '0') * unit;
    in.take(in.peek());
  }
  return micros;
}

std::optional<std::int64_t> scan_offset(std::string_view text) {
  Scanner in(text);
  const bool negative = in.take('-');
  if (!negative && !in.take('+')) return std::nullopt;
  std::optional<int> hours;
  std::optional<int> minutes = 0;
  std::optional<int> seconds = 0;
  if (in.rest().size() == 4 && in.rest().find(':') == std::string_view::npos) {
    Scanner whole(in.rest());
    const auto number = whole.digits(4, 4);
    if (!number) return std::nullopt;
    hours = *number / 100;
    minutes = *number % 100;
  } else {
    hours = in.digits(1, 2);
    if (in.take(':')) minutes = in.digits(1, 2);
    if (minutes && in.take(':')) seconds = in.digits(1, 2);
    if (!in.done()) return std::nullopt;
  }
  if (!hours || !minutes || !seconds || *hours > 18 || *minutes > 59 || *seconds > 59)
    return std::nullopt;
  const std::int64_t total = *hours * 3600 + *minutes * 60 + *seconds;
  return negative ? -total : total;
}

}  // namespace

std::string_view trim_spaces(std::string_view text) {
  auto blank = [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<bool> parse_boolean(std::string_view text) {
  text = trim_spaces(text);
  for (const auto* word : {"t", "true", "y", "yes", "1"}) {
    if (same_word(text, word)) return true;
  }
  for (const auto* word : {"f", "false", "n", "no", "0"}) {
    if (same_word(text, word)) return false;
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  text = trim_spaces(text);
  if (text.size() > 1 && text[0] == '+' && is_digit(text[1])) text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_double(std::string_view text) {
  return parse_floating<double>(text);
}
std::optional<float> parse_float(std::string_view text) {
  return parse_floating<float>(text);
}

std::optional<ParsedDecimal> parse_decimal(std::string_view text) {
  text = trim_spaces(text);
  if (text.empty() || text.size() > 256) return std::nullopt;
  arrow::Decimal256 value;
  std::int32_t precision = 0;
  std::int32_t scale = 0;
  if (!arrow::Decimal256::FromString(text, &value, &precision, &scale).ok()) return std::nullopt;
  while (!value.FitsInPrecision(38) && scale > 0) {
    value = value.ReduceScaleBy(1, true);
    --scale;
  }
  if (!value.FitsInPrecision(38)) return std::nullopt;
  const auto words = value.little_endian_array();
  return ParsedDecimal{Decimal128(static_cast<std::int64_t>(words[1]), words[0]), scale};
}

namespace {

/// An offset or one of the names of UTC; sets `fixed` when the text is of that kind.
std::optional<std::int64_t> fixed_offset(std::string_view text, bool& fixed) {
  fixed = true;
  if (text == "Z" || text == "z" || text == "UTC" || text == "GMT" || text == "UT") return 0;
  for (std::string_view prefix : {"UTC", "GMT", "UT"}) {
    if (text.starts_with(prefix)) return scan_offset(text.substr(prefix.size()));
  }
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) return scan_offset(text);
  fixed = false;
  return std::nullopt;
}

template <typename Seconds>
std::optional<std::int64_t> region_offset(std::string_view text, Seconds at) {
  try {
    const auto info = date::locate_zone(std::string(text))->get_info(at);
    if constexpr (std::is_same_v<Seconds, date::local_seconds>) {
      return info.first.offset.count();
    } else {
      return info.offset.count();
    }
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
}

}  // namespace

std::optional<std::int64_t> parse_zone(std::string_view text, std::int64_t local_seconds) {
  text = trim_spaces(text);
  bool fixed = false;
  const auto offset = fixed_offset(text, fixed);
  if (fixed) return offset;
  return region_offset(text, date::local_seconds(std::chrono::seconds(local_seconds)));
}

std::optional<std::int64_t> zone_offset_at(std::string_view text, std::int64_t utc_seconds) {
  text = trim_spaces(text);
  bool fixed = false;
  const auto offset = fixed_offset(text, fixed);
  if (fixed) return offset;
  return region_offset(text, date::sys_seconds(std::chrono::seconds(utc_seconds)));
}

std::optional<std::int64_t> named_moment(std::string_view text, std::int64_t now_us) {
  text = trim_spaces(text);
  const std::int64_t today = day_of_micros(now_us) * kMicrosPerDay;
  if (same_word(text, "epoch")) return 0;
  if (same_word(text, "now")) return now_us;
  if (same_word(text, "today")) return today;
  if (same_word(text, "yesterday")) return today - kMicrosPerDay;
  if (same_word(text, "tomorrow")) return today + kMicrosPerDay;
  return std::nullopt;
}

std::optional<std::int32_t> parse_date(std::string_view text) {
  text = trim_spaces(text);
  if (text.empty()) return std::nullopt;
  const auto time_at = text.find_first_of(" T");
  const auto date_part = text.substr(0, time_at);
  if (time_at != std::string_view::npos && std::ranges::count(date_part.substr(1), '-') != 2)
    return std::nullopt;
  Scanner in(date_part);
  const auto days = scan_date(in);
  return days && in.done() ? days : std::nullopt;
}

std::optional<std::int64_t> parse_timestamp(std::string_view text, std::int64_t now_us,
                                            bool* had_zone) {
  text = trim_spaces(text);
  if (text.empty()) return std::nullopt;
  std::int64_t days = day_of_micros(now_us);
  const auto time_at = text.find_first_of(" T");
  std::string_view time_part =
      time_at == std::string_view::npos ? std::string_view{} : text.substr(time_at + 1);
  const std::string_view date_part = text.substr(0, time_at);
  if (date_part.find(':') != std::string_view::npos) {
    time_part = text;
  } else if (!date_part.empty()) {
    Scanner in(date_part);
    const auto scanned = scan_date(in);
    if (!scanned || !in.done()) return std::nullopt;
    if (time_at != std::string_view::npos && std::ranges::count(date_part.substr(1), '-') != 2)
      return std::nullopt;
    days = *scanned;
  }
  std::int64_t micros = days * kMicrosPerDay;
  if (time_part.empty()) return micros;
  Scanner in(time_part);
  const auto time = scan_time(in);
  if (!time) return std::nullopt;
  micros += *time;
  if (trim_spaces(in.rest()).empty()) return micros;
  const auto offset = parse_zone(in.rest(), floor_div(micros, kMicrosPerSecond));
  if (!offset) return std::nullopt;
  if (had_zone) *had_zone = true;
  return micros - *offset * kMicrosPerSecond;
}

}  // namespace tailrace::engine
