// Server-side assignors (KIP-848): who of a group shall have which partition.
//
//   range    each topic's partitions in order, cut into one run for each subscriber: equal topics
//   give
//            a member the same numbers of each
//   uniform  member loads differ by at most one where subscriptions allow it, and what can stay
//   stays
//   simple   of share groups (KIP-932): a partition may be with several members. Each partition is
//            with as many as another, when there are more members than partitions; loads differ by
//            at most one; what can stay stays
//
// Pure and deterministic: members and topics are taken in order.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "groups/types.h"

namespace tailrace::groups {

struct AssignmentMember {
  std::string id;
  std::optional<std::string> instance;
  std::set<TopicId> topics;  // subscribed to; each is in `partitions`
  Assignment had;            // the last target
};

struct AssignmentTask {
  std::vector<AssignmentMember> members;
  std::map<TopicId, std::int32_t> partitions;  // how many each subscribed topic has
  bool homogeneous = false;                    // all members subscribe to the same topics
};

/// In the order of the task's members.
using AssignmentPlan = std::vector<Assignment>;

AssignmentPlan assign_by_range(const AssignmentTask& task);
AssignmentPlan assign_uniformly(const AssignmentTask& task);
/// `allowed`: the partitions that may be assigned, of the task's topics.
AssignmentPlan assign_simply(const AssignmentTask& task, const Assignment& allowed);

inline constexpr std::string_view kUniformAssignor = "uniform";
inline constexpr std::string_view kRangeAssignor = "range";
inline constexpr std::string_view kSimpleAssignor = "simple";

}  // namespace tailrace::groups
