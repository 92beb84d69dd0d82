#include "schema/cel/times.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cmath>

namespace tailrace::schema::cel {
namespace {

constexpr std::int64_t kBillion = 1'000'000'000;

/// Takes exactly `count` digits.
std::optional<std::int64_t> take_digits(std::string_view& text, std::size_t count) {
  std::int64_t number = 0;
  if (text.size() < count) return std::nullopt;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    number = number * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return number;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

/// ".5" as nanoseconds; digits beyond the ninth are cut.
std::optional<std::int32_t> take_fraction(std::string_view& text) {
  if (!take(text, '.')) return 0;
  std::int32_t nanos = 0, unit = 100'000'000;
  std::size_t digits = 0;
  for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1), ++digits) {
    nanos += (text[0] - '0') * unit;
    unit /= 10;
  }
  if (digits == 0) return std::nullopt;
  return nanos;
}

std::string fraction_text(std::int64_t nanos) {
  if (nanos == 0) return "";
  std::string text = fmt::format(".{:09}", nanos);
  while (text.ends_with('0')) text.pop_back();
  return text;
}

std::optional<std::int64_t> unit_of(std::string_view& text) {
  constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {
      {"ms", 1'000'000},      {"us", 1'000},        {"ns", 1},
      {"h", 3600 * kBillion}, {"m", 60 * kBillion}, {"s", kBillion}};
  for (const auto& [name, nanos] : kUnits)
    if (text.starts_with(name)) {
      text.remove_prefix(name.size());
      return nanos;
    }
  return std::nullopt;
}

}  // namespace

std::optional<Timestamp> timestamp_of(std::string_view text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day || !(take(text, 'T') || take(text, 't'))) return std::nullopt;
  const auto hour = take_digits(text, 2);
  if (!hour || !take(text, ':')) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || !take(text, ':')) return std::nullopt;
  const auto second = take_digits(text, 2);
  const auto nanos = second ? take_fraction(text) : std::nullopt;
  if (!nanos || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  const auto offset = zone_offset(text);
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!offset || !date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t seconds = days * 86'400 + *hour * 3600 + *minute * 60 + *second - *offset;
  if (seconds < kFirstSecond || seconds > kLastSecond) return std::nullopt;
  return Timestamp{seconds, *nanos};
}

std::string text_of(const Timestamp& time) {
  const auto at = std::chrono::sys_seconds(std::chrono::seconds(time.seconds));
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::int64_t rest = (at - day).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     rest / 3600, rest / 60 % 60, rest % 60, fraction_text(time.nanos));
}

std::optional<Duration> duration_of(std::string_view text) {
  const bool negative = take(text, '-');
  if (!negative) take(text, '+');
  if (text == "0") return Duration{0};
  if (text.empty()) return std::nullopt;
  __extension__ using Wide = __int128;
  Wide total = 0;
  while (!text.empty()) {
    std::int64_t whole = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), whole);
    const bool digits = code == std::errc() && text[0] != '-';
    if (code == std::errc::result_out_of_range || (!digits && text[0] != '.')) return std::nullopt;
    if (digits) text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const auto fraction = take_fraction(text);
    const auto unit = fraction ? unit_of(text) : std::nullopt;
    if (!unit) return std::nullopt;
    total += Wide{whole} * *unit + Wide{*fraction} * *unit / kBillion;
    if (total > INT64_MAX) return std::nullopt;
  }
  return Duration{static_cast<std::int64_t>(negative ? -total : total)};
}

std::string text_of(const Duration& duration) {
  const bool negative = duration.nanos < 0;
  const std::uint64_t nanos = negative
                                  ? std::uint64_t{0} - static_cast<std::uint64_t>(duration.nanos)
                                  : static_cast<std::uint64_t>(duration.nanos);
  return fmt::format("{}{}{}s", negative ? "-" : "", nanos / kBillion,
                     fraction_text(static_cast<std::int64_t>(nanos % kBillion)));
}

std::optional<std::int64_t> zone_offset(std::string_view zone) {
  if (zone == "UTC" || zone == "Z" || zone == "z") return 0;
  const bool west = take(zone, '-');
  if (!west) take(zone, '+');
  const auto hours = take_digits(zone, 2);
  if (!hours || !take(zone, ':')) return std::nullopt;
  const auto minutes = take_digits(zone, 2);
  if (!minutes || !zone.empty() || *hours > 23 || *minutes > 59) return std::nullopt;
  return (west ? -1 : 1) * (*hours * 3600 + *minutes * 60);
}

std::optional<std::int64_t> part_of(const Timestamp& time, std::string_view name) {
  const auto at = std::chrono::sys_seconds(std::chrono::seconds(time.seconds));
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::int64_t rest = (at - day).count();
  if (name == "getFullYear") return static_cast<int>(date.year());
  if (name == "getMonth") return static_cast<unsigned>(date.month()) - 1;
  if (name == "getDate") return static_cast<unsigned>(date.day());
  if (name == "getDayOfMonth") return static_cast<unsigned>(date.day()) - 1;
  if (name == "getDayOfWeek") return std::chrono::weekday(day).c_encoding();
  if (name == "getDayOfYear")
    return (day - std::chrono::sys_days(date.year() / std::chrono::January / 1)).count();
  if (name == "getHours") return rest / 3600;
  if (name == "getMinutes") return rest / 60 % 60;
  if (name == "getSeconds") return rest % 60;
  if (name == "getMilliseconds") return time.nanos / 1'000'000;
  return std::nullopt;
}

std::optional<std::int64_t> part_of(const Duration& duration, std::string_view name) {
  if (name == "getHours") return duration.nanos / (3600 * kBillion);
  if (name == "getMinutes") return duration.nanos / (60 * kBillion);
  if (name == "getSeconds") return duration.nanos / kBillion;
  if (name == "getMilliseconds") return duration.nanos / 1'000'000 % 1000;
  return std::nullopt;
}

}  // namespace tailrace::schema::cel
