// What consumer, share and streams groups have alike: their coordinator assigns.
//
//   group epoch       grows when something changes that the assignment depends on
//   assignment epoch  the group epoch of the target assignment
//   member epoch      the assignment epoch a member is at, or on its way to
//
// State changes only by apply(), with the records that were appended.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "groups/records.h"

namespace tailrace::groups {

/// `Member`: a member as its records tell. `Kind`: the group's records, and what a Target is.
template <typename Member, typename Kind>
class AssignedGroup {
 public:
  using Records = Kind;
  using Target = typename Kind::Target;

  explicit AssignedGroup(std::string id) : id_(std::move(id)) {}

  void apply(const typename Kind::Group& entry) {
    if (!entry.value) return;
    epoch_ = entry.value->epoch;
    metadata_hash_ = entry.value->metadata_hash;
  }
  void apply(const typename Kind::TargetEpoch& entry) {
    assignment_ = entry.value.value_or(typename Kind::TargetEpoch::ValueType{MemberEpoch(-1), {}});
  }
  void apply(const typename Kind::TargetMember& entry) {
    if (!entry.value) {
      targets_.erase(entry.key.member);
      return;
    }
    const auto& [target] = *entry.value;
    targets_[entry.key.member] = target;
  }

  const std::string& id() const { return id_; }
  bool is_empty() const { return members_.empty(); }
  MemberEpoch epoch() const { return epoch_; }
  std::int64_t metadata_hash() const { return metadata_hash_; }
  MemberEpoch assignment_epoch() const { return assignment_.assignment_epoch; }
  const std::map<std::string, Member>& members() const { return members_; }
  const Member* find(const std::string& member) const {
    const auto found = members_.find(member);
    return found == members_.end() ? nullptr : &found->second;
  }
  /// Null when the member never was assigned anything.
  const Target* target(const std::string& member) const {
    const auto found = targets_.find(member);
    return found == targets_.end() ? nullptr : &found->second;
  }
  /// KIP-1263: not more often than the interval, so that many joins are one assignment.
  bool may_assign(Millis interval, TimestampMs now) const {
    const auto last = assignment_.assignment_timestamp;
    return last.value == 0 || interval == 0 || now - last >= interval;
  }

  /// The topics changed since the epoch was last computed.
  bool needs_refresh() const { return needs_refresh_; }
  void request_refresh() { needs_refresh_ = true; }
  void refreshed() { needs_refresh_ = false; }

 protected:
  std::map<std::string, Member> members_;

 private:
  std::string id_;
  // A group begins at epoch 1, with nothing assigned to nobody.
  MemberEpoch epoch_{1};
  std::int64_t metadata_hash_ = 0;
  typename Kind::TargetEpoch::ValueType assignment_{MemberEpoch(1), TimestampMs(0)};
  std::map<std::string, Target> targets_;
  bool needs_refresh_ = true;
};

/// A target for each of the members, those with the group's epoch `epoch`.
template <typename Target>
struct NewTargets {
  MemberEpoch epoch;
  std::vector<std::pair<std::string, Target>> of;
};

/// The records that tell new targets: of each member whose own changed, then of the epoch.
template <typename Group>
void append_targets(const Group& group, const NewTargets<typename Group::Target>& targets,
                    TimestampMs now, std::vector<Record>& out) {
  using Member = typename Group::Records::TargetMember;
  using Epoch = typename Group::Records::TargetEpoch;
  for (const auto& [id, target] : targets.of) {
    const auto* had = group.target(id);
    if (had == nullptr || *had != target)
      out.emplace_back(Member{{group.id(), id}, typename Member::ValueType{target}});
  }
  out.emplace_back(Epoch{{group.id()}, typename Epoch::ValueType{targets.epoch, now}});
}

/// The records that take a member out.
template <typename Group>
void append_member_tombstones(const Group& group, const std::string& member,
                              std::vector<Record>& out) {
  using Kind = typename Group::Records;
  out.emplace_back(typename Kind::Current{{group.id(), member}, std::nullopt});
  out.emplace_back(typename Kind::TargetMember{{group.id(), member}, std::nullopt});
  out.emplace_back(typename Kind::Member{{group.id(), member}, std::nullopt});
}

}  // namespace tailrace::groups
