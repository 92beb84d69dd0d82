// A group of the consumer protocol (KIP-848): the coordinator assigns, members reconcile.
//
//   group epoch       grows when subscriptions or their topics change
//   assignment epoch  the group epoch of the target assignment
//   member epoch      the assignment epoch a member is at, or on its way to
//
// A member first gives up what its target lacks and says so (kUnrevokedPartitions), then goes on to
// the epoch and gets what is free; what others still hold it gets later (kUnreleasedPartitions). A
// partition is never with two members.
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
#include "groups/events.h"
#include "groups/records.h"

namespace tailrace::groups {

/// A member, as its records tell.
struct Consumer {
  std::string id;
  ConsumerGroupMemberMetadataValue about{.subscribed_regex = ""};
  ConsumerGroupCurrentMemberAssignmentValue current{.previous_epoch = MemberEpoch(-1)};

  /// An empty expression is none.
  std::string regex() const { return about.subscribed_regex.value_or(""); }
  bool reconciled_to(MemberEpoch epoch) const {
    return current.state == MemberState::kStable && current.epoch == epoch;
  }
};

class ConsumerGroup {
 public:
  explicit ConsumerGroup(std::string id) : id_(std::move(id)) {}

  void apply(const ConsumerGroupEntry& entry);
  void apply(const ConsumerMemberEntry& entry);
  void apply(const TargetEpochEntry& entry);
  void apply(const TargetMemberEntry& entry);
  void apply(const CurrentMemberEntry& entry);
  void apply(const RegexEntry& entry);

  const std::string& id() const { return id_; }
  bool is_empty() const { return members_.empty(); }
  std::string_view state_name() const;
  MemberEpoch epoch() const { return epoch_; }
  std::int64_t metadata_hash() const { return metadata_hash_; }
  MemberEpoch assignment_epoch() const { return assignment_.assignment_epoch; }
  TimestampMs assignment_timestamp() const { return assignment_.assignment_timestamp; }

  const std::map<std::string, Consumer>& members() const { return members_; }
  const Consumer* find(const std::string& member) const;
  const Consumer* find_static(const std::string& instance) const;
  /// The member an answer may be for: the instance's, if it is the one that asks.
  ErrorCode check_member(const std::string& member,
                         const std::optional<std::string>& instance) const;
  /// Null when the member never was assigned anything.
  const Assignment* target(const std::string& member) const;
  const std::map<std::string, ConsumerGroupRegularExpressionValue>& regexes() const {
    return regexes_;
  }
  /// Whether a member has the partition or has still to give it up.
  bool is_held(const TopicId& topic, std::int32_t partition) const;
  /// By name or by a resolved regular expression.
  bool subscribes_to(const std::string& topic) const;
  int members_with_regex(const std::string& regex) const;

  /// The topics changed since the epoch was last computed.
  bool needs_refresh() const { return needs_refresh_; }
  void request_refresh() { needs_refresh_ = true; }
  void refreshed() { needs_refresh_ = false; }

  /// Whether the sender may commit these offsets; `topics` gives the ids of names.
  ErrorCode check_commit(const CommitOffsets& request, const Topics& topics) const;
  ErrorCode check_fetch(const FetchOffsets& request) const;
  DescribedConsumerGroup describe(const Topics& topics) const;
  /// The records that make the group vanish; it has no members.
  std::vector<Record> tombstones() const;

 private:
  void hold(const Consumer& member);
  void release(const Consumer& member);

  std::string id_;
  // A group begins at epoch 1, with nothing assigned to nobody.
  MemberEpoch epoch_{1};
  std::int64_t metadata_hash_ = 0;
  ConsumerGroupTargetAssignmentMetadataValue assignment_{MemberEpoch(1), TimestampMs(0)};
  std::map<std::string, Consumer> members_;
  std::map<std::string, std::string> static_members_;  // instance id → member id
  std::map<std::string, Assignment> targets_;
  std::map<std::string, ConsumerGroupRegularExpressionValue> regexes_;
  std::map<std::pair<TopicId, std::int32_t>, std::string> holders_;  // member ids
  bool needs_refresh_ = true;
};

/// The records that take a member out.
void append_member_tombstones(const std::string& group, const std::string& member,
                              std::vector<Record>& out);

/// The assignor most members ask for; `uniform` when none does.
std::string preferred_assignor(const std::map<std::string, int>& votes);

/// Without the epochs.
Assignment plain(const EpochAssignment& assignment);

}  // namespace tailrace::groups
