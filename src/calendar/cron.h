// Cron expressions as croniter reads them (Airflow's library), with time zones as Airflow walks
// them.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "calendar/zone.h"

namespace tailrace::calendar {

/// The fields of an expression as sets. `star` is that the field has a `*` (or `?`, or every value
/// where that means the same).
struct CronFields {
  std::uint64_t seconds = 1, minutes = 0;  ///< bit n: the value n
  std::uint32_t hours = 0, days = 0, months = 0;
  std::uint8_t weekdays = 0;  ///< bit 0 is Sunday
  std::bitset<130> years;     ///< bit 0 is 1970; where `any_year`, those after 2099 too
  bool any_year = true;
  bool has_seconds = false;
  bool days_star = false, weekdays_star = false;
  bool last_day = false;                      ///< `L` in days
  int nearest_weekday = 0;                    ///< `15W`: the working day nearest the 15th
  std::array<std::uint8_t, 7> nth_weekday{};  ///< `5#3`: bit n: the n-th; bit 0: the last (`L5`)
  bool any_nth = false;
  bool every_hour = false;
};

/// Five fields, six (seconds last) or seven (and years); names of months and days, ranges that may
/// wrap, steps, lists, `L`, `W`, `#`, `?`, and presets: Airflow's `@hourly @daily @weekly @monthly
/// @quarterly @yearly`, croniter's `@midnight @annually` (`@once`, `@continuous` and none are
/// timetables, not crons). Day of month and day of week are joined by "or" when both are
/// restricted, as in cron(5); `#` and `W` then stand alone. Refused though croniter takes it: `R`,
/// a random value.
class Cron {
 public:
  /// kInvalidArgument names the field and what it takes.
  static Result<Cron> parse(std::string_view expression);

  /// The first time strictly after `instant`, by the zone's wall clock: in a gap the time moves on
  /// by the gap, of a fold it is the later (a cron of every hour runs in both). None: not within 50
  /// years, or not before the year 10000.
  std::optional<Micros> next(Micros instant, const Zone& zone) const;
  /// The last time strictly before by the wall clock.
  std::optional<Micros> previous(Micros instant, const Zone& zone) const;

  /// The text, with a preset of Airflow's replaced: `0 0 * * *`.
  const std::string& expression() const { return expression_; }
  /// For people: "At 00:00", as Airflow's page describes it; empty where it has no words.
  std::string description() const;

 private:
  std::string expression_;
  CronFields fields_;
};

}  // namespace tailrace::calendar
