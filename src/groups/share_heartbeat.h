// What a ShareGroupHeartbeat leads to (KIP-932), computed without touching the group.
//
// One heartbeat, in this order: who is it, and at which epoch · what it changes of itself ·
// partitions that are new to the group · a new group epoch when subscriptions, topics or the
// group's partitions changed · a new target when the epoch is newer · the member takes its target.
//
// Kafka initialises new partitions between two heartbeats and assigns them at the next but one;
// here both happen at once, and the epochs are the same in the end.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "groups/config.h"
#include "groups/consumer_heartbeat.h"
#include "groups/share_group.h"

namespace tailrace::groups {

struct ShareOutcome {
  ShareHeartbeatAnswer answer;
  std::vector<Record> records;
  std::vector<ShareInitialise> initialised;
  bool refreshed = false;  // the epoch was computed from the topics there are
};

/// What a request alone shows to be wrong with it.
std::optional<Refusal> check_heartbeat(const ShareHeartbeat& request);

/// A member joins or stays. `group` may be one without records, for a group that is new.
std::expected<ShareOutcome, Refusal> heartbeat(const ShareGroup& group,
                                               const ShareHeartbeat& request,
                                               const GroupsConfig& config, const Topics& topics,
                                               TimestampMs now);

/// Takes members out and begins an epoch without them.
std::vector<Record> remove_members(const ShareGroup& group, const std::vector<std::string>& members,
                                   const Topics& topics);

}  // namespace tailrace::groups
