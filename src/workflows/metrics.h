// Workflows as numbers: runs and tries as they end, how late they begin, what waits now.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "sched/scheduler.h"

namespace tailrace::workflows {

class Metrics {
 public:
  // The scheduler's thread.

  /// DAGs that are shown from the start, before a run of theirs ends.
  void know(const std::vector<std::shared_ptr<const dags::Dag>>& dags);
  /// Rows that a step changed. `since`: what began before it is another process's.
  void changed(const std::vector<sched::Change>& changes, sched::Micros since);
  /// `run`: the notice's; null: it is not in memory any more.
  void told(const sched::Notice& notice, const sched::Run* run);

  /// A try of the task begins at `now`. Any thread.
  void began(const sched::TaskInstance& task, sched::Micros now);

  /// tailrace_workflow_… and tailrace_scheduler_…; `census`: none where the scheduler does not
  /// answer, since it waits. Any thread.
  void write(MetricsText& out, const std::optional<sched::Census>& census, bool waits) const;

 private:
  enum Outcome : std::size_t { kSuccess, kFailed, kRetry, kSkipped, kOutcomes };
  struct OfDag {
    std::uint64_t succeeded = 0, failed = 0;  ///< runs
    std::optional<double> last_success_s,
        took_s;  ///< of the last run: seconds since 1970; its length
    std::array<std::uint64_t, kOutcomes> tries{};
  };
  void write_dags(MetricsText& out) const;

  std::set<std::int64_t> running_;  ///< numbers of runs whose delay is known
  DurationHistogram run_delay_, task_delay_;
  Counter missed_deadlines_;
  mutable std::mutex mutex_;
  std::map<std::string, OfDag> dags_;
};

}  // namespace tailrace::workflows
