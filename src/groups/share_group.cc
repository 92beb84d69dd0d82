// A share group's records and views.
#include "groups/share_group.h"

#include <algorithm>
#include <set>

#include "groups/assignor.h"

namespace tailrace::groups {

void ShareGroup::apply(const ShareMemberEntry& entry) {
  if (!entry.value) {
    members_.erase(entry.key.member);
    return;
  }
  members_.try_emplace(entry.key.member, Sharer{entry.key.member}).first->second.about =
      *entry.value;
}

void ShareGroup::apply(const ShareCurrentEntry& entry) {
  const auto known = members_.find(entry.key.member);
  if (known == members_.end() && !entry.value) return;
  members_.try_emplace(entry.key.member, Sharer{entry.key.member}).first->second.current =
      entry.value.value_or(ShareGroupCurrentMemberAssignmentValue{});
}

void ShareGroup::apply(const ShareTopicsEntry& entry) {
  topics_.clear();
  if (entry.value) topics_ = entry.value->initialised;
}

bool ShareGroup::subscribes_to(const std::string& topic) const {
  return std::ranges::any_of(members_, [&](const auto& member) {
    return std::ranges::binary_search(member.second.about.subscribed_topics, topic);
  });
}

DescribedShareGroup ShareGroup::describe(const Topics& topics) const {
  std::set<TopicId> existing;
  for (const auto& [name, topic] : topics) existing.insert(topic.id);
  DescribedShareGroup out;
  out.group = id();
  out.state = state_name();
  out.epoch = epoch();
  out.assignment_epoch = assignment_epoch();
  out.assignor = kSimpleAssignor;
  for (const auto& [id, member] : members_) {
    auto assigned = member.current.assigned;
    std::erase_if(assigned, [&](const auto& part) { return !existing.contains(part.first); });
    out.members.push_back({id, member.about.rack, member.current.epoch, member.about.client,
                           member.about.subscribed_topics, std::move(assigned)});
  }
  return out;
}

std::vector<Record> ShareGroup::tombstones() const {
  std::vector<Record> out;
  for (const auto& [name, member] : members_) append_member_tombstones(*this, name, out);
  out.emplace_back(ShareTargetEpochEntry{{id()}, std::nullopt});
  out.emplace_back(ShareTopicsEntry{{id()}, std::nullopt});
  out.emplace_back(ShareGroupEntry{{id()}, std::nullopt});
  return out;
}

}  // namespace tailrace::groups
