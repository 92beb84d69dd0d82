// Dispatch of events, offsets and deadlines; the admin's requests are in groups_admin.cc.
#include "groups/groups.h"

#include <utility>

#include "base/check.h"

namespace tailrace::groups {

Groups::Groups(GroupsConfig config, NewName new_name)
    : config_(config), new_name_(std::move(new_name)) {}

Turn Groups::turn(TimestampMs now, RequestId request, Actions& actions) {
  return {now, request, config_, new_name_, deadlines_, actions};
}

Actions Groups::start(TimestampMs now) {
  Actions actions;
  Turn turn = this->turn(now, RequestId{}, actions);
  for (auto& [id, group] : classic_) group.start(turn);
  start_consumers(turn);
  start_sharers(turn);
  start_streams(turn);
  turn.set_deadline({TimerKind::kOffsetsRetention, "", ""},
                    config_.offsets_retention_check_interval_ms);
  return actions;
}

Actions Groups::step(const Event& event, TimestampMs now) {
  Actions actions;
  Turn turn = this->turn(now, event.request, actions);
  std::visit([&](const auto& what) { handle(what, turn); }, event.what);
  turn.request = RequestId{};
  while (const auto due = deadlines_.pop_due(now)) deadline(*due, turn);
  return actions;
}

void Groups::deadline(const TimerKey& key, Turn& turn) {
  if (key.kind == TimerKind::kOffsetsRetention) return expire_offsets(turn);
  if (auto* group = consumer(key.group)) {
    if (group->find(key.member) != nullptr) remove_consumers(*group, {key.member}, turn);
    return;
  }
  if (auto* group = share(key.group)) {
    if (group->find(key.member) != nullptr) remove_sharers(*group, {key.member}, turn);
    return;
  }
  if (auto* group = streams(key.group)) return streams_deadline(*group, key, turn);
  auto* group = classic(key.group);
  if (group == nullptr) return;
  switch (key.kind) {
    case TimerKind::kJoin:
      return group->join_deadline(turn);
    case TimerKind::kSync:
      return group->sync_deadline(turn);
    case TimerKind::kSession:
      return group->session_deadline(key.member, turn);
    case TimerKind::kRevocation:
    case TimerKind::kRebalance:
    case TimerKind::kOffsetsRetention:
      return;
  }
}

ClassicGroup* Groups::classic(const std::string& group) {
  const auto found = classic_.find(group);
  return found == classic_.end() ? nullptr : &found->second;
}

ConsumerGroup* Groups::consumer(const std::string& group) {
  const auto found = consumer_.find(group);
  return found == consumer_.end() ? nullptr : &found->second;
}

void Groups::replay(const Record& record, const std::optional<Producer>& producer) {
  if (const auto* offset = std::get_if<OffsetEntry>(&record)) return apply(*offset, producer);
  std::visit(
      [&](const auto& entry) {
        if constexpr (!std::is_same_v<decltype(entry), const OffsetEntry&>) apply(entry);
      },
      record);
}

void Groups::replay(const AppendMarker& marker,
                    const std::function<bool(const std::string&)>& ends) {
  offsets_.end_transaction(marker.producer, marker.committed, ends);
}

void Groups::apply(const OffsetEntry& entry, const std::optional<Producer>& producer) {
  const auto& group = entry.key.group;
  if (entry.value && !exists(group)) classic_.emplace(group, ClassicGroup(group, TimestampMs(-1)));
  offsets_.apply(entry, producer);
}

void Groups::apply(const ClassicGroupEntry& entry) {
  classic_.erase(entry.key.group);
  if (!entry.value) return;
  consumer_.erase(entry.key.group);
  classic_.emplace(entry.key.group, ClassicGroup::load(entry.key.group, *entry.value));
}

/// The records of groups whose coordinator assigns. A group of the classic kind may be there that
/// only keeps offsets.
template <typename Entry, typename Group>
void Groups::apply_to(std::map<std::string, Group>& groups, const Entry& entry) {
  const auto& id = entry.key.group;
  auto found = groups.find(id);
  if (found == groups.end() && entry.value) {
    classic_.erase(id);
    found = groups.emplace(id, Group(id)).first;
  }
  if (found == groups.end()) return;
  found->second.apply(entry);
  if constexpr (std::is_same_v<Entry, typename Group::Records::Group>)
    if (!entry.value) groups.erase(found);
}

template <typename Entry>
void Groups::apply(const Entry& entry) {
  if constexpr (requires(ShareGroup & group) { group.apply(entry); })
    apply_to(share_, entry);
  else if constexpr (requires(StreamsGroup & group) { group.apply(entry); })
    apply_to(streams_, entry);
  else
    apply_to(consumer_, entry);
}

void Groups::append(const Record& record, Turn& turn, const std::optional<Producer>& producer) {
  replay(record, producer);
  turn.actions.push_back(Append{record, producer});
}

void Groups::append_all(const std::vector<OffsetEntry>& entries, Turn& turn,
                        const std::optional<Producer>& producer) {
  for (const auto& entry : entries) append(entry, turn, producer);
}

void Groups::handle(const JoinGroup& request, Turn& turn) {
  const auto refuse = [&](ErrorCode error) {
    turn.reply(JoinAnswer{.error = error, .member = request.member});
  };
  if (request.group.empty()) return refuse(ErrorCode::kInvalidGroupId);
  if (request.session_timeout_ms < config_.group_min_session_timeout_ms ||
      request.session_timeout_ms > config_.group_max_session_timeout_ms)
    return refuse(ErrorCode::kInvalidSessionTimeout);
  if (auto* group = classic(request.group)) return group->join(request, turn);
  if (share(request.group) != nullptr)
    return turn.reply(JoinAnswer{.error = ErrorCode::kInconsistentGroupProtocol});
  if (const auto* group = consumer(request.group); group != nullptr && !group->is_empty())
    return join_consumers(request, *group, turn);
  const bool is_other = exists(request.group);
  if (is_other && !is_empty(request.group))
    return turn.reply(JoinAnswer{.error = ErrorCode::kInconsistentGroupProtocol});
  if (!request.member.empty()) return refuse(ErrorCode::kUnknownMemberId);
  if (is_other) append_tombstones(request.group, turn);
  auto& group =
      classic_.emplace(request.group, ClassicGroup(request.group, turn.now)).first->second;
  turn.append(group.empty_record());
  group.join(request, turn);
}

void Groups::handle(const SyncGroup& request, Turn& turn) {
  if (request.group.empty()) return turn.reply(SyncAnswer{.error = ErrorCode::kInvalidGroupId});
  if (auto* group = classic(request.group)) return group->sync(request, turn);
  if (const auto* group = consumer(request.group); group != nullptr && !group->is_empty())
    return sync_consumers(request, *group, turn);
  turn.reply(SyncAnswer{.error = ErrorCode::kUnknownMemberId});
}

void Groups::handle(const Heartbeat& request, Turn& turn) {
  if (request.group.empty()) return turn.reply(HeartbeatAnswer{ErrorCode::kInvalidGroupId});
  if (auto* group = classic(request.group)) return group->heartbeat(request, turn);
  if (const auto* group = consumer(request.group)) return beat_consumers(request, *group, turn);
  turn.reply(HeartbeatAnswer{ErrorCode::kUnknownMemberId});
}

void Groups::handle(const LeaveGroup& request, Turn& turn) {
  if (request.group.empty()) return turn.reply(LeaveAnswer{ErrorCode::kInvalidGroupId, {}});
  if (auto* group = classic(request.group)) return group->leave(request, turn);
  if (auto* group = consumer(request.group)) return leave_consumers(request, *group, turn);
  LeaveAnswer answer;
  for (const auto& leaving : request.members)
    answer.members.push_back({leaving.member, leaving.instance, ErrorCode::kUnknownMemberId});
  turn.reply(std::move(answer));
}

ErrorCode Groups::check_commit(const CommitOffsets& request) const {
  if (request.producer && request.group.empty()) return ErrorCode::kInvalidGroupId;
  const auto group = classic_.find(request.group);
  if (group != classic_.end()) return group->second.check_commit(request);
  const auto consumers = consumer_.find(request.group);
  if (consumers != consumer_.end()) return consumers->second.check_commit(request, topics_);
  const auto streams = streams_.find(request.group);
  if (streams != streams_.end()) return streams->second.check_commit(request);
  if (request.generation.value < 0 && !share_.contains(request.group)) return ErrorCode::kNone;
  return request.takes_group_errors && !request.producer ? ErrorCode::kGroupIdNotFound
                                                         : ErrorCode::kIllegalGeneration;
}

void Groups::handle(const CommitOffsets& request, Turn& turn) {
  const auto error = check_commit(request);
  if (error != ErrorCode::kNone) return turn.reply(refuse_commit(request, error));
  if (!request.producer)
    if (auto* group = classic(request.group)) group->committed(request.member, turn);
  std::vector<OffsetEntry> records;
  auto answer = offsets_.commit(request, turn.now, config_, records);
  append_all(records, turn, request.producer);
  turn.reply(std::move(answer));
}

void Groups::handle(const FetchOffsets& request, Turn& turn) {
  if (const auto* group = consumer(request.group)) {
    const auto error = group->check_fetch(request);
    if (error != ErrorCode::kNone) return turn.reply(FetchAnswer{.error = error});
  }
  if (const auto* group = streams(request.group)) {
    const auto error = group->check_fetch(request);
    if (error != ErrorCode::kNone) return turn.reply(FetchAnswer{.error = error});
  }
  turn.reply(offsets_.fetch(request));
}

void Groups::handle(const DeleteOffsets& request, Turn& turn) {
  const auto refuse = [&](ErrorCode error) { turn.reply(DeleteOffsetsAnswer{error, {}}); };
  if (request.group.empty()) return refuse(ErrorCode::kInvalidGroupId);
  const auto* group = classic(request.group);
  if (group == nullptr && consumer(request.group) == nullptr && streams(request.group) == nullptr)
    return refuse(ErrorCode::kGroupIdNotFound);
  if (!is_empty(request.group) && group != nullptr && !group->uses_consumer_protocol())
    return refuse(ErrorCode::kNonEmptyGroup);
  std::vector<OffsetEntry> records;
  auto answer = offsets_.remove(
      request, [&](const std::string& topic) { return subscribes(request.group, topic); }, records);
  append_all(records, turn);
  turn.reply(std::move(answer));
}

void Groups::handle(const EndTransaction& request, Turn& turn) {
  const AppendMarker marker{request.producer, request.committed};
  replay(marker);
  turn.actions.push_back(marker);
  turn.reply(EndAnswer{});
}

void Groups::handle(const TopicChanged& change, Turn&) {
  auto& known = topics_[change.name];
  if (known.id != change.topic.id || known.partitions == 0) ++topics_version_;
  known = change.topic;
  topics_changed(change.name);
}

void Groups::handle(const TopicDeleted& change, Turn& turn) {
  const auto topic = topics_.find(change.name);
  if (topic == topics_.end()) return;
  std::vector<OffsetEntry> records;
  offsets_.remove_topic(change.name, topic->second.id, records);
  share_topic_deleted(topic->second.id, turn);
  topics_.erase(topic);
  topics_changed(change.name);
  append_all(records, turn);
}

/// Kafka's cleanup: offsets that are too old go; an empty group goes when it has none left.
void Groups::expire_offsets(Turn& turn) {
  turn.set_deadline({TimerKind::kOffsetsRetention, "", ""},
                    config_.offsets_retention_check_interval_ms);
  for (const auto& id : names()) {
    if (share(id) != nullptr) continue;
    const auto* group = classic(id);
    const auto base = [&](const std::string& topic,
                          TimestampMs commit) -> std::optional<TimestampMs> {
      if (subscribes(id, topic)) return std::nullopt;
      return group == nullptr ? commit : group->retention_base(commit);
    };
    std::vector<OffsetEntry> records;
    const bool none_left =
        offsets_.expire(id, turn.now, config_.offsets_retention_ms, base, records);
    append_all(records, turn);
    if (none_left && is_empty(id)) append_tombstones(id, turn);
  }
}

}  // namespace tailrace::groups
