// What a StreamsGroupHeartbeat leads to (KIP-1071), computed without touching the group.
//
// One heartbeat, in this order: who is it, and at which epoch · what it changes of itself · its
// topology, the group's when it is the first · what the topics there are make of the topology · a
// new group epoch when any of this or the assignment's settings changed · a new target when the
// epoch is newer · its own next step towards the target · what it is told besides.
//
// As in Kafka 4.3.1 there are no static members, no warmup tasks, no regular expressions for
// sources, and a group keeps the topology it began with.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "groups/config.h"
#include "groups/refusal.h"
#include "groups/streams_group.h"

namespace tailrace::groups {

struct StreamsOutcome {
  StreamsHeartbeatAnswer answer;
  std::vector<Record> records;
  bool moved = false;               // the member's own assignment has a new record
  std::optional<Millis> revoke_in;  // with `moved`: it must have given tasks up by then
  std::optional<ConfiguredTopology> configured;  // anew
  bool endpoint_changed = false;                 // what its endpoint serves
};

/// What a request alone shows to be wrong with it.
std::optional<Refusal> check_heartbeat(const StreamsHeartbeat& request);

/// What a heartbeat is judged by, besides the group.
struct StreamsSurroundings {
  const GroupsConfig& config;
  const Topics& topics;
  TimestampMs now;
  bool delayed;  // the first assignment waits for more members
};

/// A member joins or stays. `group` may be one without records, for a group that is new.
std::expected<StreamsOutcome, Refusal> heartbeat(const StreamsGroup& group,
                                                 const StreamsHeartbeat& request,
                                                 const StreamsSurroundings& around);

/// Takes a member out and begins an epoch without it.
std::vector<Record> remove_member(const StreamsGroup& group, const std::string& member);

/// The first assignment, once its delay is over; nothing when it has been made already.
std::vector<Record> assign_delayed(const StreamsGroup& group, const GroupsConfig& config,
                                   TimestampMs now);

}  // namespace tailrace::groups
