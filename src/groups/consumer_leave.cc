// Members that go, and expressions that are resolved: what begins an epoch outside a heartbeat.
#include <algorithm>
#include <utility>

#include "groups/consumer_heartbeat.h"
#include "groups/consumer_view.h"
#include "groups/topic_hash.h"
#include "groups/topic_regex.h"

namespace tailrace::groups {

std::vector<Record> remove_members(const ConsumerGroup& group,
                                   const std::vector<std::string>& members, const Topics& topics) {
  std::vector<Record> records;
  ConsumerView after(group);
  std::map<std::string, int> leaving;  // by expression
  for (const auto& id : members) {
    append_member_tombstones(group, id, records);
    after.remove(id);
    const auto* member = group.find(id);
    if (member != nullptr && !member->regex().empty()) ++leaving[member->regex()];
  }
  for (const auto& [regex, count] : leaving) {
    if (group.members_with_regex(regex) != count) continue;
    records.emplace_back(RegexEntry{{group.id(), regex}, std::nullopt});
    after.remove_regex(regex);
  }
  records.emplace_back(ConsumerGroupEntry{
      {group.id()},
      ConsumerGroupMetadataValue{group.epoch() + 1, topics_hash(after.topics(), topics)}});
  return records;
}

Record suspend_member(const ConsumerGroup& group, const Consumer& member) {
  auto current = member.current;
  current.epoch = MemberEpoch(-2);
  current.pending_revocation.clear();
  for (auto& [topic, partitions] : current.assigned)
    for (auto& [partition, epoch] : partitions) epoch = MemberEpoch(0);
  return CurrentMemberEntry{{group.id(), member.id}, std::move(current)};
}

std::vector<Record> resolve_regexes(const ConsumerGroup& group, const ConsumerHeartbeat& request,
                                    const Topics& topics, std::int64_t topics_version,
                                    TimestampMs now) {
  std::set<std::string> wanted;
  for (const auto& [id, member] : group.members()) wanted.insert(member.regex());
  wanted.erase("");
  std::vector<Record> records;
  std::set<std::string> subscribed;
  for (const auto& [id, member] : group.members())
    subscribed.insert(member.about.subscribed_topics.begin(), member.about.subscribed_topics.end());
  bool grows = false;
  for (const auto& regex : wanted) {
    auto names = matching_topics(regex, topics);
    if (request.may_describe)
      std::erase_if(names, [&](const auto& name) { return !request.may_describe(name); });
    subscribed.insert(names.begin(), names.end());
    const auto before = group.regexes().find(regex);
    grows = grows ||
            (before == group.regexes().end() ? !names.empty() : before->second.topics != names);
    records.emplace_back(
        RegexEntry{{group.id(), regex},
                   ConsumerGroupRegularExpressionValue{std::move(names), topics_version, now}});
  }
  const auto hash = topics_hash(subscribed, topics);
  if (grows || hash != group.metadata_hash())
    records.emplace_back(
        ConsumerGroupEntry{{group.id()}, ConsumerGroupMetadataValue{group.epoch() + 1, hash}});
  return records;
}

}  // namespace tailrace::groups
