#include "groups/uniform_mixed.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

namespace tailrace::groups {

namespace {

constexpr int kMostRounds = 16;

class MixedGroup {
 public:
  explicit MixedGroup(const AssignmentTask& task)
      : task_(task), plan_(task.members.size()), load_(task.members.size()) {
    for (std::size_t i = 0; i < task.members.size(); ++i)
      for (const auto& topic : task.members[i].topics) subscribers_[topic].push_back(i);
  }

  AssignmentPlan plan() {
    keep();
    const auto topics = in_order();
    for (const auto& topic : topics) give_rest(topic);
    for (int round = 0; round < kMostRounds; ++round) {
      std::int32_t moved = 0;
      for (const auto& topic : topics) moved += balance(topic);
      if (moved == 0) break;
    }
    return std::move(plan_);
  }

 private:
  /// Members of one topic by load; among equals by the place they had when its turn came.
  class Queue {
   public:
    Queue(std::vector<std::size_t> members, const std::vector<std::int32_t>& load) : load_(load) {
      std::ranges::stable_sort(members, {}, [&](std::size_t member) { return load[member]; });
      for (const auto member : members) queue_.emplace(load[member], queue_.size(), member);
    }
    std::size_t least() const { return std::get<2>(*queue_.begin()); }
    std::size_t most() const { return std::get<2>(*queue_.rbegin()); }
    void drop_most() { queue_.erase(std::prev(queue_.end())); }
    void requeue_least() { requeue(queue_.begin()); }
    void requeue_most() { requeue(std::prev(queue_.end())); }
    bool empty() const { return queue_.empty(); }
    std::int32_t spread() const {
      return std::get<0>(*queue_.rbegin()) - std::get<0>(*queue_.begin());
    }

   private:
    using Place = std::tuple<std::int32_t, std::size_t, std::size_t>;  // load, place, member
    void requeue(std::set<Place>::iterator at) {
      auto node = queue_.extract(at);
      std::get<0>(node.value()) = load_[std::get<2>(node.value())];
      queue_.insert(std::move(node));
    }
    const std::vector<std::int32_t>& load_;
    std::set<Place> queue_;
  };

  void keep() {
    for (std::size_t i = 0; i < plan_.size(); ++i)
      for (const auto& [topic, partitions] : task_.members[i].had)
        if (task_.members[i].topics.contains(topic))
          for (const auto partition : partitions) give(topic, partition, i);
  }

  std::vector<TopicId> in_order() const {
    std::vector<TopicId> topics;
    for (const auto& [topic, members] : subscribers_) topics.push_back(topic);
    std::ranges::sort(topics, {}, [&](const TopicId& topic) {
      const auto members = static_cast<double>(subscribers_.at(topic).size());
      return std::tuple(-task_.partitions.at(topic) / members, members, topic);
    });
    return topics;
  }

  void give(const TopicId& topic, std::int32_t partition, std::size_t member) {
    plan_[member][topic].insert(partition);
    owned_[topic].insert(partition);
    ++load_[member];
  }

  void give_rest(const TopicId& topic) {
    Queue queue(subscribers_.at(topic), load_);
    const auto& owned = owned_[topic];
    for (std::int32_t partition = 0; partition < task_.partitions.at(topic); ++partition) {
      if (owned.contains(partition)) continue;
      give(topic, partition, queue.least());
      queue.requeue_least();
    }
  }

  /// How many partitions changed hands.
  std::int32_t balance(const TopicId& topic) {
    std::int32_t moved = 0;
    Queue queue(subscribers_.at(topic), load_);
    while (!queue.empty() && queue.spread() > 1) {
      const auto from = queue.most();
      const auto mine = plan_[from].find(topic);
      if (mine == plan_[from].end()) {
        queue.drop_most();
        continue;
      }
      const auto partition = *mine->second.rbegin();
      mine->second.erase(partition);
      if (mine->second.empty()) plan_[from].erase(mine);
      --load_[from];
      give(topic, partition, queue.least());
      queue.requeue_least();
      queue.requeue_most();
      ++moved;
    }
    return moved;
  }

  const AssignmentTask& task_;
  AssignmentPlan plan_;
  std::vector<std::int32_t> load_;
  std::map<TopicId, std::vector<std::size_t>> subscribers_;
  std::map<TopicId, std::set<std::int32_t>> owned_;
};

}  // namespace

AssignmentPlan assign_uniformly_mixed(const AssignmentTask& task) {
  return MixedGroup(task).plan();
}

}  // namespace tailrace::groups
