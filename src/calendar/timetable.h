// When a DAG runs: Airflow 3's timetables as pure functions of the last run and the clock.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "calendar/cron.h"
#include "calendar/zone.h"

namespace tailrace::calendar {

/// The span of data that a run is about; start == end where a timetable has none.
struct DataInterval {
  Micros start = 0, end = 0;
  bool operator==(const DataInterval&) const = default;
};

/// Airflow's DagRunInfo.
struct RunInfo {
  Micros run_after = 0;
  std::optional<Micros> logical_date;
  std::optional<DataInterval> interval;
  bool operator==(const RunInfo&) const = default;
};

/// Airflow's TimeRestriction: a DAG's start and end dates.
struct Restriction {
  std::optional<Micros> earliest, latest;
  bool catchup = false;
};

/// What a datetime.timedelta or a dateutil relativedelta says; months and years move the calendar.
struct Delta {
  int years = 0, months = 0;
  Micros micros = 0;
  bool operator==(const Delta&) const = default;
};

struct NoTimetable {};  ///< `schedule: none`
struct Once {};         ///< `@once`
struct Continuous {};   ///< `@continuous`
struct CronTrigger {
  std::vector<Cron> crons;
  Zone zone;
  Delta interval;
  /// MultipleCronTriggerTimetable's and CronTriggerTimetable's; none: never at once.
  std::optional<Micros> run_immediately_within;
  bool run_immediately = false;
};
struct CronInterval {
  Cron cron;
  Zone zone;
};  ///< CronDataIntervalTimetable
struct DeltaTrigger {
  Delta delta;
  Delta interval;
};  ///< `schedule: timedelta`
struct DeltaInterval {
  Delta delta;
};  ///< DeltaDataIntervalTimetable
struct Events {
  std::vector<Micros> times;
  bool restrict_to_events = false;
  std::string description;
};

class Timetable {
 public:
  using Kind = std::variant<NoTimetable, Once, Continuous, CronTrigger, CronInterval, DeltaTrigger,
                            DeltaInterval, Events>;
  explicit Timetable(Kind kind = NoTimetable{});

  /// Airflow's next_dagrun_info: the run after `last` (the last automated run; none at first), as
  /// seen at `now`, which matters where catchup is off. None: no more runs.
  std::optional<RunInfo> next(const std::optional<RunInfo>& last, const Restriction& restriction,
                              Micros now) const;
  /// infer_manual_data_interval: the interval of a run that someone asked for at `run_after`.
  std::optional<DataInterval> manual_interval(Micros run_after) const;
  /// Airflow's `timetable_summary` and `timetable_description`.
  std::string summary() const;
  std::string description() const;
  const Kind& kind() const { return kind_; }

 private:
  Kind kind_;
};

}  // namespace tailrace::calendar
