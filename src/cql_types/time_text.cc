#include "cql_types/time_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <limits>

#include "cql_types/parts.h"

namespace tailrace::cql_types {
namespace {

constexpr std::int64_t kDayMs = 86'400'000, kDayNs = 86'400'000'000'000;
constexpr std::int64_t kDateOffset = std::int64_t{1} << 31;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::unexpected<Error> invalid(std::string what) {
  return error(Code::kInvalidArgument, std::move(what));
}

bool is_whole_number(std::string_view text) {
  if (!text.empty() && text[0] == '-') text.remove_prefix(1);
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

template <typename T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_leap(std::int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int month_length(std::int64_t year, int month) {
  if (month == 2) return is_leap(year) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

// Days since 1970-01-01 in the proleptic Gregorian calendar, of eras of 400 years that start in
// March; years within ±10^10.
std::int64_t days_from_civil(std::int64_t year, int month, int day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719'468;
}

struct Civil {
  std::int64_t year;
  int month, day;
};

Civil civil_from_days(std::int64_t days) {
  days += 719'468;
  const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const std::int64_t day_of_era = days - era * 146'097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted = (5 * day_of_year + 2) / 153;
  const int month = static_cast<int>(shifted < 10 ? shifted + 3 : shifted - 9);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month,
          static_cast<int>(day_of_year - (153 * shifted + 2) / 5 + 1)};
}

// Reads fields of a text from its front.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  // A number of `least` to `most` digits; greedy.
  bool digits(std::size_t least, std::size_t most, std::int64_t& value) {
    std::size_t count = 0;
    while (count < rest_.size() && count < most && is_digit(rest_[count])) ++count;
    if (count < least) return false;
    const auto read = number<std::int64_t>(rest_.substr(0, count));
    if (count > 0 && !read) return false;
    value = read.value_or(0);
    rest_.remove_prefix(count);
    return true;
  }
  std::string_view rest() const { return rest_; }
  bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

// A sign, two digits of hours, and what the form asks: `colon` +hh:mm[:ss], else +hh[mm]. Seconds.
bool take_offset(Scanner& scanner, bool colon, std::int64_t& seconds) {
  const bool negative = scanner.take('-');
  std::int64_t hours = 0, minutes = 0, rest = 0;
  if ((!negative && !scanner.take('+')) || !scanner.digits(2, 2, hours)) return false;
  if (colon) {
    if (!scanner.take(':') || !scanner.digits(2, 2, minutes)) return false;
    if (scanner.take(':') && !scanner.digits(2, 2, rest)) return false;
  } else if (!scanner.done() && !scanner.digits(2, 2, minutes)) {
    return false;
  }
  if (minutes > 59 || rest > 59) return false;
  seconds = hours * 3'600 + minutes * 60 + rest;
  if (seconds > 18 * 3'600) return false;
  if (negative) seconds = -seconds;
  return true;
}

// All of the text that is left, as a zone; nothing is UTC.
bool take_zone(Scanner scanner, std::int64_t& seconds) {
  seconds = 0;
  if (scanner.done()) return true;
  const bool blank = scanner.take(' ');
  if (scanner.rest() == "Z") return true;
  if (blank && (scanner.take("UTC") || scanner.take("GMT") || scanner.take("UT"))) {
    if (scanner.done()) return true;
    Scanner named = scanner;
    return take_offset(named, true, seconds) && named.done();
  }
  Scanner compact = scanner;
  if (take_offset(compact, false, seconds) && compact.done()) return true;
  return take_offset(scanner, true, seconds) && scanner.done();
}

// The year of an ISO date: four digits, more only with a sign.
bool take_iso_year(Scanner& scanner, std::int64_t& year) {
  const bool negative = scanner.take('-');
  const bool positive = !negative && scanner.take('+');
  if (!scanner.digits(positive ? 5 : 4, negative || positive ? 10 : 4, year)) return false;
  if (negative && year == 0) return false;
  if (negative) year = -year;
  return true;
}

bool take_clock(Scanner& scanner, std::int64_t& ms) {
  std::int64_t hours = 0, minutes = 0, seconds = 0, fraction = 0;
  if (!scanner.digits(1, 19, hours) || !scanner.take(':') || !scanner.digits(1, 19, minutes))
    return false;
  if (scanner.take(':')) {
    if (!scanner.digits(1, 19, seconds)) return false;
    if (scanner.take('.')) {
      const auto before = scanner.rest().size();
      if (!scanner.digits(0, 9, fraction)) return false;
      for (auto count = before - scanner.rest().size(); count < 9; ++count) fraction *= 10;
      fraction /= 1'000'000;
    }
  }
  const bool midnight = hours == 24 && minutes == 0 && seconds == 0 && fraction == 0;
  if ((hours > 23 && !midnight) || minutes > 59 || seconds > 59) return false;
  ms = ((hours * 60 + minutes) * 60 + seconds) * 1'000 + fraction;
  return true;
}

std::optional<std::int64_t> timestamp_of(std::int64_t year, std::int64_t month, std::int64_t day,
                                         std::int64_t clock_ms, std::int64_t offset_seconds) {
  if (month < 1 || month > 12 || day < 1 || day > 31 || year < -999'999'999 || year > 999'999'999)
    return std::nullopt;
  const int last = month_length(year, static_cast<int>(month));
  const auto days =
      days_from_civil(year, static_cast<int>(month), std::min(static_cast<int>(day), last));
  std::int64_t ms = 0;
  if (__builtin_mul_overflow(days, kDayMs, &ms) ||
      __builtin_add_overflow(ms, clock_ms - offset_seconds * 1'000, &ms))
    return std::nullopt;
  return ms;
}

std::optional<std::int64_t> parse_date_and_clock(std::string_view text) {
  Scanner scanner(text);
  std::int64_t year = 0, month = 0, day = 0, ms = 0, zone = 0;
  if (!scanner.digits(1, 19, year) || !scanner.take('-') || !scanner.digits(1, 19, month) ||
      !scanner.take('-') || !scanner.digits(1, 19, day))
    return std::nullopt;
  if (!scanner.take('T') && !scanner.take(' ')) return std::nullopt;
  if (year < 1 || !take_clock(scanner, ms) || !take_zone(scanner, zone)) return std::nullopt;
  return timestamp_of(year, month, day, ms, zone);
}

std::optional<std::int64_t> parse_day(std::string_view text) {
  Scanner scanner(text);
  std::int64_t year = 0, month = 0, day = 0, zone = 0;
  if (!take_iso_year(scanner, year) || !scanner.take('-') || !scanner.digits(2, 2, month) ||
      !scanner.take('-') || !scanner.digits(2, 2, day))
    return std::nullopt;
  if (scanner.rest() != "z" && !take_zone(scanner, zone)) return std::nullopt;
  return timestamp_of(year, month, day, 0, zone);
}

// The year as Java pads it: at least four digits, a plus before more.
std::string year_text(std::int64_t year) {
  if (year < 0) return fmt::format("-{:04}", -year);
  return fmt::format("{}{:04}", year > 9'999 ? "+" : "", year);
}

struct Unit {
  std::string_view symbol;
  std::string_view name;
  std::int64_t size;
};
constexpr std::int64_t kSecondNs = 1'000'000'000;
// In the order in which they may follow one another.
constexpr Unit kUnits[] = {{"y", "years", 12},
                           {"mo", "months", 1},
                           {"w", "weeks", 7},
                           {"d", "days", 1},
                           {"h", "hours", 3'600 * kSecondNs},
                           {"m", "minutes", 60 * kSecondNs},
                           {"s", "seconds", kSecondNs},
                           {"ms", "milliseconds", 1'000'000},
                           {"us", "microseconds", 1'000},
                           {"ns", "nanoseconds", 1}};

// Adds units in order; the sums stay within Duration's fields.
class DurationBuilder {
 public:
  Status add(int unit, std::int64_t count) {
    if (unit == last_)
      return invalid(
          fmt::format("Invalid duration. The {} are specified multiple times", kUnits[unit].name));
    if (unit < last_)
      return invalid(fmt::format("Invalid duration. The {} should be after {}", kUnits[last_].name,
                                 kUnits[unit].name));
    last_ = unit;
    const int field = unit < 2 ? 0 : unit < 4 ? 1 : 2;
    const auto limit = field == 2 ? std::numeric_limits<std::int64_t>::max()
                                  : std::int64_t{std::numeric_limits<std::int32_t>::max()};
    constexpr std::string_view kFields[] = {"months", "days", "nanoseconds"};
    if (count > (limit - sums_[field]) / kUnits[unit].size)
      return invalid(
          fmt::format("Invalid duration. The total number of {} must be less or equal to {}",
                      kFields[field], std::numeric_limits<std::int32_t>::max()));
    sums_[field] += count * kUnits[unit].size;
    return {};
  }

  Duration build(bool negative) const {
    const std::int64_t sign = negative ? -1 : 1;
    return {static_cast<std::int32_t>(sign * sums_[0]), static_cast<std::int32_t>(sign * sums_[1]),
            sign * sums_[2]};
  }

 private:
  int last_ = -1;
  std::int64_t sums_[3] = {0, 0, 0};
};

std::unexpected<Error> no_duration(std::string_view text) {
  return invalid(fmt::format("Unable to convert '{}' to a duration", text));
}

// The unit at the front, the longest that fits, or -1.
int take_unit(Scanner& scanner) {
  std::string lower;
  for (const char c : scanner.rest().substr(0, 3))
    lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  constexpr std::string_view kMicro = "\xC2\xB5s";
  if (lower.starts_with(kMicro)) {
    scanner.take(scanner.rest().substr(0, 3));
    return 8;
  }
  int found = -1;
  for (int i = 0; i < 10; ++i)
    if (lower.starts_with(kUnits[i].symbol) &&
        (found < 0 || kUnits[i].symbol.size() > kUnits[found].symbol.size()))
      found = i;
  if (found >= 0) scanner.take(scanner.rest().substr(0, kUnits[found].symbol.size()));
  return found;
}

Result<Duration> parse_standard(std::string_view text, bool negative) {
  Scanner scanner(text);
  DurationBuilder builder;
  do {
    std::int64_t count = 0;
    if (!scanner.digits(1, 19, count)) return no_duration(text);
    const int unit = take_unit(scanner);
    if (unit < 0) return no_duration(text);
    TRY(builder.add(unit, count));
  } while (!scanner.done());
  return builder.build(negative);
}

Result<Duration> parse_iso(std::string_view text, bool negative) {
  Scanner scanner(text);
  scanner.take('P');
  DurationBuilder builder;
  constexpr std::string_view kDateUnits = "YMD", kTimeUnits = "HMS";
  constexpr int kDate[] = {0, 1, 3}, kTime[] = {4, 5, 6};
  bool in_time = false;
  while (!scanner.done()) {
    if (!in_time && scanner.take('T')) {
      in_time = true;
      continue;
    }
    std::int64_t count = 0;
    if (!scanner.digits(1, 19, count) || scanner.done()) return no_duration(text);
    const auto unit = (in_time ? kTimeUnits : kDateUnits).find(scanner.rest()[0]);
    if (unit == std::string_view::npos) return no_duration(text);
    scanner.take(scanner.rest()[0]);
    if (!builder.add(in_time ? kTime[unit] : kDate[unit], count)) return no_duration(text);
  }
  return builder.build(negative);
}

Result<Duration> parse_iso_week(std::string_view text, bool negative) {
  Scanner scanner(text);
  DurationBuilder builder;
  std::int64_t weeks = 0;
  if (!scanner.take('P') || !scanner.digits(1, 19, weeks) || scanner.rest() != "W")
    return no_duration(text);
  TRY(builder.add(2, weeks));
  return builder.build(negative);
}

Result<Duration> parse_iso_fields(std::string_view text, bool negative) {
  Scanner scanner(text);
  DurationBuilder builder;
  constexpr char kBefore[] = {'P', '-', '-', 'T', ':', ':'};
  constexpr int kOf[] = {0, 1, 3, 4, 5, 6};
  for (int i = 0; i < 6; ++i) {
    const std::size_t width = i == 0 ? 4 : 2;
    std::int64_t count = 0;
    if (!scanner.take(kBefore[i]) || !scanner.digits(width, width, count)) return no_duration(text);
    TRY(builder.add(kOf[i], count));
  }
  if (!scanner.done()) return no_duration(text);
  return builder.build(negative);
}

}  // namespace

Result<std::int64_t> parse_timestamp(std::string_view text, std::int64_t now_ms) {
  if (text.size() == 3 && (text[0] | 32) == 'n' && (text[1] | 32) == 'o' && (text[2] | 32) == 'w')
    return now_ms;
  if (is_whole_number(text)) {
    if (const auto value = number<std::int64_t>(text)) return *value;
    return invalid(fmt::format("Unable to make long (for date) from: '{}'", text));
  }
  if (const auto ms = parse_date_and_clock(text)) return *ms;
  if (const auto ms = parse_day(text)) return *ms;
  return invalid(fmt::format("Unable to parse a date/time from '{}'", text));
}

std::string timestamp_text(std::int64_t unix_ms, char separator) {
  std::int64_t days = unix_ms / kDayMs, ms = unix_ms % kDayMs;
  if (ms < 0) {
    ms += kDayMs;
    --days;
  }
  const auto date = civil_from_days(days);
  return fmt::format("{}-{:02}-{:02}{}{:02}:{:02}:{:02}.{:03}Z",
                     year_text(date.year > 0 ? date.year : 1 - date.year), date.month, date.day,
                     separator, ms / 3'600'000, ms / 60'000 % 60, ms / 1'000 % 60, ms % 1'000);
}

Result<std::uint32_t> parse_date(std::string_view text) {
  if (is_whole_number(text)) {
    const auto days = number<std::int64_t>(text);
    if (days && *days >= 0 && *days <= std::numeric_limits<std::uint32_t>::max())
      return static_cast<std::uint32_t>(*days);
    return invalid(fmt::format("Unable to make unsigned int (for date) from: '{}'", text));
  }
  Scanner scanner(text);
  std::int64_t year = 0, month = 0, day = 0;
  if (!take_iso_year(scanner, year) || !scanner.take('-') || !scanner.digits(2, 2, month) ||
      !scanner.take('-') || !scanner.digits(2, 2, day) || !scanner.done() || month < 1 ||
      month > 12 || day < 1 || day > month_length(year, static_cast<int>(month)) ||
      year < -999'999'999 || year > 999'999'999)
    return invalid(fmt::format("Unable to coerce '{}' to a formatted date (long)", text));
  const auto since_1970 = days_from_civil(year, static_cast<int>(month), static_cast<int>(day));
  if (std::abs(since_1970) > std::numeric_limits<std::int64_t>::max() / kDayMs)
    return invalid(fmt::format("Unable to coerce '{}' to a formatted date (long)", text));
  const auto days = since_1970 + kDateOffset;
  if (days < 0)
    return invalid(
        fmt::format("Input date {} is less than min supported date -5877641-06-23T00:00Z", text));
  if (days > std::numeric_limits<std::uint32_t>::max())
    return invalid(fmt::format(
        "Input date {} is greater than max supported date +5881580-07-11T00:00Z", text));
  return static_cast<std::uint32_t>(days);
}

std::string date_text(std::uint32_t days) {
  const auto date = civil_from_days(std::int64_t{days} - kDateOffset);
  return fmt::format("{}-{:02}-{:02}", year_text(date.year), date.month, date.day);
}

Result<std::int64_t> parse_time(std::string_view text) {
  if (is_whole_number(text)) {
    const auto value = number<std::int64_t>(text);
    if (value && *value >= 0 && *value < kDayNs) return *value;
    return invalid(fmt::format("Unable to make long (for time) from: '{}'", text));
  }
  const auto wrong = [&] {
    return invalid(
        fmt::format("(TimeType) Unable to coerce '{}' to a formatted time (long)", text));
  };
  auto trimmed = text;
  while (!trimmed.empty() && static_cast<unsigned char>(trimmed.front()) <= ' ')
    trimmed.remove_prefix(1);
  while (!trimmed.empty() && static_cast<unsigned char>(trimmed.back()) <= ' ')
    trimmed.remove_suffix(1);
  Scanner scanner(trimmed);
  std::int64_t hours = 0, minutes = 0, seconds = 0, fraction = 0;
  // Java's numbers may have a plus, and zero a minus.
  const auto field = [&](std::int64_t& value) {
    const bool negative = scanner.take('-');
    if (!negative) scanner.take('+');
    return scanner.digits(1, 18, value) && !(negative && value != 0);
  };
  if (!field(hours) || !scanner.take(':') || !field(minutes) || !scanner.take(':') ||
      !field(seconds))
    return wrong();
  if (scanner.take('.')) {
    auto count = scanner.rest().size();
    if (!scanner.digits(1, 9, fraction)) return wrong();
    for (; count < 9; ++count) fraction *= 10;
  }
  if (!scanner.done() || hours > 23 || minutes > 59 || seconds > 59) return wrong();
  return ((hours * 60 + minutes) * 60 + seconds) * kSecondNs + fraction;
}

std::string time_text(std::int64_t nanoseconds) {
  if (nanoseconds < 0 || nanoseconds >= kDayNs) return std::to_string(nanoseconds);
  const auto seconds = nanoseconds / kSecondNs;
  return fmt::format("{:02}:{:02}:{:02}.{:09}", seconds / 3'600, seconds / 60 % 60, seconds % 60,
                     nanoseconds % kSecondNs);
}

Result<Duration> parse_duration(std::string_view text) {
  const bool negative = text.starts_with("-");
  if (negative) text.remove_prefix(1);
  if (!text.starts_with("P")) return parse_standard(text, negative);
  if (text.ends_with("W")) return parse_iso_week(text, negative);
  if (text.find('-') != std::string_view::npos) return parse_iso_fields(text, negative);
  return parse_iso(text, negative);
}

std::string duration_text(const Duration& duration) {
  std::string out = duration.months < 0 || duration.days < 0 || duration.nanoseconds < 0 ? "-" : "";
  // Unsigned, so that the least number has a magnitude.
  const auto append = [&](std::int64_t value, int first, int last) {
    auto rest =
        value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    for (int unit = first; unit <= last; ++unit) {
      const auto size = static_cast<std::uint64_t>(kUnits[unit].size);
      if (rest >= size) out += fmt::format("{}{}", rest / size, kUnits[unit].symbol);
      rest %= size;
    }
  };
  append(duration.months, 0, 1);
  append(duration.days, 3, 3);
  append(duration.nanoseconds, 4, 9);
  return out;
}

std::string duration_bytes(const Duration& duration) {
  std::string bytes;
  append_vint(bytes, duration.months);
  append_vint(bytes, duration.days);
  append_vint(bytes, duration.nanoseconds);
  return bytes;
}

std::optional<Duration> read_duration(std::string_view bytes) {
  std::int64_t months = 0, days = 0, nanoseconds = 0;
  if (!take_vint(bytes, months) || !take_vint(bytes, days) || !take_vint(bytes, nanoseconds))
    return std::nullopt;
  return Duration{static_cast<std::int32_t>(months), static_cast<std::int32_t>(days), nanoseconds};
}

}  // namespace tailrace::cql_types
