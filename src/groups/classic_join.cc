// The join phase of a classic group.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "groups/classic_group.h"

namespace tailrace::groups {

void ClassicGroup::join(const JoinGroup& request, Turn& turn) {
  const auto refuse = [&](ErrorCode error, std::string member) {
    turn.reply(JoinAnswer{.error = error, .member = std::move(member)});
  };
  if (!accepts(request.member, turn.config)) {
    if (!request.member.empty()) expel(request.member, turn);
    return refuse(ErrorCode::kGroupMaxSizeReached, "");
  }
  if (!supports(request)) return refuse(ErrorCode::kInconsistentGroupProtocol, request.member);
  if (request.member.empty()) return join_new(request, turn);
  join_known(request, turn);
}

/// Whether the size limit lets the member (an empty id: a new one) in.
bool ClassicGroup::accepts(const std::string& member, const GroupsConfig& config) const {
  const auto found = members_.find(member);
  const bool known = found != members_.end();
  switch (state_) {
    case State::kEmpty:
      return true;
    case State::kPreparingRebalance:
      return (known && found->second.joining) || std::ranges::count_if(members_, [](const auto& m) {
                                                   return m.second.joining.has_value();
                                                 }) < config.group_max_size;
    case State::kCompletingRebalance:
    case State::kStable:
      return known || std::ssize(members_) < config.group_max_size;
  }
  return false;
}

bool ClassicGroup::supports(const JoinGroup& request) const {
  if (state_ == State::kEmpty) return !request.protocol_type.empty() && !request.protocols.empty();
  if (request.protocol_type != protocol_type_) return false;
  return std::ranges::any_of(request.protocols, [&](const Protocol& protocol) {
    return std::ranges::all_of(
        members_, [&](const auto& member) { return member.second.supports(protocol.name); });
  });
}

void ClassicGroup::join_new(const JoinGroup& request, Turn& turn) {
  const std::string id = request.instance.value_or(request.client.id) + "-" + turn.new_name();
  if (request.instance) {
    if (static_members_.contains(*request.instance)) return replace_static(request, id, turn);
    return add(request, id, turn);
  }
  if (!request.takes_member_id) return add(request, id, turn);
  pending_joins_.insert(id);
  turn.set_deadline(key(TimerKind::kSession, id), request.session_timeout_ms);
  turn.reply(JoinAnswer{.error = ErrorCode::kMemberIdRequired, .member = id});
}

void ClassicGroup::join_known(const JoinGroup& request, Turn& turn) {
  const bool pending = pending_joins_.contains(request.member);
  if (pending && !request.instance) return add(request, request.member, turn);
  const auto error = check_member(request.member, request.instance);
  if (error != ErrorCode::kNone)
    return turn.reply(JoinAnswer{.error = error, .member = request.member});
  rejoin(request, members_.at(request.member), turn);
}

/// A member joins again: it may have lost its answer, changed its mind, or ask for a rebalance.
void ClassicGroup::rejoin(const JoinGroup& request, Member& member, Turn& turn) {
  const bool same = member.protocols == request.protocols;
  const bool leader = is_leader(member.id);
  switch (state_) {
    case State::kPreparingRebalance:
      break;
    case State::kCompletingRebalance:
      if (same) return turn.reply(join_answer(member.id, leader));
      break;
    case State::kStable:
      if (same && !leader) return turn.reply(join_answer(member.id, false));
      break;
    case State::kEmpty:
      return turn.reply(JoinAnswer{.error = ErrorCode::kUnknownMemberId, .member = request.member});
  }
  update(request, member, turn);
  rebalance_or_complete(turn);
}

void ClassicGroup::add(const JoinGroup& request, const std::string& id, Turn& turn) {
  if (state_ == State::kPreparingRebalance && previous_ == State::kEmpty) joined_in_delay_ = true;
  if (members_.empty()) protocol_type_ = request.protocol_type;
  if (!leader_) leader_ = id;
  if (request.instance) static_members_[*request.instance] = id;
  pending_joins_.erase(id);
  Member member{id, request.instance, request.client, 0, 0, {}, "", true, {}, {}};
  auto& added = members_.emplace(id, std::move(member)).first->second;
  update(request, added, turn);
  extend_session(added, turn, turn.config.new_member_join_timeout_ms);
  rebalance_or_complete(turn);
}

/// Takes what the request says over; its answer waits for the end of the join phase.
void ClassicGroup::update(const JoinGroup& request, Member& member, Turn& turn) {
  member.protocols = request.protocols;
  member.rebalance_timeout_ms = request.rebalance_timeout_ms;
  member.session_timeout_ms = request.session_timeout_ms;
  // A second request of the same member replaces the first, which will never be answered else.
  answer_join(member, {.error = ErrorCode::kRebalanceInProgress}, turn);
  member.joining = turn.request;
}

/// KIP-345: a new process takes the place of the static member; the old one is fenced.
void ClassicGroup::replace_static(const JoinGroup& request, const std::string& id, Turn& turn) {
  const auto old_leader = leader_;
  auto& member = rename(static_members_.at(*request.instance), id, turn);
  update(request, member, turn);
  extend_session(member, turn);
  if (state_ == State::kCompletingRebalance) return prepare_rebalance(turn);
  if (state_ != State::kStable) return maybe_complete_join(turn);
  if (select_protocol() != protocol_) return rebalance_or_complete(turn);
  turn.append(record());
  auto answer = join_answer(id, request.takes_skip_assignment && is_leader(id));
  answer.skip_assignment = !answer.members.empty();
  if (!request.takes_skip_assignment) answer.leader = old_leader.value_or("");
  answer_join(member, std::move(answer), turn);
}

ClassicGroup::Member& ClassicGroup::rename(const std::string& from, const std::string& to,
                                           Turn& turn) {
  auto node = members_.extract(from);
  CHECK(!node.empty());
  Member& member = node.mapped();
  answer_join(member, {.error = ErrorCode::kFencedInstanceId, .member = node.key()}, turn);
  answer_sync(member, {.error = ErrorCode::kFencedInstanceId}, turn);
  turn.deadlines.cancel(key(TimerKind::kSession, node.key()));
  if (is_leader(node.key())) leader_ = to;
  pending_syncs_.erase(node.key());
  static_members_[*member.instance] = to;
  node.key() = to;
  member.id = to;
  member.is_new = false;
  return members_.insert(std::move(node)).position->second;
}

void ClassicGroup::rebalance_or_complete(Turn& turn) {
  if (state_ == State::kPreparingRebalance) return maybe_complete_join(turn);
  prepare_rebalance(turn);
}

void ClassicGroup::prepare_rebalance(Turn& turn) {
  if (state_ == State::kCompletingRebalance) {
    for (auto& [id, member] : members_) {
      member.assignment.clear();
      if (member.syncing) extend_session(member, turn);
      answer_sync(member, {.error = ErrorCode::kRebalanceInProgress}, turn);
    }
  }
  pending_syncs_.clear();
  turn.deadlines.cancel(key(TimerKind::kSync));
  const bool initial = state_ == State::kEmpty;
  enter(State::kPreparingRebalance, turn.now);
  if (initial) {
    delay_ms_ = turn.config.group_initial_rebalance_delay_ms;
    delay_left_ms_ = std::max<Millis>(rebalance_timeout_ms() - delay_ms_, 0);
    joined_in_delay_ = false;
    turn.set_deadline(key(TimerKind::kJoin), delay_ms_);
  } else if (all_joined()) {
    complete_join(turn);
  } else {
    turn.set_deadline(key(TimerKind::kJoin), rebalance_timeout_ms());
  }
}

/// The initial delay is not cut short; every other join phase ends with the last member's join.
void ClassicGroup::maybe_complete_join(Turn& turn) {
  if (previous_ != State::kEmpty && all_joined()) complete_join(turn);
}

void ClassicGroup::join_deadline(Turn& turn) {
  if (state_ != State::kPreparingRebalance) return;
  if (previous_ != State::kEmpty || !joined_in_delay_ || delay_left_ms_ == 0)
    return complete_join(turn);
  joined_in_delay_ = false;
  const Millis next =
      std::min<Millis>(turn.config.group_initial_rebalance_delay_ms, delay_left_ms_);
  delay_left_ms_ = std::max<Millis>(delay_left_ms_ - std::exchange(delay_ms_, next), 0);
  turn.set_deadline(key(TimerKind::kJoin), next);
}

void ClassicGroup::complete_join(Turn& turn) {
  turn.deadlines.cancel(key(TimerKind::kJoin));
  std::vector<std::string> lost;
  for (const auto& [id, member] : members_)
    if (!member.joining && !member.instance) lost.push_back(id);
  for (const auto& id : lost) expel(id, turn);
  if (!elect_leader() && !members_.empty()) {
    turn.set_deadline(key(TimerKind::kJoin), rebalance_timeout_ms());
    return;
  }
  ++generation_;
  pending_syncs_.clear();
  if (members_.empty()) {
    protocol_.reset();
    learn_subscription();
    enter(State::kEmpty, turn.now);
    turn.append(record());
    return;
  }
  begin_generation(turn);
}

void ClassicGroup::begin_generation(Turn& turn) {
  protocol_ = select_protocol();
  learn_subscription();
  enter(State::kCompletingRebalance, turn.now);
  for (auto& [id, member] : members_) {
    answer_join(member, join_answer(id, is_leader(id)), turn);
    extend_session(member, turn);
    member.is_new = false;
    pending_syncs_.insert(id);
  }
  turn.set_deadline(key(TimerKind::kSync), rebalance_timeout_ms());
}

/// The leader stays if it joined; else any that joined takes over. False when none did.
bool ClassicGroup::elect_leader() {
  if (!leader_) return false;
  if (members_.at(*leader_).joining) return true;
  const auto joined = std::ranges::find_if(
      members_, [](const auto& member) { return member.second.joining.has_value(); });
  if (joined == members_.end()) return false;
  leader_ = joined->first;
  return true;
}

JoinAnswer ClassicGroup::join_answer(const std::string& member, bool with_members) const {
  JoinAnswer answer;
  answer.generation = generation_;
  answer.protocol_type = protocol_type_;
  answer.protocol = protocol_;
  answer.leader = leader_.value_or("");
  answer.member = member;
  if (!with_members) return answer;
  for (const auto& [id, one] : members_)
    answer.members.push_back({id, one.instance, one.metadata(*protocol_)});
  return answer;
}

void ClassicGroup::answer_join(Member& member, JoinAnswer answer, Turn& turn) {
  if (!member.joining) return;
  turn.reply_to(*std::exchange(member.joining, {}), std::move(answer));
}

}  // namespace tailrace::groups
