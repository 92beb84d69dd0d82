// Requests and deadlines of streams groups (KIP-1071).
#include <utility>

#include "groups/groups.h"
#include "groups/streams_heartbeat.h"

namespace tailrace::groups {

namespace {

TimerKey rebalance_of(const std::string& group) {
  return {TimerKind::kRebalance, group, ""};
}

void refuse(Turn& turn, Refusal refusal) {
  turn.reply(StreamsHeartbeatAnswer{.error = refusal.error, .message = std::move(refusal.message)});
}

}  // namespace

StreamsGroup* Groups::streams(const std::string& group) {
  const auto found = streams_.find(group);
  return found == streams_.end() ? nullptr : &found->second;
}

void Groups::handle(const StreamsHeartbeat& request, Turn& turn) {
  if (auto refusal = check_heartbeat(request)) return refuse(turn, std::move(*refusal));
  if (request.epoch.value < 0) return streams_member_leaves(request, turn);
  const auto& id = request.group;
  auto* known = streams(id);
  const bool is_classic = classic(id) != nullptr;
  const bool joins = request.epoch.value == 0;
  if (known == nullptr && exists(id) && !(joins && is_classic && is_empty(id)))
    return refuse(turn, not_of_kind(id, "streams"));
  if (known == nullptr && !joins)
    return refuse(turn, {ErrorCode::kGroupIdNotFound, "Streams group " + id + " not found."});
  const StreamsGroup none(id);
  const auto& group = known == nullptr ? none : *known;
  const auto config = config_of(id);
  const bool begins = group.is_empty() && config.streams_initial_rebalance_delay_ms > 0;
  const bool delayed = begins || turn.deadlines.has(rebalance_of(id));
  auto outcome = heartbeat(group, request, {config, topics_, turn.now, delayed});
  if (!outcome) return refuse(turn, std::move(outcome.error()));

  if (is_classic) append_tombstones(id, turn);
  for (const auto& record : outcome->records) append(record, turn);
  if (begins && !turn.deadlines.has(rebalance_of(id)))
    turn.set_deadline(rebalance_of(id), config.streams_initial_rebalance_delay_ms);
  turn.set_deadline(session_of(id, request.member), config.streams_session_timeout_ms);
  if (outcome->revoke_in)
    turn.set_deadline(revocation_of(id, request.member), *outcome->revoke_in);
  else if (outcome->moved)
    turn.deadlines.cancel(revocation_of(id, request.member));
  remember(request, *outcome);
  turn.reply(std::move(outcome->answer));
}

/// What no record holds.
void Groups::remember(const StreamsHeartbeat& request, StreamsOutcome& outcome) {
  auto& group = *streams(request.group);
  if (outcome.configured) {
    group.fleeting.configured = std::move(*outcome.configured);
    group.refreshed();
  }
  if (request.shutdown && !group.fleeting.shutdown) group.fleeting.shutdown = request.member;
  if (outcome.endpoint_changed) ++group.fleeting.endpoint_epoch;
}

void Groups::streams_member_leaves(const StreamsHeartbeat& request, Turn& turn) {
  auto* group = streams(request.group);
  if (group == nullptr) return refuse(turn, not_of_kind(request.group, "streams"));
  if (request.shutdown && !group->fleeting.shutdown) group->fleeting.shutdown = request.member;
  if (group->find(request.member) == nullptr)
    return refuse(
        turn, {ErrorCode::kUnknownMemberId,
               "Member " + request.member + " is not a member of group " + request.group + "."});
  remove_streams_member(*group, request.member, turn);
  turn.reply(StreamsHeartbeatAnswer{.member = request.member, .epoch = request.epoch});
}

void Groups::remove_streams_member(StreamsGroup& group, const std::string& member, Turn& turn) {
  turn.deadlines.cancel(session_of(group.id(), member));
  turn.deadlines.cancel(revocation_of(group.id(), member));
  for (const auto& record : remove_member(group, member)) append(record, turn);
}

void Groups::streams_deadline(StreamsGroup& group, const TimerKey& key, Turn& turn) {
  if (key.kind != TimerKind::kRebalance) {
    if (group.find(key.member) != nullptr) remove_streams_member(group, key.member, turn);
    return;
  }
  for (const auto& record : assign_delayed(group, config_of(group.id()), turn.now))
    append(record, turn);
}

/// After replay: sessions begin anew, and so do the waits for tasks to be given up.
void Groups::start_streams(Turn& turn) {
  for (const auto& [id, group] : streams_) {
    const auto config = config_of(id);
    for (const auto& [name, member] : group.members()) {
      turn.set_deadline(session_of(id, name), config.streams_session_timeout_ms);
      if (member.current.state == StreamsMemberState::kUnrevokedTasks)
        turn.set_deadline(revocation_of(id, name), member.about.rebalance_timeout_ms);
    }
  }
}

std::optional<DescribedStreamsGroup> Groups::describe_streams(const std::string& group) const {
  const auto found = streams_.find(group);
  if (found == streams_.end()) return std::nullopt;
  return found->second.describe();
}

void Groups::handle(const DescribeStreamsGroups& request, Turn& turn) {
  DescribeStreamsAnswer answer;
  answer.groups = described<DescribedStreamsGroup>(
      request.groups, "streams", [&](const auto& id) { return describe_streams(id); });
  turn.reply(std::move(answer));
}

}  // namespace tailrace::groups
