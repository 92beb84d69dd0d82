// What a ConsumerGroupHeartbeat leads to (KIP-848), computed without touching the group.
//
// One heartbeat, in this order: who is it, and at which epoch · what it changes of itself · a new
// group epoch when subscriptions or topics changed · a new target when the epoch is newer · its own
// next step towards the target.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "groups/config.h"
#include "groups/consumer_group.h"
#include "groups/refusal.h"
#include "groups/turn.h"

namespace tailrace::groups {

struct HeartbeatOutcome {
  ConsumerHeartbeatAnswer answer;
  std::vector<Record> records;
  std::string replaced;             // the member whose static place was taken; empty: none
  bool moved = false;               // the member's own assignment has a new record
  std::optional<Millis> revoke_in;  // with `moved`: it must have given partitions up by then
  bool refreshed = false;           // the epoch was computed from the topics there are
  bool resolves_regexes = false;    // resolve_regexes() is due after the answer
};

/// What a request alone shows to be wrong with it.
std::optional<Refusal> check_heartbeat(const ConsumerHeartbeat& request);

/// A member joins or stays. `group` may be one without records, for a group that is new.
std::expected<HeartbeatOutcome, Refusal> heartbeat(const ConsumerGroup& group,
                                                   const ConsumerHeartbeat& request,
                                                   const GroupsConfig& config, const Topics& topics,
                                                   std::int64_t topics_version, TimestampMs now);

/// Takes members out and begins an epoch without them.
std::vector<Record> remove_members(const ConsumerGroup& group,
                                   const std::vector<std::string>& members, const Topics& topics);

/// A static member goes for a while (epoch -2): it keeps its place and its partitions.
Record suspend_member(const ConsumerGroup& group, const Consumer& member);

/// Matches the group's expressions against the topics that who asks may describe; a new epoch when
/// that changed something.
std::vector<Record> resolve_regexes(const ConsumerGroup& group, const ConsumerHeartbeat& request,
                                    const Topics& topics, std::int64_t topics_version,
                                    TimestampMs now);

}  // namespace tailrace::groups
