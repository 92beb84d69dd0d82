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
    case TimerKind::kOffsetsRetention:
      return;
  }
}

ClassicGroup* Groups::classic(const std::string& group) {
  const auto found = classic_.find(group);
  return found == classic_.end() ? nullptr : &found->second;
}

void Groups::replay(const Record& record, const std::optional<Producer>& producer) {
  if (const auto* offset = std::get_if<OffsetEntry>(&record)) return apply(*offset, producer);
  if (const auto* group = std::get_if<ClassicGroupEntry>(&record)) return apply(*group);
}

void Groups::replay(const AppendMarker& marker) {
  offsets_.end_transaction(marker.producer, marker.committed);
}

void Groups::apply(const OffsetEntry& entry, const std::optional<Producer>& producer) {
  if (entry.value && classic(entry.key.group) == nullptr)
    classic_.emplace(entry.key.group, ClassicGroup(entry.key.group, TimestampMs(-1)));
  offsets_.apply(entry, producer);
}

void Groups::apply(const ClassicGroupEntry& entry) {
  classic_.erase(entry.key.group);
  if (entry.value)
    classic_.emplace(entry.key.group, ClassicGroup::load(entry.key.group, *entry.value));
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
  if (!request.member.empty()) return refuse(ErrorCode::kUnknownMemberId);
  auto& group =
      classic_.emplace(request.group, ClassicGroup(request.group, turn.now)).first->second;
  turn.append(group.empty_record());
  group.join(request, turn);
}

void Groups::handle(const SyncGroup& request, Turn& turn) {
  if (request.group.empty()) return turn.reply(SyncAnswer{.error = ErrorCode::kInvalidGroupId});
  if (auto* group = classic(request.group)) return group->sync(request, turn);
  turn.reply(SyncAnswer{.error = ErrorCode::kUnknownMemberId});
}

void Groups::handle(const Heartbeat& request, Turn& turn) {
  if (request.group.empty()) return turn.reply(HeartbeatAnswer{ErrorCode::kInvalidGroupId});
  if (auto* group = classic(request.group)) return group->heartbeat(request, turn);
  turn.reply(HeartbeatAnswer{ErrorCode::kUnknownMemberId});
}

void Groups::handle(const LeaveGroup& request, Turn& turn) {
  if (request.group.empty()) return turn.reply(LeaveAnswer{ErrorCode::kInvalidGroupId, {}});
  if (auto* group = classic(request.group)) return group->leave(request, turn);
  LeaveAnswer answer;
  for (const auto& leaving : request.members)
    answer.members.push_back({leaving.member, leaving.instance, ErrorCode::kUnknownMemberId});
  turn.reply(std::move(answer));
}

ErrorCode Groups::check_commit(const CommitOffsets& request) const {
  if (request.producer && request.group.empty()) return ErrorCode::kInvalidGroupId;
  const auto group = classic_.find(request.group);
  if (group != classic_.end()) return group->second.check_commit(request);
  if (request.generation.value < 0) return ErrorCode::kNone;
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
  turn.reply(offsets_.fetch(request));
}

void Groups::handle(const DeleteOffsets& request, Turn& turn) {
  const auto refuse = [&](ErrorCode error) { turn.reply(DeleteOffsetsAnswer{error, {}}); };
  if (request.group.empty()) return refuse(ErrorCode::kInvalidGroupId);
  const auto* group = classic(request.group);
  if (group == nullptr) return refuse(ErrorCode::kGroupIdNotFound);
  if (group->state() != ClassicGroup::State::kEmpty && !group->uses_consumer_protocol())
    return refuse(ErrorCode::kNonEmptyGroup);
  std::vector<OffsetEntry> records;
  auto answer = offsets_.remove(
      request, [&](const std::string& topic) { return group->subscribes_to(topic); }, records);
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
  topics_[change.name] = change.topic;
}

void Groups::handle(const TopicDeleted& change, Turn& turn) {
  const auto topic = topics_.find(change.name);
  if (topic == topics_.end()) return;
  std::vector<OffsetEntry> records;
  offsets_.remove_topic(change.name, topic->second.id, records);
  topics_.erase(topic);
  append_all(records, turn);
}

/// Kafka's cleanup: offsets that are too old go; an empty group goes when it has none left.
void Groups::expire_offsets(Turn& turn) {
  turn.set_deadline({TimerKind::kOffsetsRetention, "", ""},
                    config_.offsets_retention_check_interval_ms);
  for (const auto& id : names()) {
    auto* group = classic(id);
    const auto base = [&](const std::string& topic, TimestampMs commit) {
      return group->subscribes_to(topic) ? std::nullopt : group->retention_base(commit);
    };
    std::vector<OffsetEntry> records;
    const bool none_left =
        offsets_.expire(id, turn.now, config_.offsets_retention_ms, base, records);
    append_all(records, turn);
    if (none_left && group->state() == ClassicGroup::State::kEmpty) append_tombstones(id, turn);
  }
}

}  // namespace tailrace::groups
