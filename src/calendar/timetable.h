// When a DAG runs: Airflow 3's timetables as pure functions of the last run and the clock.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "calendar/cron.h"
#include "calendar/delta.h"
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

struct NoTimetable {};  ///< `schedule: none`
struct Once {};         ///< `@once`
struct Continuous {};   ///< `@continuous`
/// CronTriggerTimetable, and MultipleCronTriggerTimetable where there are several crons: runs at
/// its times, about the `interval` before. What an Airflow `schedule: 0 0 * * *` means.
struct CronTrigger {
  std::vector<Cron> crons;
  Zone zone;
  Delta interval;
  /// Without a start date the first run is the last time that was, if it is not longer ago than
  /// this; none: than a tenth of the time between two runs, at least 5 minutes (Airflow's False).
  std::optional<Micros> run_immediately_within;
  bool run_immediately = false;  ///< however long ago it was
};
/// CronDataIntervalTimetable: runs at the end of the interval between two times.
struct CronInterval {
  Cron cron;
  Zone zone;
};
/// DeltaTriggerTimetable: what `schedule: timedelta` means.
struct DeltaTrigger {
  Delta delta;
  Delta interval;
};
/// DeltaDataIntervalTimetable
struct DeltaInterval {
  Delta delta;
};
/// EventsTimetable; the constructor of Timetable sorts `times`.
struct Events {
  std::vector<Micros> times;
  bool restrict_to_events = false;
  std::string description;  ///< empty: "3 events between … and …"
};

class Timetable {
 public:
  using Kind = std::variant<NoTimetable, Once, Continuous, CronTrigger, CronInterval, DeltaTrigger,
                            DeltaInterval, Events>;
  explicit Timetable(Kind kind = NoTimetable{});

  /// Airflow's validate: kInvalidArgument where a delta is not positive.
  Status check() const;

  /// Airflow's next_dagrun_info: the run after `last` (the last automated run; none at first), as
  /// seen at `now`, which matters where catchup is off. None: no more runs. Where Airflow raises an
  /// error, because one of several crons has no more times or a cron none within 50 years of the
  /// next, the other times count.
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
