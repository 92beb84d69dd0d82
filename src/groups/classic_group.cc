// A classic group's members, checks and views; the phases are in classic_join.cc and
// classic_sync.cc.
#include "groups/classic_group.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "groups/consumer_protocol.h"

namespace tailrace::groups {

const std::string& ClassicGroup::Member::metadata(const std::string& protocol) const {
  const auto found = std::ranges::find(protocols, protocol, &Protocol::name);
  CHECK(found != protocols.end());
  return found->metadata;
}

bool ClassicGroup::Member::supports(const std::string& protocol) const {
  return std::ranges::find(protocols, protocol, &Protocol::name) != protocols.end();
}

ClassicGroup ClassicGroup::load(std::string id, const GroupMetadataValue& value) {
  ClassicGroup group(std::move(id), value.state_timestamp);
  group.protocol_type_ = value.protocol_type;
  group.generation_ = value.generation;
  group.protocol_ = value.members.empty() ? value.protocol : value.protocol.value_or("");
  group.state_ = value.members.empty() ? State::kEmpty : State::kStable;
  for (const auto& from : value.members) {
    const auto rebalance_timeout =
        from.rebalance_timeout_ms == -1 ? from.session_timeout_ms : from.rebalance_timeout_ms;
    Member member{from.id,
                  from.instance,
                  from.client,
                  rebalance_timeout,
                  from.session_timeout_ms,
                  {{group.protocol_.value_or(""), from.subscription}},
                  from.assignment,
                  false,
                  {},
                  {}};
    if (from.instance) group.static_members_[*from.instance] = from.id;
    group.members_.emplace(from.id, std::move(member));
  }
  if (value.leader && group.members_.contains(*value.leader)) group.leader_ = value.leader;
  if (!group.leader_ && !group.members_.empty()) group.leader_ = group.members_.begin()->first;
  group.learn_subscription();
  return group;
}

void ClassicGroup::start(Turn& turn) {
  for (const auto& [id, member] : members_) extend_session(member, turn);
  if (std::ssize(members_) > turn.config.group_max_size) prepare_rebalance(turn);
}

std::string_view ClassicGroup::state_name() const {
  switch (state_) {
    case State::kEmpty:
      return "Empty";
    case State::kPreparingRebalance:
      return "PreparingRebalance";
    case State::kCompletingRebalance:
      return "CompletingRebalance";
    case State::kStable:
      return "Stable";
  }
  return "";
}

bool ClassicGroup::subscribes_to(const std::string& topic) const {
  return subscribed_topics_ ? subscribed_topics_->contains(topic) : uses_consumer_protocol();
}

DescribedGroup ClassicGroup::describe() const {
  DescribedGroup out;
  out.group = id_;
  out.state = state_name();
  out.protocol_type = protocol_type_;
  const bool stable = state_ == State::kStable;
  if (stable) out.protocol = protocol_.value_or("");
  for (const auto& [id, member] : members_)
    out.members.push_back({id, member.instance, member.client,
                           stable ? member.metadata(*protocol_) : "", member.assignment});
  return out;
}

std::optional<TimestampMs> ClassicGroup::retention_base(TimestampMs commit) const {
  if (protocol_type_.empty()) return commit;
  if (state_ == State::kEmpty) return state_since_.value == -1 ? commit : state_since_;
  if (uses_consumer_protocol() && subscribed_topics_ && state_ == State::kStable) return commit;
  return std::nullopt;
}

ErrorCode ClassicGroup::check_member(const std::string& member,
                                     const std::optional<std::string>& instance) const {
  if (instance) {
    const auto known = static_members_.find(*instance);
    if (known == static_members_.end()) return ErrorCode::kUnknownMemberId;
    if (known->second != member) return ErrorCode::kFencedInstanceId;
  }
  return members_.contains(member) ? ErrorCode::kNone : ErrorCode::kUnknownMemberId;
}

ErrorCode ClassicGroup::check_commit(const CommitOffsets& request) const {
  const bool transactional = request.producer.has_value();
  if (request.generation.value < 0 && state_ == State::kEmpty) return ErrorCode::kNone;
  if (request.generation.value >= 0 || !request.member.empty() || request.instance) {
    const auto error = check_member(request.member, request.instance);
    if (error != ErrorCode::kNone) return error;
    if (request.generation != generation_) return ErrorCode::kIllegalGeneration;
  } else if (!transactional && state_ != State::kEmpty) {
    return ErrorCode::kUnknownMemberId;
  }
  if (!transactional && state_ == State::kCompletingRebalance)
    return ErrorCode::kRebalanceInProgress;
  return ErrorCode::kNone;
}

void ClassicGroup::committed(const std::string& member, Turn& turn) {
  if (state_ != State::kStable && state_ != State::kPreparingRebalance) return;
  const auto found = members_.find(member);
  if (found != members_.end()) extend_session(found->second, turn);
}

void ClassicGroup::heartbeat(const Heartbeat& request, Turn& turn) {
  auto error = check_member(request.member, request.instance);
  if (error == ErrorCode::kNone && request.generation != generation_)
    error = ErrorCode::kIllegalGeneration;
  if (error == ErrorCode::kNone) {
    extend_session(members_.at(request.member), turn);
    if (state_ == State::kPreparingRebalance) error = ErrorCode::kRebalanceInProgress;
  }
  turn.reply(HeartbeatAnswer{error});
}

void ClassicGroup::leave(const LeaveGroup& request, Turn& turn) {
  LeaveAnswer answer;
  bool left = false;
  for (const auto& leaving : request.members) {
    auto error = ErrorCode::kNone;
    std::string id = leaving.member;
    if (id.empty()) {
      const bool known = leaving.instance && static_members_.contains(*leaving.instance);
      if (known) id = static_members_.at(*leaving.instance);
      if (!known) error = ErrorCode::kUnknownMemberId;
    } else if (!pending_joins_.contains(id)) {
      error = check_member(id, leaving.instance);
    }
    if (error == ErrorCode::kNone) {
      expel(id, turn);
      left = true;
    }
    answer.members.push_back({leaving.member, leaving.instance, error});
  }
  if (left && (state_ == State::kStable || state_ == State::kCompletingRebalance))
    prepare_rebalance(turn);
  else if (left && state_ == State::kPreparingRebalance)
    maybe_complete_join(turn);
  turn.reply(std::move(answer));
}

void ClassicGroup::session_deadline(const std::string& member, Turn& turn) {
  if (pending_joins_.contains(member)) {
    remove(member);
    if (state_ == State::kPreparingRebalance && all_joined()) complete_join(turn);
    return;
  }
  const auto found = members_.find(member);
  if (found == members_.end()) return;
  const bool waits = found->second.joining || found->second.syncing;
  if (waits && !found->second.is_new) return;
  expel(member, turn);
  if (state_ == State::kStable || state_ == State::kCompletingRebalance)
    prepare_rebalance(turn);
  else if (state_ == State::kPreparingRebalance && all_joined())
    complete_join(turn);
}

void ClassicGroup::cancel_deadlines(Turn& turn) const {
  turn.deadlines.cancel(key(TimerKind::kJoin));
  turn.deadlines.cancel(key(TimerKind::kSync));
  for (const auto& [id, member] : members_) turn.deadlines.cancel(key(TimerKind::kSession, id));
  for (const auto& id : pending_joins_) turn.deadlines.cancel(key(TimerKind::kSession, id));
}

/// Tells a waiting member that it is out, and forgets it.
void ClassicGroup::expel(const std::string& member, Turn& turn) {
  turn.deadlines.cancel(key(TimerKind::kSession, member));
  const auto found = members_.find(member);
  if (found != members_.end()) {
    answer_join(found->second, {.error = ErrorCode::kUnknownMemberId}, turn);
    answer_sync(found->second, {.error = ErrorCode::kUnknownMemberId}, turn);
  }
  remove(member);
}

void ClassicGroup::remove(const std::string& member) {
  const std::string id = member;  // `member` may live in what is erased
  const auto found = members_.find(id);
  if (found != members_.end()) {
    if (found->second.instance) static_members_.erase(*found->second.instance);
    members_.erase(found);
  }
  if (is_leader(id)) {
    leader_.reset();
    if (!members_.empty()) leader_ = members_.begin()->first;
  }
  pending_joins_.erase(id);
  pending_syncs_.erase(id);
}

bool ClassicGroup::all_joined() const {
  return pending_joins_.empty() &&
         std::ranges::all_of(members_, [](const auto& m) { return m.second.joining.has_value(); });
}

std::int32_t ClassicGroup::rebalance_timeout_ms() const {
  std::int32_t most = 0;
  for (const auto& [id, member] : members_) most = std::max(most, member.rebalance_timeout_ms);
  return most;
}

/// Each member votes for its most preferred protocol of those all support; a tie goes by name.
std::string ClassicGroup::select_protocol() const {
  std::map<std::string, std::size_t> support;
  for (const auto& [id, member] : members_)
    for (const auto& protocol : member.protocols) ++support[protocol.name];
  std::map<std::string, std::size_t> votes;
  for (const auto& [id, member] : members_) {
    const auto vote = std::ranges::find_if(member.protocols, [&](const Protocol& protocol) {
      return support.at(protocol.name) == members_.size();
    });
    CHECK(vote != member.protocols.end());
    ++votes[vote->name];
  }
  return std::ranges::max_element(votes, {}, [](const auto& vote) { return vote.second; })->first;
}

ClassicGroupEntry ClassicGroup::empty_record() const {
  GroupMetadataValue value;
  value.state_timestamp = state_since_;
  return {{id_}, std::move(value)};
}

ClassicGroupEntry ClassicGroup::record() const {
  GroupMetadataValue value;
  value.protocol_type = protocol_type_;
  value.generation = generation_;
  value.protocol = protocol_;
  value.leader = leader_;
  value.state_timestamp = state_since_;
  for (const auto& [id, member] : members_)
    value.members.push_back({id, member.instance, member.client, member.rebalance_timeout_ms,
                             member.session_timeout_ms, member.metadata(*protocol_),
                             member.assignment});
  return {{id_}, std::move(value)};
}

void ClassicGroup::enter(State state, TimestampMs now) {
  previous_ = std::exchange(state_, state);
  state_since_ = now;
}

void ClassicGroup::learn_subscription() {
  subscribed_topics_.reset();
  if (!uses_consumer_protocol()) return;
  std::set<std::string> topics;
  for (const auto& [id, member] : members_) {
    const auto some = subscribed_topics(member.metadata(*protocol_));
    if (!some) return;
    topics.insert(some->begin(), some->end());
  }
  subscribed_topics_ = std::move(topics);
}

void ClassicGroup::extend_session(const Member& member, Turn& turn, std::optional<Millis> timeout) {
  turn.set_deadline(key(TimerKind::kSession, member.id),
                    timeout.value_or(member.session_timeout_ms));
}

}  // namespace tailrace::groups
