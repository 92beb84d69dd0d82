// One member's next step towards its target (KIP-848): give up, then take what is free.
//
//            target changed                      said it gave up
//   kStable ───────────────▶ kUnrevokedPartitions ──────────────┐
//      ▲ │                                                      ▼
//      │ └──────────────── nothing to give up ──────────▶ to the target's epoch
//      │                                                        │ others still hold some of it
//      └────────── all free and taken ────── kUnreleasedPartitions
#pragma once

#include <optional>
#include <set>

#include "groups/consumer_group.h"

namespace tailrace::groups {

struct ReconcileTask {
  const ConsumerGroup& group;
  const Consumer& member;
  MemberEpoch target_epoch;
  const Assignment& target;
  std::set<TopicId> subscribed;            // topics that exist
  bool subscription_changed;               // with this heartbeat
  const std::optional<Assignment>& owned;  // as the member says; no value: it did not say
};

/// Where the member is after this heartbeat; equal to where it was when nothing changes.
ConsumerGroupCurrentMemberAssignmentValue reconcile(const ReconcileTask& task);

}  // namespace tailrace::groups
