// Cron expressions as croniter reads them (Airflow's library), with time zones as Airflow walks
// them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "calendar/zone.h"

namespace tailrace::calendar {

/// Five fields, six (seconds last) or seven (and years); names of months and days, ranges, steps,
/// lists, `L`, `#`, `?`, and Airflow's presets: `@hourly @daily @weekly @monthly @quarterly
/// @yearly`
/// (`@once`, `@continuous` and none are timetables, not crons). Day of month and day of week are
/// joined by "or" when both are restricted, as in cron(5).
class Cron {
 public:
  /// kInvalidArgument names the field and what it takes.
  static Result<Cron> parse(std::string_view expression);

  /// The first time strictly after `instant`, by the zone's wall clock: in a gap the time moves as
  /// Airflow moves it, a fold gives what Airflow gives (CronMixin._get_next). None: never again.
  std::optional<Micros> next(Micros instant, const Zone& zone) const;
  /// The last time strictly before.
  std::optional<Micros> previous(Micros instant, const Zone& zone) const;

  /// The text with its preset replaced: `0 0 * * *`.
  const std::string& expression() const { return expression_; }
  /// For people: "At 00:00", as Airflow's page describes it; the expression where it has no words.
  std::string description() const;

 private:
  struct Field {
    std::uint64_t bits = 0;
    bool any = false;
  };
  std::string expression_;
  std::vector<Field> fields_;
};

}  // namespace tailrace::calendar
