// A share group (KIP-932): the coordinator assigns, and a partition may be with several members, so
// nobody waits for another to give up. Which records are with whom is the room share's matter.
//
//   group epoch       grows when members, subscriptions or the group's partitions change
//   assignment epoch  the group epoch of the target assignment
//   member epoch      the assignment epoch a member is at
//
// A group has partitions: those that its members subscribed to once, until they are deleted or the
// group forgets them. What is kept of each is initialised when it comes to the group.
//
// State changes only by apply(), with the records that were appended. What a heartbeat leads to is
// in share_heartbeat.h.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "groups/actions.h"
#include "groups/records.h"

namespace tailrace::groups {

/// A member, as its records tell.
struct Sharer {
  std::string id;
  ShareGroupMemberMetadataValue about{};
  ShareGroupCurrentMemberAssignmentValue current{};
};

class ShareGroup {
 public:
  explicit ShareGroup(std::string id) : id_(std::move(id)) {}

  void apply(const ShareGroupEntry& entry);
  void apply(const ShareMemberEntry& entry);
  void apply(const ShareTargetEpochEntry& entry);
  void apply(const ShareTargetMemberEntry& entry);
  void apply(const ShareCurrentEntry& entry);
  void apply(const ShareTopicsEntry& entry);

  const std::string& id() const { return id_; }
  bool is_empty() const { return members_.empty(); }
  std::string_view state_name() const { return is_empty() ? "Empty" : "Stable"; }
  MemberEpoch epoch() const { return epoch_; }
  std::int64_t metadata_hash() const { return metadata_hash_; }
  MemberEpoch assignment_epoch() const { return assignment_.assignment_epoch; }
  TimestampMs assignment_timestamp() const { return assignment_.assignment_timestamp; }
  const std::map<std::string, Sharer>& members() const { return members_; }
  const Sharer* find(const std::string& member) const;
  /// Null when the member never was assigned anything.
  const Assignment* target(const std::string& member) const;
  const std::map<TopicId, SharedTopic>& topics() const { return topics_; }
  bool subscribes_to(const std::string& topic) const;

  /// The topics changed since the epoch was last computed.
  bool needs_refresh() const { return needs_refresh_; }
  void request_refresh() { needs_refresh_ = true; }
  void refreshed() { needs_refresh_ = false; }

  DescribedShareGroup describe(const Topics& topics) const;
  /// The records that make the group vanish; it has no members.
  std::vector<Record> tombstones() const;

 private:
  std::string id_;
  // A group begins at epoch 1, with nothing assigned to nobody.
  MemberEpoch epoch_{1};
  std::int64_t metadata_hash_ = 0;
  ShareGroupTargetAssignmentMetadataValue assignment_{MemberEpoch(1), TimestampMs(0)};
  std::map<std::string, Sharer> members_;
  std::map<std::string, Assignment> targets_;
  std::map<TopicId, SharedTopic> topics_;
  bool needs_refresh_ = true;
};

/// The records that take a member out.
void append_sharer_tombstones(const std::string& group, const std::string& member,
                              std::vector<Record>& out);

}  // namespace tailrace::groups
