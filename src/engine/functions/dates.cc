// Fields of dates and timestamps, and truncation.
#include <algorithm>

#include "engine/functions/calendar.h"
#include "engine/functions/registry.h"

namespace tailrace::engine {
namespace {

using Days = std::int32_t;
using Micros = std::int64_t;
using Text = std::string_view;

Kernel date_field(Days (*field)(Days)) {
  return [field](Call& call) {
    return map_rows<Days>(call, [field](auto, Days days) { return field(days); });
  };
}

Kernel time_field(Micros unit, Micros modulus) {
  return [=](Call& call) {
    return map_rows<Micros>(call, [=](auto, Micros micros) {
      return static_cast<Days>(floor_mod(floor_div(micros, unit), modulus));
    });
  };
}

/// Monday is 0.
int weekday(Days days) {
  return static_cast<int>(floor_mod(std::int64_t{days} + 3, 7));
}

Days iso_week(Days days) {
  const Days thursday = days - weekday(days) + 3;
  return (thursday - days_of(civil_of(thursday).year, 1, 1)) / 7 + 1;
}

Days truncated(Days days, std::string unit) {
  std::ranges::transform(unit, unit.begin(), [](unsigned char c) { return std::toupper(c); });
  const CivilDate date = civil_of(days);
  if (unit == "YEAR" || unit == "YYYY" || unit == "YY") return days_of(date.year, 1, 1);
  if (unit == "QUARTER") return days_of(date.year, (date.month - 1) / 3 * 3 + 1, 1);
  if (unit == "MONTH" || unit == "MM" || unit == "MON") return days_of(date.year, date.month, 1);
  if (unit == "WEEK") return days - weekday(days);
  return INT32_MIN;
}

Result<Array> trunc(Call& call) {
  return map_rows<Days, Text>(call, [](auto, Days days, Text unit) -> std::optional<Days> {
    const Days made = truncated(days, std::string(unit));
    return made == INT32_MIN ? std::nullopt : std::optional(made);
  });
}

std::optional<Micros> truncated_time(Micros micros, Text unit_text) {
  std::string unit(unit_text);
  std::ranges::transform(unit, unit.begin(), [](unsigned char c) { return std::toupper(c); });
  static constexpr std::pair<Text, Micros> kUnits[] = {{"MICROSECOND", 1},
                                                       {"MILLISECOND", 1000},
                                                       {"SECOND", kMicrosPerSecond},
                                                       {"MINUTE", 60 * kMicrosPerSecond},
                                                       {"HOUR", 3600 * kMicrosPerSecond},
                                                       {"DAY", kMicrosPerDay},
                                                       {"DD", kMicrosPerDay}};
  for (const auto& [name, size] : kUnits) {
    if (unit == name) return floor_div(micros, size) * size;
  }
  const Days made = truncated(day_of_micros(micros), unit);
  return made == INT32_MIN ? std::nullopt : std::optional(made * kMicrosPerDay);
}

Result<Array> date_trunc(Call& call) {
  return map_rows<Text, Micros>(
      call, [](auto, Text unit, Micros micros) { return truncated_time(micros, unit); });
}

void add_fields(Functions& out) {
  const Binder of_date = signature("date -> int");
  const Binder of_time = signature("timestamp -> int");
  auto add = [&](std::string name, std::vector<std::string> aliases, std::string doc,
                 std::string result, Kernel run) {
    const std::string example = name + "(DATE'2024-02-29')";
    out.push_back({{name, name + "(date)", std::move(doc), example, std::move(result)},
                   std::move(aliases),
                   of_date,
                   std::move(run)});
  };
  add("year", {}, "Year.", "2024", date_field([](Days d) -> Days { return civil_of(d).year; }));
  add("quarter", {}, "Quarter, 1 to 4.", "1",
      date_field([](Days d) -> Days { return (civil_of(d).month + 2) / 3; }));
  add("month", {}, "Month, 1 to 12.", "2",
      date_field([](Days d) -> Days { return civil_of(d).month; }));
  add("day", {"dayofmonth"}, "Day of the month.", "29",
      date_field([](Days d) -> Days { return civil_of(d).day; }));
  add("dayofweek", {}, "1 is Sunday.", "5",
      date_field([](Days d) -> Days { return (weekday(d) + 1) % 7 + 1; }));
  add("weekday", {}, "0 is Monday.", "3", date_field([](Days d) -> Days { return weekday(d); }));
  add("dayofyear", {}, "Day of the year.", "60",
      date_field([](Days d) -> Days { return d - days_of(civil_of(d).year, 1, 1) + 1; }));
  add("weekofyear", {}, "ISO week.", "9", date_field(iso_week));
  out.push_back({{"last_day", "last_day(date)", "The last day of the month.",
                  "last_day(DATE'2024-02-05')", "2024-02-29"},
                 {},
                 signature("date -> date"),
                 date_field([](Days d) -> Days {
                   const CivilDate date = civil_of(d);
                   return days_of(date.year, date.month, days_in_month(date.year, date.month));
                 })});
  out.push_back({{"hour", "hour(time)", "Hour.", "hour(TIMESTAMP'2020-01-01 10:11:12')", "10"},
                 {},
                 of_time,
                 time_field(3600 * kMicrosPerSecond, 24)});
  out.push_back(
      {{"minute", "minute(time)", "Minute.", "minute(TIMESTAMP'2020-01-01 10:11:12')", "11"},
       {},
       of_time,
       time_field(60 * kMicrosPerSecond, 60)});
  out.push_back(
      {{"second", "second(time)", "Second.", "second(TIMESTAMP'2020-01-01 10:11:12')", "12"},
       {},
       of_time,
       time_field(kMicrosPerSecond, 60)});
}

}  // namespace

void add_dates(Functions& out) {
  add_fields(out);
  out.push_back({{"trunc", "trunc(date, unit)", "Start of the year, quarter, month or week.",
                  "trunc(DATE'2024-02-29', 'MM')", "2024-02-01"},
                 {},
                 signature("date, string -> date"),
                 trunc});
  out.push_back({{"date_trunc", "date_trunc(unit, time)", "Start of the unit.",
                  "date_trunc('HOUR', TIMESTAMP'2020-01-01 10:11:12')", "2020-01-01 10:00:00"},
                 {},
                 signature("string, timestamp -> timestamp"),
                 date_trunc});
}

}  // namespace tailrace::engine
