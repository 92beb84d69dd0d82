// A consumer group as it will be: with some members gone and one joined or changed. Epochs and
// assignments are computed from it before any record is applied.
#pragma once

#include <set>
#include <string>
#include <utility>

#include "groups/assignor.h"
#include "groups/consumer_group.h"

namespace tailrace::groups {

class ConsumerView {
 public:
  explicit ConsumerView(const ConsumerGroup& group) : group_(group) {}

  void remove(const std::string& member) { gone_.insert(member); }
  /// `member` outlives the view.
  void put(const Consumer& member) { changed_ = &member; }
  /// The expression is forgotten with its last member.
  void remove_regex(const std::string& regex) { gone_regexes_.insert(regex); }

  std::set<std::string> topics() const;
  /// Where the assignor starts from, members in the order of their ids. `replaced`: whose target
  /// the changed member takes over.
  AssignmentTask task(const Topics& topics, const std::string& replaced) const;
  std::string assignor() const;

  /// What a member subscribes to, of topics that exist.
  static std::set<TopicId> topics_of(const Consumer& member, const ConsumerGroup& group,
                                     const Topics& topics);

 private:
  template <typename Do>
  void each(const Do& act) const {
    bool put = changed_ == nullptr;
    for (const auto& [id, member] : group_.members()) {
      if (!put && changed_->id <= id) {
        act(*changed_);
        put = true;
      }
      if (!gone_.contains(id) && (changed_ == nullptr || changed_->id != id)) act(member);
    }
    if (!put) act(*changed_);
  }
  bool is_homogeneous() const;

  const ConsumerGroup& group_;
  std::set<std::string> gone_;
  std::set<std::string> gone_regexes_;
  const Consumer* changed_ = nullptr;
};

}  // namespace tailrace::groups
