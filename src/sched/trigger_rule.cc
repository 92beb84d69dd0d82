// Trigger rules, one case each: first what becomes of the task (TriggerRuleDep's new_state), then
// whether it may run.
#include "sched/trigger_rule.h"

#include "base/check.h"

namespace tailrace::sched {
namespace {

using dags::TriggerRule;

std::optional<TaskState> removed_with_its_source(const UpstreamCounts& up, int map_index) {
  // An instance of a mapped task whose counterpart upstream is gone.
  if (up.removed > 0 && up.success > 0 && map_index > -1 && map_index >= up.success) {
    return TaskState::kRemoved;
  }
  return std::nullopt;
}

std::optional<TaskState> skipped_if(bool skip) {
  if (skip) return TaskState::kSkipped;
  return std::nullopt;
}

std::optional<TaskState> without_running(TriggerRule rule, const UpstreamCounts& up,
                                         int map_index) {
  bool any_failed = up.failed > 0 || up.upstream_failed > 0;
  bool all_done = up.done() >= up.total;
  switch (rule) {
    case TriggerRule::kAllSuccess:
      if (any_failed) return TaskState::kUpstreamFailed;
      if (up.skipped > 0) return TaskState::kSkipped;
      return removed_with_its_source(up, map_index);
    case TriggerRule::kAllFailed:
      return skipped_if(up.success > 0 || up.skipped > 0);
    case TriggerRule::kOneSuccess:
      if (all_done && up.done() == up.skipped) return TaskState::kSkipped;
      if (all_done && up.success == 0) return TaskState::kUpstreamFailed;
      return std::nullopt;
    case TriggerRule::kOneFailed:
      return skipped_if(all_done && !any_failed);
    case TriggerRule::kOneDone:
      return skipped_if(all_done && up.failed == 0 && up.success == 0);
    case TriggerRule::kNoneFailed:
      if (any_failed) return TaskState::kUpstreamFailed;
      return std::nullopt;
    case TriggerRule::kNoneFailedMinOneSuccess:
      if (any_failed) return TaskState::kUpstreamFailed;
      if (up.skipped == up.total) return TaskState::kSkipped;
      if (all_done && up.success == 0) return TaskState::kUpstreamFailed;
      return std::nullopt;
    case TriggerRule::kNoneSkipped:
      return skipped_if(up.skipped > 0);
    case TriggerRule::kAllSkipped:
      return skipped_if(up.success > 0 || any_failed);
    case TriggerRule::kAllDoneMinOneSuccess:
      if (up.skipped > 0) return TaskState::kSkipped;
      if (all_done && up.success == 0) return TaskState::kUpstreamFailed;
      return std::nullopt;
    case TriggerRule::kAllDoneSetupSuccess:
      if (!all_done || up.total_setups == 0) return std::nullopt;
      if (up.setup_skipped >= up.total_setups) return TaskState::kSkipped;
      if (up.setup_success == 0) return TaskState::kUpstreamFailed;
      return std::nullopt;
    case TriggerRule::kAllDone:
    case TriggerRule::kAlways:
      return std::nullopt;
  }
  CHECK(false);
}

bool may_run(TriggerRule rule, const UpstreamCounts& up) {
  bool all_done = up.done() >= up.total;
  switch (rule) {
    case TriggerRule::kAllSuccess:
      return up.total - up.success - up.removed <= 0;
    case TriggerRule::kAllFailed:
      return up.total - up.failed - up.upstream_failed - up.removed <= 0;
    case TriggerRule::kAllDone:
      return all_done;
    case TriggerRule::kOneSuccess:
      return up.success > 0;
    case TriggerRule::kOneFailed:
      return up.failed > 0 || up.upstream_failed > 0;
    case TriggerRule::kOneDone:
      return up.success + up.failed > 0;
    case TriggerRule::kNoneFailed:
      return up.total - up.success - up.skipped - up.removed <= 0;
    case TriggerRule::kNoneFailedMinOneSuccess:
      return up.total - up.success - up.skipped - up.removed <= 0 && up.success > 0;
    case TriggerRule::kNoneSkipped:
      return all_done && up.skipped == 0;
    case TriggerRule::kAllSkipped:
      return up.total - up.skipped <= 0;
    case TriggerRule::kAllDoneMinOneSuccess:
      return up.skipped == 0 &&
             up.success + up.failed + up.upstream_failed >= up.total - up.removed && up.success > 0;
    case TriggerRule::kAllDoneSetupSuccess:
      return all_done && (up.total_setups == 0 || up.setup_success > 0);
    case TriggerRule::kAlways:
      return true;
  }
  CHECK(false);
}

}  // namespace

void UpstreamCounts::add(TaskState state, bool is_setup, int count) {
  switch (state) {
    case TaskState::kSuccess:
      success += count;
      if (is_setup) setup_success += count;
      break;
    case TaskState::kSkipped:
      skipped += count;
      if (is_setup) setup_skipped += count;
      break;
    case TaskState::kFailed:
      failed += count;
      break;
    case TaskState::kUpstreamFailed:
      upstream_failed += count;
      break;
    case TaskState::kRemoved:
      removed += count;
      break;
    default:
      break;
  }
}

Verdict judge(TriggerRule rule, const UpstreamCounts& upstream, int map_index) {
  return {.met = may_run(rule, upstream), .becomes = without_running(rule, upstream, map_index)};
}

Verdict judge_setups(const UpstreamCounts& setups, int map_index) {
  Verdict verdict;
  if (setups.failed > 0 || setups.upstream_failed > 0) {
    verdict.becomes = TaskState::kUpstreamFailed;
  } else if (setups.skipped > 0) {
    verdict.becomes = TaskState::kSkipped;
  } else {
    verdict.becomes = removed_with_its_source(setups, map_index);
  }
  verdict.met = setups.total - setups.success - (map_index > -1 ? setups.removed : 0) <= 0;
  return verdict;
}

std::string_view name(TriggerRule rule) {
  switch (rule) {
    case TriggerRule::kAllSuccess:
      return "all_success";
    case TriggerRule::kAllFailed:
      return "all_failed";
    case TriggerRule::kAllDone:
      return "all_done";
    case TriggerRule::kAllDoneMinOneSuccess:
      return "all_done_min_one_success";
    case TriggerRule::kAllDoneSetupSuccess:
      return "all_done_setup_success";
    case TriggerRule::kOneSuccess:
      return "one_success";
    case TriggerRule::kOneFailed:
      return "one_failed";
    case TriggerRule::kOneDone:
      return "one_done";
    case TriggerRule::kNoneFailed:
      return "none_failed";
    case TriggerRule::kNoneSkipped:
      return "none_skipped";
    case TriggerRule::kNoneFailedMinOneSuccess:
      return "none_failed_min_one_success";
    case TriggerRule::kAllSkipped:
      return "all_skipped";
    case TriggerRule::kAlways:
      return "always";
  }
  CHECK(false);
}

}  // namespace tailrace::sched
