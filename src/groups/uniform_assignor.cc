// The uniform assignor of groups whose members subscribe alike; uniform_mixed.cc has the rest.
#include <utility>

#include "groups/assignor.h"
#include "groups/uniform_mixed.h"

namespace tailrace::groups {

namespace {

using TopicPartition = std::pair<TopicId, std::int32_t>;

class AlikeGroup {
 public:
  explicit AlikeGroup(const AssignmentTask& task)
      : task_(task), topics_(task.members.front().topics), plan_(task.members.size()) {
    std::int32_t all = 0;
    for (const auto& topic : topics_) all += task.partitions.at(topic);
    const auto members = static_cast<std::int32_t>(task.members.size());
    share_ = all / members;
    larger_ = all % members;
  }

  AssignmentPlan plan() {
    collect_unassigned();
    for (std::size_t i = 0; i < plan_.size(); ++i) keep(i);
    fill();
    return std::move(plan_);
  }

 private:
  struct Room {
    std::size_t member;
    std::int32_t places;
  };

  void collect_unassigned() {
    std::set<TopicPartition> taken;
    for (const auto& member : task_.members)
      for (const auto& [topic, partitions] : member.had)
        for (const auto partition : partitions) taken.emplace(topic, partition);
    for (const auto& topic : topics_)
      for (std::int32_t i = 0; i < task_.partitions.at(topic); ++i)
        if (!taken.contains({topic, i})) unassigned_.emplace_back(topic, i);
  }

  /// A member keeps what it had up to its share; `larger_` members may have one more.
  void keep(std::size_t member) {
    const bool may_be_larger = larger_ > 0;
    std::int32_t places = share_ + (may_be_larger ? 1 : 0);
    for (const auto& [topic, partitions] : task_.members[member].had) {
      if (!topics_.contains(topic)) continue;
      for (const auto partition : partitions) {
        if (places > 0) {
          --places;
          plan_[member][topic].insert(partition);
        } else {
          unassigned_.emplace_back(topic, partition);
        }
      }
    }
    // The extra place is left to a later member while enough of them are left to take it.
    const auto left = static_cast<std::int32_t>(plan_.size() - member);
    bool larger = may_be_larger;
    if (places > 0 && larger && left > larger_) {
      --places;
      larger = false;
    }
    if (places > 0) rooms_.push_back({member, places});
    if (larger) --larger_;
  }

  void fill() {
    std::size_t next = 0;
    for (const auto& room : rooms_)
      for (std::int32_t i = 0; i < room.places && next < unassigned_.size(); ++i, ++next)
        plan_[room.member][unassigned_[next].first].insert(unassigned_[next].second);
  }

  const AssignmentTask& task_;
  const std::set<TopicId>& topics_;
  std::int32_t share_ = 0;
  std::int32_t larger_ = 0;
  std::vector<TopicPartition> unassigned_;
  std::vector<Room> rooms_;
  AssignmentPlan plan_;
};

}  // namespace

AssignmentPlan assign_uniformly(const AssignmentTask& task) {
  if (task.members.empty()) return {};
  if (task.homogeneous) return AlikeGroup(task).plan();
  return assign_uniformly_mixed(task);
}

}  // namespace tailrace::groups
