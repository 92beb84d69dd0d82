#include "calendar/delta.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "calendar/civil.h"

namespace tailrace::calendar {
namespace {

constexpr Micros kMicrosPerDay = kSecondsPerDay * kMicrosPerSecond;
constexpr Micros kFirst = days_of({1, 1, 1}) * kMicrosPerDay;
constexpr Micros kEnd = days_of({10'000, 1, 1}) * kMicrosPerDay;

std::optional<Micros> moved(Micros instant, std::int64_t months, Micros micros) {
  if (months != 0) {
    const std::int64_t days = floor_div(instant, kMicrosPerDay);
    const Date date = date_of(days);
    const std::int64_t month = std::int64_t{date.year} * 12 + date.month - 1 + months;
    if (month < 12 || month >= 120'000) return std::nullopt;
    const auto year = static_cast<int>(month / 12);
    const auto of_year = static_cast<int>(month % 12) + 1;
    const int day = std::min(date.day, days_in_month(year, of_year));
    instant += (days_of({year, of_year, day}) - days) * kMicrosPerDay;
  }
  Micros sum = 0;
  if (__builtin_add_overflow(instant, micros, &sum) || sum < kFirst || sum >= kEnd) {
    return std::nullopt;
  }
  return sum;
}

std::int64_t months_of(const Delta& delta) {
  return std::int64_t{delta.years} * 12 + delta.months;
}

std::string timedelta_text(Micros micros) {
  const std::int64_t days = floor_div(micros, kMicrosPerDay);
  const std::int64_t rest = micros - days * kMicrosPerDay;
  const std::int64_t seconds = rest / kMicrosPerSecond;
  std::string text;
  if (days != 0) text = fmt::format("{} day{}, ", days, std::abs(days) == 1 ? "" : "s");
  text += fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (rest % kMicrosPerSecond != 0) text += fmt::format(".{:06}", rest % kMicrosPerSecond);
  return text;
}

std::string relativedelta_text(const Delta& delta) {
  const std::int64_t seconds = delta.micros / kMicrosPerSecond;
  const std::int64_t months = months_of(delta);
  const std::pair<std::string_view, std::int64_t> parts[] = {
      {"years", months / 12},
      {"months", months % 12},
      {"days", seconds / 86'400},
      {"hours", seconds / 3600 % 24},
      {"minutes", seconds / 60 % 60},
      {"seconds", seconds % 60},
      {"microseconds", delta.micros % kMicrosPerSecond}};
  std::string text;
  for (const auto& [name, value] : parts) {
    if (value == 0) continue;
    if (!text.empty()) text += ", ";
    text += fmt::format("{}={:+g}", name, static_cast<double>(value));
  }
  return "relativedelta(" + text + ")";
}

}  // namespace

std::optional<Micros> plus(Micros instant, const Delta& delta) {
  return moved(instant, months_of(delta), delta.micros);
}

std::optional<Micros> minus(Micros instant, const Delta& delta) {
  return moved(instant, -months_of(delta), -delta.micros);
}

std::string delta_text(const Delta& delta) {
  const bool relative = delta.relative || months_of(delta) != 0;
  return relative ? relativedelta_text(delta) : timedelta_text(delta.micros);
}

}  // namespace tailrace::calendar
