// The names of states and types, as Airflow writes them.
#include "sched/rows.h"

#include "base/check.h"

namespace tailrace::sched {

std::string_view name(RunState state) {
  switch (state) {
    case RunState::kQueued:
      return "queued";
    case RunState::kRunning:
      return "running";
    case RunState::kSuccess:
      return "success";
    case RunState::kFailed:
      return "failed";
  }
  CHECK(false);
}

std::string_view name(RunType type) {
  switch (type) {
    case RunType::kScheduled:
      return "scheduled";
    case RunType::kManual:
      return "manual";
    case RunType::kBackfill:
      return "backfill";
    case RunType::kAssetTriggered:
      return "asset_triggered";
    case RunType::kAssetMaterialization:
      return "asset_materialization";
  }
  CHECK(false);
}

std::string_view name(TaskState state) {
  switch (state) {
    case TaskState::kNone:
      return "none";
    case TaskState::kScheduled:
      return "scheduled";
    case TaskState::kQueued:
      return "queued";
    case TaskState::kRunning:
      return "running";
    case TaskState::kSuccess:
      return "success";
    case TaskState::kFailed:
      return "failed";
    case TaskState::kSkipped:
      return "skipped";
    case TaskState::kUpstreamFailed:
      return "upstream_failed";
    case TaskState::kUpForRetry:
      return "up_for_retry";
    case TaskState::kUpForReschedule:
      return "up_for_reschedule";
    case TaskState::kDeferred:
      return "deferred";
    case TaskState::kRemoved:
      return "removed";
  }
  CHECK(false);
}

bool is_finished(TaskState state) {
  switch (state) {
    case TaskState::kSuccess:
    case TaskState::kFailed:
    case TaskState::kSkipped:
    case TaskState::kUpstreamFailed:
    case TaskState::kRemoved:
      return true;
    default:
      return false;
  }
}

}  // namespace tailrace::sched
