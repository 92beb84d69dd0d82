// The simple assignor of share groups (KIP-932).
#include <algorithm>
#include <utility>

#include "groups/assignor.h"

namespace tailrace::groups {

namespace {

using Place = std::pair<TopicId, std::int32_t>;

/// Members that share a set of partitions, all of them with each.
class Pool {
 public:
  Pool(std::vector<std::size_t> members, std::vector<Place> places)
      : members_(std::move(members)), places_(std::move(places)) {
    const auto sharing = (members_.size() + places_.size() - 1) / places_.size();
    sharing_ = sharing;
    for (const auto& place : places_) holders_[place];
    // Rounded up one after the other, so that together they are what there is to give.
    const auto upto = [&](std::size_t member) {
      const auto total = sharing * places_.size() * member;
      return (total + members_.size() - 1) / members_.size();
    };
    for (std::size_t i = 0; i < members_.size(); ++i) room_[members_[i]] = upto(i + 1) - upto(i);
  }

  /// What members had, as far as there is room for it.
  void keep(const AssignmentTask& task) {
    for (const auto member : members_)
      for (const auto& [topic, partitions] : task.members[member].had)
        for (const auto partition : partitions) {
          const auto place = holders_.find({topic, partition});
          if (place != holders_.end() && place->second.size() < sharing_ && room_[member] > 0)
            give(*place, member);
        }
  }

  void fill() {
    for (std::size_t wanted : {std::size_t{1}, sharing_})
      for (auto& place : holders_)
        for (const auto member : members_) {
          if (place.second.size() >= wanted) break;
          if (room_[member] > 0 && !place.second.contains(member)) give(place, member);
        }
    // Who could only get what it has: better one partition with too many than a member with none.
    for (const auto member : members_) {
      if (std::ranges::any_of(holders_, [&](const auto& p) { return p.second.contains(member); }))
        continue;
      const auto least = std::ranges::min_element(
          holders_, {}, [](const auto& place) { return place.second.size(); });
      least->second.insert(member);
    }
  }

  void write(AssignmentPlan& plan) const {
    for (const auto& [place, members] : holders_)
      for (const auto member : members) plan[member][place.first].insert(place.second);
  }

 private:
  void give(std::pair<const Place, std::set<std::size_t>>& place, std::size_t member) {
    place.second.insert(member);
    --room_[member];
  }

  std::vector<std::size_t> members_;
  std::vector<Place> places_;
  std::size_t sharing_ = 1;  // members for a partition
  std::map<Place, std::set<std::size_t>> holders_;
  std::map<std::size_t, std::size_t> room_;
};

void assign_pool(const AssignmentTask& task, std::vector<std::size_t> members,
                 std::vector<Place> places, AssignmentPlan& plan) {
  if (members.empty() || places.empty()) return;
  Pool pool(std::move(members), std::move(places));
  pool.keep(task);
  pool.fill();
  pool.write(plan);
}

}  // namespace

AssignmentPlan assign_simply(const AssignmentTask& task, const Assignment& allowed) {
  AssignmentPlan plan(task.members.size());
  std::map<std::set<TopicId>, std::vector<Place>> pools;  // by topics that go together
  for (const auto& [topic, partitions] : allowed) {
    if (!task.partitions.contains(topic)) continue;
    auto& places = pools[task.homogeneous ? std::set<TopicId>{} : std::set<TopicId>{topic}];
    for (const auto partition : partitions) places.emplace_back(topic, partition);
  }
  for (auto& [topics, places] : pools) {
    std::vector<std::size_t> members;
    for (std::size_t i = 0; i < task.members.size(); ++i)
      if (task.homogeneous || task.members[i].topics.contains(*topics.begin()))
        members.push_back(i);
    assign_pool(task, std::move(members), std::move(places), plan);
  }
  return plan;
}

}  // namespace tailrace::groups
