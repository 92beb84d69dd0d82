// Trigger rules: from the states of the tasks upstream to whether a task may run, or what becomes
// of it without running. As Airflow's TriggerRuleDep counts.
#pragma once

#include <optional>
#include <string_view>

#include "dags/dag.h"
#include "sched/rows.h"

namespace tailrace::sched {

/// How many task instances upstream there are, and how many of them ended how.
struct UpstreamCounts {
  int success = 0, skipped = 0, failed = 0, upstream_failed = 0, removed = 0;
  int setup_success = 0, setup_skipped = 0;  ///< of those, the setups
  int total = 0, total_setups = 0;

  void add(TaskState state, bool is_setup, int count = 1);
  int done() const { return success + skipped + failed + upstream_failed + removed; }
};

struct Verdict {
  bool met = true;
  std::optional<TaskState> becomes;  ///< the task's end without running
};

/// For a task with something upstream. Rules that need not wait for all do not.
Verdict judge(dags::TriggerRule rule, const UpstreamCounts& upstream, int map_index);
/// Setups that are upstream, not directly: all must succeed, and their failure or skip is the
/// task's.
Verdict judge_setups(const UpstreamCounts& setups, int map_index);

/// `all_success` …
std::string_view name(dags::TriggerRule rule);

}  // namespace tailrace::sched
