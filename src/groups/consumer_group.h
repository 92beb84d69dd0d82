// A group of the consumer protocol (KIP-848): the coordinator assigns, members reconcile.
//
// The group epoch grows when subscriptions or their topics change. A member first gives up what its
// target lacks and says so (kUnrevokedPartitions), then goes on to the epoch and gets what is free;
// what others still hold it gets later (kUnreleasedPartitions). A partition is never with two
// members.
//
// State changes only by apply(), with the records that were appended. What a heartbeat leads to is
// in consumer_heartbeat.h.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "groups/actions.h"
#include "groups/assigned_group.h"
#include "groups/events.h"
#include "groups/records.h"

namespace tailrace::groups {

/// A member, as its records tell.
struct Consumer {
  std::string id;
  ConsumerGroupMemberMetadataValue about{.subscribed_regex = ""};
  ConsumerGroupCurrentMemberAssignmentValue current{.previous_epoch = MemberEpoch(-1)};

  bool is_classic() const { return about.classic.has_value(); }
  /// An empty expression is none.
  std::string regex() const { return about.subscribed_regex.value_or(""); }
  bool reconciled_to(MemberEpoch epoch) const {
    return current.state == MemberState::kStable && current.epoch == epoch;
  }
};

struct ConsumerRecords {
  using Group = ConsumerGroupEntry;
  using Member = ConsumerMemberEntry;
  using TargetEpoch = TargetEpochEntry;
  using TargetMember = TargetMemberEntry;
  using Current = CurrentMemberEntry;
  using Target = Assignment;
};

class ConsumerGroup : public AssignedGroup<Consumer, ConsumerRecords> {
 public:
  using AssignedGroup::apply;
  using AssignedGroup::AssignedGroup;

  void apply(const ConsumerMemberEntry& entry);
  void apply(const CurrentMemberEntry& entry);
  void apply(const RegexEntry& entry);
  /// The group's records, in order.
  void apply(const std::vector<Record>& records);

  std::string_view state_name() const;
  const Consumer* find_static(const std::string& instance) const;
  /// The member an answer may be for: the instance's, if it is the one that asks.
  ErrorCode check_member(const std::string& member,
                         const std::optional<std::string>& instance) const;
  /// A member of the classic protocol, at this epoch.
  ErrorCode check_classic(const std::string& member, const std::optional<std::string>& instance,
                          Generation generation) const;
  /// Whether a member may join with these protocols: all classic members have one of them.
  bool supports_classic(const std::string& type, const std::vector<Protocol>& protocols) const;
  /// Whether the member should join again: its epoch is old, it shall give partitions up, or what
  /// it waits for is free.
  bool must_rejoin(const Consumer& classic) const;
  const std::map<std::string, ConsumerGroupRegularExpressionValue>& regexes() const {
    return regexes_;
  }
  /// Whether a member has the partition or has still to give it up.
  bool is_held(const TopicId& topic, std::int32_t partition) const;
  /// By name or by a resolved regular expression.
  bool subscribes_to(const std::string& topic) const;
  int members_with_regex(const std::string& regex) const;

  /// Whether the sender may commit these offsets; `topics` gives the ids of names.
  ErrorCode check_commit(const CommitOffsets& request, const Topics& topics) const;
  ErrorCode check_fetch(const FetchOffsets& request) const;
  DescribedConsumerGroup describe(const Topics& topics) const;
  /// The records that make the group vanish; it has no members.
  std::vector<Record> tombstones() const;

 private:
  void hold(const Consumer& member);
  void release(const Consumer& member);

  std::map<std::string, std::string> static_members_;  // instance id → member id
  std::map<std::string, ConsumerGroupRegularExpressionValue> regexes_;
  std::map<std::pair<TopicId, std::int32_t>, std::string> holders_;  // member ids
};

/// The assignor most members ask for; `uniform` when none does.
std::string preferred_assignor(const std::map<std::string, int>& votes);

/// Without the epochs.
Assignment plain(const EpochAssignment& assignment);

}  // namespace tailrace::groups
