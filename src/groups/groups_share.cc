// Requests and deadlines of share groups (KIP-932).
#include <algorithm>
#include <utility>

#include "groups/groups.h"
#include "groups/share_heartbeat.h"

namespace tailrace::groups {

namespace {

constexpr std::string_view kNoTopic = "This server does not host this topic-partition.";
constexpr std::string_view kNotEmpty = "The group is not empty.";

void refuse(Turn& turn, Refusal refusal) {
  turn.reply(ShareHeartbeatAnswer{.error = refusal.error, .message = std::move(refusal.message)});
}

}  // namespace

ShareGroup* Groups::share(const std::string& group) {
  const auto found = share_.find(group);
  return found == share_.end() ? nullptr : &found->second;
}

void Groups::handle(const ShareHeartbeat& request, Turn& turn) {
  if (auto refusal = check_heartbeat(request)) return refuse(turn, std::move(*refusal));
  auto* known = share(request.group);
  if (request.epoch.value < 0) return sharer_leaves(request, turn);
  if (known == nullptr && exists(request.group))
    return refuse(turn, not_of_kind(request.group, "share"));
  if (known == nullptr && request.epoch.value > 0)
    return refuse(turn,
                  {ErrorCode::kGroupIdNotFound, "Share group " + request.group + " not found."});
  const ShareGroup none(request.group);
  const auto config = config_of(request.group);
  auto outcome = heartbeat(known == nullptr ? none : *known, request, config, topics_, turn.now);
  if (!outcome) return refuse(turn, std::move(outcome.error()));
  for (auto& one : outcome->initialised) turn.actions.push_back(std::move(one));
  for (const auto& record : outcome->records) append(record, turn);
  turn.set_deadline(session_of(request.group, request.member), config.share_session_timeout_ms);
  if (outcome->refreshed) share(request.group)->refreshed();
  turn.reply(std::move(outcome->answer));
}

void Groups::sharer_leaves(const ShareHeartbeat& request, Turn& turn) {
  auto* group = share(request.group);
  if (group == nullptr) return refuse(turn, not_of_kind(request.group, "share"));
  if (group->find(request.member) == nullptr)
    return refuse(
        turn, {ErrorCode::kUnknownMemberId,
               "Member " + request.member + " is not a member of group " + request.group + "."});
  remove_sharers(*group, {request.member}, turn);
  turn.reply(ShareHeartbeatAnswer{.member = request.member, .epoch = request.epoch});
}

void Groups::remove_sharers(ShareGroup& group, const std::vector<std::string>& members,
                            Turn& turn) {
  for (const auto& member : members) turn.deadlines.cancel(session_of(group.id(), member));
  for (const auto& record : remove_members(group, members, topics_)) append(record, turn);
}

void Groups::start_sharers(Turn& turn) {
  for (const auto& [id, group] : share_) {
    const auto config = config_of(id);
    for (const auto& [name, member] : group.members())
      turn.set_deadline(session_of(id, name), config.share_session_timeout_ms);
  }
}

std::optional<DescribedShareGroup> Groups::describe_sharers(const std::string& group) const {
  const auto found = share_.find(group);
  if (found == share_.end()) return std::nullopt;
  return found->second.describe(topics_);
}

void Groups::handle(const DescribeShareGroups& request, Turn& turn) {
  DescribeSharersAnswer answer;
  answer.groups = described<DescribedShareGroup>(
      request.groups, "share", [&](const auto& id) { return describe_sharers(id); });
  turn.reply(std::move(answer));
}

/// A group that is not there has no topics, and that is no error.
void Groups::handle(const ShareTopics& request, Turn& turn) {
  ShareTopicsAnswer answer;
  for (const auto& id : request.groups) {
    auto& told = answer.groups.emplace_back();
    told.group = id;
    if (const auto* group = share(id)) {
      told.topics = group->topics();
    } else if (exists(id)) {
      auto refusal = not_of_kind(id, "share");
      told.error = refusal.error;
      told.message = std::move(refusal.message);
    }
  }
  turn.reply(std::move(answer));
}

/// What keeps an admin from moving a group's offsets.
std::optional<Refusal> Groups::check_share_offsets(const std::string& group,
                                                   bool may_be_new) const {
  if (group.empty()) return Refusal{ErrorCode::kInvalidGroupId, ""};
  const auto found = share_.find(group);
  if (found == share_.end()) {
    if (may_be_new && !exists(group)) return std::nullopt;
    return not_of_kind(group, "share");
  }
  if (!found->second.is_empty()) return Refusal{ErrorCode::kNonEmptyGroup, std::string(kNotEmpty)};
  return std::nullopt;
}

void Groups::handle(const AlterShareOffsets& request, Turn& turn) {
  ShareOffsetsAnswer answer;
  if (auto refusal = check_share_offsets(request.group, true)) {
    answer.error = refusal->error;
    answer.message = std::move(refusal->message);
    return turn.reply(std::move(answer));
  }
  const auto* group = share(request.group);
  const MemberEpoch epoch = group == nullptr ? MemberEpoch(1) : group->epoch();
  auto shared = group == nullptr ? std::map<TopicId, SharedTopic>{} : group->topics();
  const auto before = shared;
  std::vector<ShareInitialise> moved;
  for (const auto& asked : request.topics) {
    auto& told = answer.topics.emplace_back();
    told.topic = asked.topic;
    const auto topic = topics_.find(asked.topic);
    if (topic != topics_.end()) told.id = topic->second.id;
    for (const auto& one : asked.partitions) {
      const bool known =
          topic != topics_.end() && one.partition >= 0 && one.partition < topic->second.partitions;
      told.partitions.push_back(
          {one.partition, known ? ErrorCode::kNone : ErrorCode::kUnknownTopicOrPartition});
      if (!known) continue;
      auto& place = shared[topic->second.id];
      place.name = asked.topic;
      place.partitions.insert(one.partition);
      moved.push_back(
          {request.group, topic->second.id, one.partition, ShareEpoch(epoch.value), one.start});
    }
  }
  const bool any = !moved.empty();
  for (auto& one : moved) turn.actions.push_back(std::move(one));
  if (group == nullptr && any)
    append(ShareGroupEntry{{request.group}, ShareGroupMetadataValue{epoch, 0}}, turn);
  if (shared != before)
    append(ShareTopicsEntry{{request.group}, ShareGroupStatePartitionMetadataValue{shared}}, turn);
  turn.reply(std::move(answer));
}

void Groups::handle(const DeleteShareOffsets& request, Turn& turn) {
  ShareOffsetsAnswer answer;
  if (auto refusal = check_share_offsets(request.group, false)) {
    answer.error = refusal->error;
    answer.message = std::move(refusal->message);
    return turn.reply(std::move(answer));
  }
  const std::set<std::string> names(request.topics.begin(), request.topics.end());
  for (const auto& name : names) {
    auto& told = answer.topics.emplace_back();
    told.topic = name;
    const auto topic = topics_.find(name);
    if (topic == topics_.end()) {
      told.error = ErrorCode::kUnknownTopicOrPartition;
      told.message = kNoTopic;
    } else if (!share(request.group)->topics().contains(topic->second.id)) {
      told.error = ErrorCode::kUnknownTopicOrPartition;
      told.message = "There is no offset information to delete.";
    } else {
      told.id = topic->second.id;
      forget_topic(*share(request.group), topic->second.id, turn);
    }
  }
  turn.reply(std::move(answer));
}

/// The group has the topic no longer; what was kept of its partitions goes.
void Groups::forget_topic(ShareGroup& group, const TopicId& topic, Turn& turn) {
  auto left = group.topics();
  const auto gone = left.extract(topic);
  if (gone.empty()) return;
  append(ShareTopicsEntry{{group.id()}, ShareGroupStatePartitionMetadataValue{left}}, turn);
  for (const auto partition : gone.mapped().partitions)
    turn.actions.emplace_back(ShareForget{group.id(), topic, partition});
}

void Groups::share_topic_deleted(const TopicId& topic, Turn& turn) {
  for (auto& [id, group] : share_) forget_topic(group, topic, turn);
}

}  // namespace tailrace::groups
