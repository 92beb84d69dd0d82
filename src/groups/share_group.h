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
#include "groups/assigned_group.h"
#include "groups/records.h"

namespace tailrace::groups {

/// A member, as its records tell.
struct Sharer {
  std::string id;
  ShareGroupMemberMetadataValue about{};
  ShareGroupCurrentMemberAssignmentValue current{};
};

struct ShareRecords {
  using Group = ShareGroupEntry;
  using Member = ShareMemberEntry;
  using TargetEpoch = ShareTargetEpochEntry;
  using TargetMember = ShareTargetMemberEntry;
  using Current = ShareCurrentEntry;
  using Target = Assignment;
};

class ShareGroup : public AssignedGroup<Sharer, ShareRecords> {
 public:
  using AssignedGroup::apply;
  using AssignedGroup::AssignedGroup;

  void apply(const ShareMemberEntry& entry);
  void apply(const ShareCurrentEntry& entry);
  void apply(const ShareTopicsEntry& entry);

  std::string_view state_name() const { return is_empty() ? "Empty" : "Stable"; }
  const std::map<TopicId, SharedTopic>& topics() const { return topics_; }
  bool subscribes_to(const std::string& topic) const;

  DescribedShareGroup describe(const Topics& topics) const;
  /// The records that make the group vanish; it has no members.
  std::vector<Record> tombstones() const;

 private:
  std::map<TopicId, SharedTopic> topics_;
};

}  // namespace tailrace::groups
