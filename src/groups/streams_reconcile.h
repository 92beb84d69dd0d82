// One member's next step towards its target (KIP-1071): give up, then take what is free.
//
//            target changed               said it gave up
//   kStable ───────────────▶ kUnrevokedTasks ──────────────┐
//      ▲ │                                                 ▼
//      │ └───────────── nothing to give up ──────▶ to the target's epoch
//      │                                                   │ others still have some of it
//      └────────── all free and taken ────────── kUnreleasedTasks
#pragma once

#include <expected>
#include <optional>

#include "groups/refusal.h"
#include "groups/streams_group.h"

namespace tailrace::groups {

struct StreamsReconcileTask {
  const StreamsGroup& group;
  const StreamsMember& member;
  MemberEpoch target_epoch;
  const TaskSet& target;
  const std::optional<TaskSet>& owned;  // as the member says; no value: it did not say
};

/// Where the member is after this heartbeat; equal to where it was when nothing changes.
std::expected<StreamsGroupCurrentMemberAssignmentValue, Refusal> reconcile(
    const StreamsReconcileTask& task);

}  // namespace tailrace::groups
