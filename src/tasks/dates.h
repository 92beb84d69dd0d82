// Arguments that are dates, times of day and days of the week.
#pragma once

#include <optional>
#include <set>
#include <string_view>

#include "base/result.h"
#include "tasks/operator.h"

namespace tailrace::tasks {

/// A datetime, or its text in ISO 8601 (UTC where it has no offset).
Result<sched::Micros> moment_argument(const Context& context, std::string_view name);

/// `datetime.time` of the file, or `HH:MM[:SS]`, as microseconds of the day; none when it is absent
/// or of another type.
Result<std::optional<sched::Micros>> time_of_day_argument(const Context& context,
                                                          std::string_view name);

/// `week_day`: English names, one or several; 1 is Monday.
Result<std::set<int>> weekdays_argument(const Context& context);

/// The day that a weekday is compared with: today in UTC, or with `use_task_logical_date` the
/// run's.
int iso_weekday(const Context& context);

/// What a branch's time is compared with: now, or with `use_task_logical_date` the run's date.
sched::Micros compared_moment(const Context& context);

}  // namespace tailrace::tasks
