#include "groups/consumer_view.h"

#include <map>

namespace tailrace::groups {

std::set<std::string> ConsumerView::topics() const {
  std::set<std::string> out;
  each([&](const Consumer& member) {
    out.insert(member.about.subscribed_topics.begin(), member.about.subscribed_topics.end());
  });
  for (const auto& [regex, resolved] : group_.regexes())
    if (!gone_regexes_.contains(regex)) out.insert(resolved.topics.begin(), resolved.topics.end());
  return out;
}

/// All by the same names, or all by the same expression and no names.
bool ConsumerView::is_homogeneous() const {
  const Consumer* first = nullptr;
  bool alike = true;
  each([&](const Consumer& member) {
    if (first == nullptr) first = &member;
    const bool same = member.about.subscribed_topics == first->about.subscribed_topics &&
                      member.regex() == first->regex();
    const bool both = !member.regex().empty() && !member.about.subscribed_topics.empty();
    alike = alike && same && !both;
  });
  return alike;
}

std::set<TopicId> ConsumerView::topics_of(const Consumer& member, const ConsumerGroup& group,
                                          const Topics& topics) {
  std::set<TopicId> out;
  const auto add = [&](const std::vector<std::string>& names) {
    for (const auto& name : names) {
      const auto topic = topics.find(name);
      if (topic != topics.end()) out.insert(topic->second.id);
    }
  };
  add(member.about.subscribed_topics);
  const auto resolved = group.regexes().find(member.regex());
  if (!member.regex().empty() && resolved != group.regexes().end()) add(resolved->second.topics);
  return out;
}

AssignmentTask ConsumerView::task(const Topics& topics, const std::string& replaced) const {
  AssignmentTask task;
  task.homogeneous = is_homogeneous();
  each([&](const Consumer& member) {
    const bool takes_over = !replaced.empty() && changed_ != nullptr && member.id == changed_->id;
    const auto* had = group_.target(takes_over ? replaced : member.id);
    task.members.push_back({member.id, member.about.instance, topics_of(member, group_, topics),
                            had == nullptr ? Assignment{} : *had});
  });
  std::map<TopicId, std::int32_t> partitions;
  for (const auto& [name, topic] : topics) partitions[topic.id] = topic.partitions;
  for (const auto& member : task.members)
    for (const auto& topic : member.topics) task.partitions[topic] = partitions.at(topic);
  return task;
}

std::string ConsumerView::assignor() const {
  std::map<std::string, int> votes;
  each([&](const Consumer& member) {
    if (member.about.server_assignor) ++votes[*member.about.server_assignor];
  });
  return preferred_assignor(votes);
}

}  // namespace tailrace::groups
