// A consumer group's records, checks and views.
#include "groups/consumer_group.h"

#include <algorithm>
#include <utility>

#include "groups/assignor.h"

namespace tailrace::groups {

namespace {

constexpr MemberEpoch kLeft{-1};

template <typename Do>
void each_partition(const Consumer& member, const Do& act) {
  for (const auto* part : {&member.current.assigned, &member.current.pending_revocation})
    for (const auto& [topic, partitions] : *part)
      for (const auto& [partition, epoch] : partitions) act(topic, partition, epoch);
}

}  // namespace

Assignment plain(const EpochAssignment& assignment) {
  Assignment out;
  for (const auto& [topic, partitions] : assignment)
    for (const auto& [partition, epoch] : partitions) out[topic].insert(partition);
  return out;
}

std::string preferred_assignor(const std::map<std::string, int>& votes) {
  std::string best(kUniformAssignor);
  int most = votes.contains(best) ? votes.at(best) : 0;
  for (const auto& [name, count] : votes)
    if (count > most) std::tie(best, most) = std::pair(name, count);
  return best;
}

// Records.

void ConsumerGroup::apply(const ConsumerMemberEntry& entry) {
  const auto known = members_.find(entry.key.member);
  if (!entry.value) {
    if (known == members_.end()) return;
    const auto instance = known->second.about.instance;
    release(known->second);
    if (instance && static_members_[*instance] == entry.key.member)
      static_members_.erase(*instance);
    members_.erase(known);
    return;
  }
  auto& member = members_.try_emplace(entry.key.member, Consumer{entry.key.member}).first->second;
  member.about = *entry.value;
  if (member.about.instance) static_members_[*member.about.instance] = member.id;
}

void ConsumerGroup::apply(const CurrentMemberEntry& entry) {
  auto known = members_.find(entry.key.member);
  if (known == members_.end()) {
    if (!entry.value) return;
    known = members_.emplace(entry.key.member, Consumer{entry.key.member}).first;
  }
  auto& member = known->second;
  release(member);
  member.current = entry.value.value_or(
      ConsumerGroupCurrentMemberAssignmentValue{kLeft, kLeft, member.current.state, {}, {}});
  hold(member);
}

void ConsumerGroup::apply(const RegexEntry& entry) {
  if (entry.value)
    regexes_[entry.key.regex] = *entry.value;
  else
    regexes_.erase(entry.key.regex);
}

void ConsumerGroup::apply(const std::vector<Record>& records) {
  for (const auto& record : records)
    std::visit(
        [&](const auto& entry) {
          if constexpr (requires { apply(entry); }) apply(entry);
        },
        record);
}

void ConsumerGroup::hold(const Consumer& member) {
  each_partition(member, [&](const TopicId& topic, std::int32_t partition, MemberEpoch) {
    holders_[{topic, partition}] = member.id;
  });
}

void ConsumerGroup::release(const Consumer& member) {
  each_partition(member, [&](const TopicId& topic, std::int32_t partition, MemberEpoch) {
    const auto holder = holders_.find({topic, partition});
    if (holder != holders_.end() && holder->second == member.id) holders_.erase(holder);
  });
}

// Members.

const Consumer* ConsumerGroup::find_static(const std::string& instance) const {
  const auto found = static_members_.find(instance);
  return found == static_members_.end() ? nullptr : find(found->second);
}

ErrorCode ConsumerGroup::check_member(const std::string& member,
                                      const std::optional<std::string>& instance) const {
  const auto* known = instance ? find_static(*instance) : find(member);
  if (known == nullptr) return ErrorCode::kUnknownMemberId;
  return known->id == member ? ErrorCode::kNone : ErrorCode::kFencedInstanceId;
}

ErrorCode ConsumerGroup::check_classic(const std::string& member,
                                       const std::optional<std::string>& instance,
                                       Generation generation) const {
  const auto error = check_member(member, instance);
  if (error != ErrorCode::kNone) return error;
  const auto& known = *find(member);
  if (!known.is_classic()) return ErrorCode::kUnknownMemberId;
  return known.current.epoch.value == generation.value ? ErrorCode::kNone
                                                       : ErrorCode::kIllegalGeneration;
}

bool ConsumerGroup::supports_classic(const std::string& type,
                                     const std::vector<Protocol>& protocols) const {
  const auto all_have = [&](const Protocol& protocol) {
    return std::ranges::all_of(members_, [&](const auto& member) {
      const auto& classic = member.second.about.classic;
      return !classic || classic->supports(protocol.name);
    });
  };
  return type == "consumer" && std::ranges::any_of(protocols, all_have);
}

bool ConsumerGroup::must_rejoin(const Consumer& classic) const {
  const auto& current = classic.current;
  if (current.epoch < assignment_epoch() || current.state == MemberState::kUnrevokedPartitions)
    return true;
  if (current.state != MemberState::kUnreleasedPartitions) return false;
  const auto* wanted = target(classic.id);
  if (wanted == nullptr) return true;
  for (const auto& [topic, partitions] : *wanted) {
    const auto has = current.assigned.find(topic);
    for (const auto partition : partitions) {
      const bool mine = has != current.assigned.end() && has->second.contains(partition);
      if (!mine && is_held(topic, partition)) return false;
    }
  }
  return true;
}

bool ConsumerGroup::is_held(const TopicId& topic, std::int32_t partition) const {
  return holders_.contains({topic, partition});
}

bool ConsumerGroup::subscribes_to(const std::string& topic) const {
  const auto names = [&](const std::vector<std::string>& topics) {
    return std::ranges::binary_search(topics, topic);
  };
  return std::ranges::any_of(regexes_, [&](const auto& one) { return names(one.second.topics); }) ||
         std::ranges::any_of(members_, [&](const auto& member) {
           return names(member.second.about.subscribed_topics);
         });
}

int ConsumerGroup::members_with_regex(const std::string& regex) const {
  return static_cast<int>(std::ranges::count_if(
      members_, [&](const auto& member) { return member.second.regex() == regex; }));
}

std::string_view ConsumerGroup::state_name() const {
  if (members_.empty()) return "Empty";
  if (epoch() > assignment_epoch()) return "Assigning";
  const bool all = std::ranges::all_of(members_, [&](const auto& member) {
    return member.second.reconciled_to(assignment_epoch());
  });
  return all ? "Stable" : "Reconciling";
}

// Checks.

ErrorCode ConsumerGroup::check_commit(const CommitOffsets& request, const Topics& topics) const {
  const MemberEpoch epoch(request.generation.value);
  if (epoch.value < 0 && is_empty()) return ErrorCode::kNone;
  const bool in_transaction = request.producer.has_value();
  if (in_transaction && epoch == kLeft && request.member.empty() && !request.instance)
    return ErrorCode::kNone;
  const auto* member = find(request.member);
  if (member == nullptr) return ErrorCode::kUnknownMemberId;
  const bool is_classic = member->is_classic();
  if (!in_transaction && !is_classic && !request.takes_group_errors)
    return ErrorCode::kUnsupportedVersion;
  if (epoch == member->current.epoch) return ErrorCode::kNone;

  const auto stale =
      in_transaction || is_classic ? ErrorCode::kIllegalGeneration : ErrorCode::kStaleMemberEpoch;
  if (epoch > member->current.epoch) return stale;
  // KIP-1251: an older epoch is good for partitions the member has had since then.
  std::map<std::pair<TopicId, std::int32_t>, MemberEpoch> since;
  each_partition(*member, [&](const TopicId& topic, std::int32_t partition, MemberEpoch from) {
    since.try_emplace({topic, partition}, from);
  });
  for (const auto& topic : request.topics) {
    const auto known = topics.find(topic.topic);
    const auto id = topic.id.is_none() && known != topics.end() ? known->second.id : topic.id;
    for (const auto& offset : topic.partitions) {
      const auto from = since.find({id, offset.partition});
      if (from == since.end() || epoch < from->second) return stale;
    }
  }
  return ErrorCode::kNone;
}

ErrorCode ConsumerGroup::check_fetch(const FetchOffsets& request) const {
  if (!request.member && request.member_epoch.value < 0) return ErrorCode::kNone;
  const auto* member = find(request.member.value_or(""));
  if (member == nullptr) return ErrorCode::kUnknownMemberId;
  if (member->current.epoch == request.member_epoch) return ErrorCode::kNone;
  return member->is_classic() ? ErrorCode::kIllegalGeneration : ErrorCode::kStaleMemberEpoch;
}

// Views.

DescribedConsumerGroup ConsumerGroup::describe(const Topics& topics) const {
  std::set<TopicId> existing;
  for (const auto& [name, topic] : topics) existing.insert(topic.id);
  const auto without_gone = [&](Assignment assignment) {
    std::erase_if(assignment, [&](const auto& part) { return !existing.contains(part.first); });
    return assignment;
  };
  DescribedConsumerGroup out;
  out.group = id();
  out.state = state_name();
  out.epoch = epoch();
  out.assignment_epoch = assignment_epoch();
  std::map<std::string, int> votes;
  for (const auto& [id, member] : members_) {
    if (member.about.server_assignor) ++votes[*member.about.server_assignor];
    // What is still to be given up is the member's until it says so.
    auto assignment = plain(member.current.assigned);
    for (const auto& [topic, partitions] : plain(member.current.pending_revocation))
      assignment[topic].insert(partitions.begin(), partitions.end());
    const auto* wanted = target(id);
    out.members.push_back({id, member.about.instance, member.about.rack, member.current.epoch,
                           member.about.client, member.about.subscribed_topics,
                           member.about.subscribed_regex, without_gone(std::move(assignment)),
                           wanted == nullptr ? Assignment{} : without_gone(*wanted),
                           member.is_classic()});
  }
  out.assignor = preferred_assignor(votes);
  return out;
}

std::vector<Record> ConsumerGroup::tombstones() const {
  std::vector<Record> out;
  for (const auto& [name, member] : members_) append_member_tombstones(*this, name, out);
  out.emplace_back(TargetEpochEntry{{id()}, std::nullopt});
  for (const auto& [regex, value] : regexes_)
    out.emplace_back(RegexEntry{{id(), regex}, std::nullopt});
  out.emplace_back(ConsumerGroupEntry{{id()}, std::nullopt});
  return out;
}

}  // namespace tailrace::groups
