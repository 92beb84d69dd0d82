// A DAG's `schedule`: nothing, a cron, a timedelta, assets, or one of Airflow's timetables.
#pragma once

#include <optional>

#include "calendar/timetable.h"
#include "dags/tree.h"

namespace tailrace::dags {

struct Schedule {
  calendar::Timetable timetable{};
  std::optional<AssetCondition> assets{};
  bool by_time = false;              ///< Airflow's can_be_scheduled, without assets
  std::optional<int> active_runs{};  ///< at most so many at a time
};

/// `zone` is the start date's. None after a fatal finding.
std::optional<Schedule> schedule_of(const Node& node, const calendar::Zone& zone,
                                    Findings& findings);

/// A zone's name, or {__type__: pendulum.timezone, __args__: [name]}.
std::optional<calendar::Zone> zone_of(const Node& node, Findings& findings);

}  // namespace tailrace::dags
