#include "calendar/cron.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cctype>

#include "calendar/civil.h"
#include "calendar/cron_fields.h"

namespace tailrace::calendar {
namespace {

constexpr int kYearsToSearch = 50;
constexpr int kLastYear = 9999;

struct Preset {
  std::string_view name, expression;
};
/// Airflow's, which are shown as what they stand for.
constexpr Preset kPresets[] = {
    {"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},       {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"}, {"@quarterly", "0 0 1 */3 *"}, {"@yearly", "0 0 1 1 *"},
};
/// croniter's, in capitals too, which stay as they are written.
constexpr Preset kAliases[] = {
    {"@midnight", "0 0 * * *"}, {"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},
    {"@weekly", "0 0 * * 0"},   {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
};

std::string_view looked_up(std::string_view text, const auto& presets) {
  const auto* const found = std::ranges::find(presets, text, &Preset::name);
  return found == std::end(presets) ? text : found->expression;
}

/// Bit n of a month's days that are the n-th, from 1.
using MonthDays = std::uint32_t;

MonthDays all_days(int year, int month) {
  return static_cast<MonthDays>((std::uint64_t{1} << (days_in_month(year, month) + 1)) - 2);
}

/// The weekday of a month's first, from Sunday.
int first_weekday(int year, int month) {
  return (weekday_of(days_of({year, month, 1})) + 1) % 7;
}

MonthDays nearest_weekday(const CronFields& fields, int year, int month) {
  const int last = days_in_month(year, month);
  int day = std::min(fields.nearest_weekday, last);
  const int weekday = (first_weekday(year, month) + day - 1) % 7;
  if (weekday == 6) day += day > 1 ? -1 : 2;
  if (weekday == 0) day += day < last ? 1 : -2;
  return MonthDays{1} << day;
}

MonthDays listed_days(const CronFields& fields, int year, int month) {
  if (fields.nearest_weekday != 0) return nearest_weekday(fields, year, month);
  if (fields.days_star) return all_days(year, month);
  MonthDays days = fields.days & all_days(year, month);
  if (fields.last_day) days |= MonthDays{1} << days_in_month(year, month);
  return days;
}

MonthDays nth_weekdays(const CronFields& fields, int year, int month) {
  const int first = first_weekday(year, month);
  const int last = days_in_month(year, month);
  MonthDays days = 0;
  for (int weekday = 0; weekday < 7; ++weekday) {
    const std::uint8_t weeks = fields.nth_weekday[static_cast<std::size_t>(weekday)];
    const int one = 1 + (weekday - first + 7) % 7;
    for (int week = 1; week <= 5; ++week) {
      const int day = one + 7 * (week - 1);
      if ((weeks & (1U << week)) != 0 && day <= last) days |= MonthDays{1} << day;
    }
    if ((weeks & 1U) != 0) days |= MonthDays{1} << (one + (last - one) / 7 * 7);
  }
  return days;
}

MonthDays listed_weekdays(const CronFields& fields, int year, int month) {
  if (fields.any_nth) return nth_weekdays(fields, year, month);
  if (fields.weekdays_star) return all_days(year, month);
  const int first = first_weekday(year, month);
  MonthDays days = 0;
  for (int day = 1; day <= 31; ++day) {
    if ((fields.weekdays & (1U << ((first + day - 1) % 7))) != 0) days |= MonthDays{1} << day;
  }
  return days & all_days(year, month);
}

/// The highest or lowest bit of `bits` at or beyond `from`; -1 where there is none.
int at_or_after(std::uint64_t bits, int from) {
  const std::uint64_t rest = from > 63 ? 0 : bits >> from << from;
  return rest == 0 ? -1 : std::countr_zero(rest);
}
int at_or_before(std::uint64_t bits, int from) {
  const std::uint64_t rest = from < 0 ? 0 : bits << (63 - from) >> (63 - from);
  return rest == 0 ? -1 : 63 - std::countl_zero(rest);
}

/// A search through the calendar, forward or back, in seconds since a local 1970-01-01.
class Search {
 public:
  Search(const CronFields& fields, bool back) : fields_(fields), back_(back) {}

  /// `from` and what lies beyond it; whole minutes where the cron has no seconds.
  std::optional<std::int64_t> find(std::int64_t from) {
    const Date start = date_of(floor_div(from, kSecondsPerDay));
    const bool split = !fields_.days_star && !fields_.weekdays_star;
    if (!split) {
      return walk(from, start, [this](int year, int month) {
        return listed_days(fields_, year, month) & listed_weekdays(fields_, year, month);
      });
    }
    if (!fields_.any_nth && fields_.nearest_weekday == 0) {
      return walk(from, start, [this](int year, int month) {
        return listed_days(fields_, year, month) | listed_weekdays(fields_, year, month);
      });
    }
    // A side with # or W stays in both halves of the "or", and each half must have a time at all.
    CronFields any_weekday = fields_, any_day = fields_;
    any_weekday.weekdays_star = any_day.days_star = true;
    const auto one = Search(any_weekday, back_).find(from);
    const auto other = Search(any_day, back_).find(from);
    if (!one || !other) return std::nullopt;
    return back_ ? std::max(*one, *other) : std::min(*one, *other);
  }

 private:
  /// The next of a field's values from `from` on, in the direction of the search.
  int step(std::uint64_t bits, int from) const {
    return back_ ? at_or_before(bits, from) : at_or_after(bits, from);
  }

  bool is_year(int year) const {
    if (fields_.any_year) return true;
    return year >= 1970 && year < 2100 && fields_.years.test(static_cast<std::size_t>(year - 1970));
  }

  std::optional<std::int64_t> walk(std::int64_t from, const Date& start, auto&& days_of_month) {
    const std::int64_t midnight = days_of(start) * kSecondsPerDay;
    const int direction = back_ ? -1 : 1;
    for (int i = 0; i <= kYearsToSearch; ++i) {
      const int year = start.year + direction * i;
      if (year > kLastYear || year < 1) return std::nullopt;
      if (!is_year(year)) continue;
      int month = step(fields_.months, i == 0 ? start.month : back_ ? 12 : 1);
      for (; month != -1; month = step(fields_.months, month + direction)) {
        const bool first = i == 0 && month == start.month;
        const MonthDays days = days_of_month(year, month);
        int day = step(days, first ? start.day : back_ ? 31 : 1);
        for (; day != -1; day = step(days, day + direction)) {
          const bool today = first && day == start.day;
          const int limit = today ? static_cast<int>(from - midnight) : back_ ? 86'399 : 0;
          const auto of_day = time_of_day(limit);
          if (of_day) return days_of({year, month, day}) * kSecondsPerDay + *of_day;
        }
      }
    }
    return std::nullopt;
  }

  std::optional<int> time_of_day(int from) const {
    const int low = back_ ? 59 : 0;
    const int direction = back_ ? -1 : 1;
    const int from_hour = from / 3600, from_minute = from / 60 % 60;
    int hour = step(fields_.hours, from_hour);
    for (; hour != -1; hour = step(fields_.hours, hour + direction)) {
      const bool same_hour = hour == from_hour;
      int minute = step(fields_.minutes, same_hour ? from_minute : low);
      for (; minute != -1; minute = step(fields_.minutes, minute + direction)) {
        const bool same_minute = same_hour && minute == from_minute;
        const int second = step(fields_.seconds, same_minute ? from % 60 : low);
        if (second != -1) return hour * 3600 + minute * 60 + second;
      }
    }
    return std::nullopt;
  }

  const CronFields& fields_;
  bool back_;
};

/// A wall clock's reading, in microseconds since a local 1970-01-01.
Micros wall_micros(Micros instant, const Zone& zone) {
  return instant + zone.offset_seconds(instant) * kMicrosPerSecond;
}

/// What Airflow makes of a scheduled wall time: for a cron of every hour as long after (or before)
/// the instant as the wall clock says, which runs through folds; else the time in the zone.
Micros instant_of(Micros wall, Micros now_wall, Micros now, const Zone& zone, bool every_hour) {
  if (every_hour) return now + (wall - now_wall);
  const std::int64_t seconds = floor_div(wall, kMicrosPerSecond);
  const std::int64_t days = floor_div(seconds, kSecondsPerDay);
  const Date date = date_of(days);
  const auto of_day = static_cast<int>(seconds - days * kSecondsPerDay);
  return zone.to_instant({.year = date.year,
                          .month = date.month,
                          .day = date.day,
                          .hour = of_day / 3600,
                          .minute = of_day / 60 % 60,
                          .second = of_day % 60,
                          .fold = 1});
}

std::string lower(std::string_view text) {
  std::string lowered(text);
  std::ranges::transform(lowered, lowered.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lowered;
}

}  // namespace

Result<Cron> Cron::parse(std::string_view expression) {
  Cron cron;
  cron.expression_ = looked_up(expression, kPresets);
  const std::string lowered = lower(cron.expression_);
  ASSIGN(cron.fields_, read_cron_fields(looked_up(lowered, kAliases)));
  return cron;
}

std::optional<Micros> Cron::next(Micros instant, const Zone& zone) const {
  const Micros wall = wall_micros(instant, zone);
  const std::int64_t unit = fields_.has_seconds ? 1 : 60;
  const std::int64_t from = (floor_div(wall, unit * kMicrosPerSecond) + 1) * unit;
  const auto found = Search(fields_, false).find(from);
  if (!found) return std::nullopt;
  return instant_of(*found * kMicrosPerSecond, wall, instant, zone, fields_.every_hour);
}

std::optional<Micros> Cron::previous(Micros instant, const Zone& zone) const {
  const Micros wall = wall_micros(instant, zone);
  const std::int64_t unit = fields_.has_seconds ? 1 : 60;
  const std::int64_t from = floor_div(wall - 1, unit * kMicrosPerSecond) * unit;
  const auto found = Search(fields_, true).find(from);
  if (!found) return std::nullopt;
  return instant_of(*found * kMicrosPerSecond, wall, instant, zone, fields_.every_hour);
}

}  // namespace tailrace::calendar
