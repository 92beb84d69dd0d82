// The range assignor.
#include <algorithm>
#include <numeric>

#include "groups/assignor.h"

namespace tailrace::groups {

namespace {

/// Static members first, by instance id, so that a restart does not shuffle; the rest by member id.
std::vector<std::size_t> in_order(const std::vector<AssignmentMember>& members) {
  std::vector<std::size_t> order(members.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) {
    const auto& member = members[i];
    return std::pair(!member.instance, member.instance.value_or(member.id));
  });
  return order;
}

}  // namespace

AssignmentPlan assign_by_range(const AssignmentTask& task) {
  struct Cut {
    std::int32_t next = 0, share = 0, larger = 0;  // `larger` members get one more
  };
  std::map<TopicId, std::int32_t> subscribers;
  for (const auto& member : task.members)
    for (const auto& topic : member.topics) ++subscribers[topic];
  std::map<TopicId, Cut> cuts;
  for (const auto& [topic, count] : subscribers) {
    const auto partitions = task.partitions.at(topic);
    cuts[topic] = {0, partitions / count, partitions % count};
  }
  AssignmentPlan plan(task.members.size());
  for (const auto i : in_order(task.members)) {
    for (const auto& topic : task.members[i].topics) {
      auto& cut = cuts.at(topic);
      const auto end = cut.next + cut.share + (cut.larger-- > 0 ? 1 : 0);
      while (cut.next < end) plan[i][topic].insert(cut.next++);
    }
  }
  return plan;
}

}  // namespace tailrace::groups
