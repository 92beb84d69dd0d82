// The proleptic Gregorian calendar as numbers: days since 1970-01-01 and back, weeks and months.
#pragma once

#include <chrono>
#include <cstdint>

namespace tailrace::calendar {

inline constexpr std::int64_t kMicrosPerSecond = 1'000'000;
inline constexpr std::int64_t kSecondsPerDay = 86'400;
/// After 400 years the calendar repeats, weekdays included.
inline constexpr std::int64_t kSecondsPer400Years = 146'097 * kSecondsPerDay;

struct Date {
  int year = 1970, month = 1, day = 1;
  bool operator==(const Date&) const = default;
};

/// Days since 1970-01-01. The day may lie outside of its month.
constexpr std::int64_t days_of(const Date& date) {
  using namespace std::chrono;
  const sys_days first{year{date.year} / date.month / 1};
  return first.time_since_epoch().count() + date.day - 1;
}

constexpr Date date_of(std::int64_t days) {
  using namespace std::chrono;
  const year_month_day date{sys_days{std::chrono::days{days}}};
  return {int{date.year()}, static_cast<int>(unsigned{date.month()}),
          static_cast<int>(unsigned{date.day()})};
}

/// 0 is Monday, 1970-01-01 a Thursday.
constexpr int weekday_of(std::int64_t days) {
  return static_cast<int>(((days + 3) % 7 + 7) % 7);
}

constexpr bool is_leap(int year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

constexpr int days_in_month(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : kDays[month - 1];
}

/// ISO 8601: week 1 is the one with the year's first Thursday.
struct IsoWeek {
  int year = 1970, week = 1, day = 4;  ///< days from 1, Monday
};

constexpr IsoWeek iso_week_of(std::int64_t days) {
  const int weekday = weekday_of(days);
  const std::int64_t thursday = days - weekday + 3;
  const int year = date_of(thursday).year;
  return {year, static_cast<int>((thursday - days_of({year, 1, 1})) / 7) + 1, weekday + 1};
}

/// Division that rounds down.
constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - ((a % b != 0 && (a % b < 0) != (b < 0)) ? 1 : 0);
}

}  // namespace tailrace::calendar
