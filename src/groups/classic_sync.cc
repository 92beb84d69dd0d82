// The sync phase of a classic group.
#include <utility>

#include "groups/classic_group.h"

namespace tailrace::groups {

ErrorCode ClassicGroup::check_sync(const SyncGroup& request) const {
  const auto error = check_member(request.member, request.instance);
  if (error != ErrorCode::kNone) return error;
  if (request.generation != generation_) return ErrorCode::kIllegalGeneration;
  if (request.protocol_type && *request.protocol_type != protocol_type_)
    return ErrorCode::kInconsistentGroupProtocol;
  if (request.protocol && request.protocol != protocol_)
    return ErrorCode::kInconsistentGroupProtocol;
  return ErrorCode::kNone;
}

void ClassicGroup::sync(const SyncGroup& request, Turn& turn) {
  auto error = state_ == State::kEmpty ? ErrorCode::kUnknownMemberId : check_sync(request);
  if (error == ErrorCode::kNone && state_ == State::kPreparingRebalance)
    error = ErrorCode::kRebalanceInProgress;
  if (error != ErrorCode::kNone) return turn.reply(SyncAnswer{.error = error});

  auto& member = members_.at(request.member);
  pending_syncs_.erase(request.member);
  if (pending_syncs_.empty()) turn.deadlines.cancel(key(TimerKind::kSync));
  if (state_ == State::kStable) {
    return turn.reply(SyncAnswer{
        .protocol_type = protocol_type_, .protocol = protocol_, .assignment = member.assignment});
  }
  answer_sync(member, {.error = ErrorCode::kRebalanceInProgress}, turn);
  member.syncing = turn.request;
  if (is_leader(request.member)) accept_assignments(request, turn);
}

/// The generation is appended, then all that wait get their part of it.
void ClassicGroup::accept_assignments(const SyncGroup& request, Turn& turn) {
  for (auto& [id, member] : members_) member.assignment.clear();
  for (const auto& assigned : request.assignments) {
    const auto member = members_.find(assigned.member);
    if (member != members_.end()) member->second.assignment = assigned.assignment;
  }
  turn.append(record());
  enter(State::kStable, turn.now);
  for (auto& [id, member] : members_) {
    if (!member.syncing) continue;
    extend_session(member, turn);
    answer_sync(
        member,
        {.protocol_type = protocol_type_, .protocol = protocol_, .assignment = member.assignment},
        turn);
  }
}

void ClassicGroup::sync_deadline(Turn& turn) {
  if (pending_syncs_.empty()) return;
  const auto late = std::exchange(pending_syncs_, {});
  for (const auto& id : late) expel(id, turn);
  prepare_rebalance(turn);
}

void ClassicGroup::answer_sync(Member& member, SyncAnswer answer, Turn& turn) {
  if (!member.syncing) return;
  turn.reply_to(*std::exchange(member.syncing, {}), std::move(answer));
}

}  // namespace tailrace::groups
