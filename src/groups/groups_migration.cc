// Classic members of consumer groups, and groups that change their protocol (KIP-848, "Online
// Migration"). A consumer that joins a classic group makes it a consumer group; classic members go
// on with their requests: their generation is their epoch, who leads is nobody, and a join is
// answered at once with what the coordinator assigned. When the last consumer goes, a classic group
// is left, which rebalances.
//
// A classic member has no heartbeat that says what it still owns: it is told to rebalance, must
// join again within its rebalance timeout (kJoin), and fetch its assignment within the same
// (kSync).
#include <fmt/format.h>

#include <utility>

#include "groups/consumer_protocol.h"
#include "groups/groups.h"

namespace tailrace::groups {

namespace {

bool upgrades(const GroupsConfig& config) {
  return config.consumer_migration_policy == MigrationPolicy::kUpgrade ||
         config.consumer_migration_policy == MigrationPolicy::kBidirectional;
}

bool downgrades(const GroupsConfig& config) {
  return config.consumer_migration_policy == MigrationPolicy::kDowngrade ||
         config.consumer_migration_policy == MigrationPolicy::kBidirectional;
}

TimerKey join_of(const std::string& group, const std::string& member) {
  return {TimerKind::kJoin, group, member};
}
TimerKey sync_of(const std::string& group, const std::string& member) {
  return {TimerKind::kSync, group, member};
}

/// The join as a heartbeat. A static member that says its id is there already.
ConsumerHeartbeat heartbeat_of(const JoinGroup& request, const std::string& member,
                               const ConsumerSubscription& subscription, const Topics& topics) {
  ConsumerHeartbeat beat;
  beat.group = request.group;
  beat.member = member;
  beat.epoch = MemberEpoch(request.instance && !request.member.empty() ? -1 : 0);
  beat.instance = request.instance;
  beat.rack = subscription.rack;
  beat.rebalance_timeout_ms = request.rebalance_timeout_ms;
  beat.topics = subscription.topics;
  beat.owned = by_id(subscription.owned, topics);
  beat.client = request.client;
  beat.classic = ClassicMember{request.session_timeout_ms, request.protocols};
  return beat;
}

}  // namespace

void Groups::cancel_deadlines(const std::string& group, const std::string& member) {
  deadlines_.cancel(session_of(group, member));
  deadlines_.cancel(revocation_of(group, member));
  deadlines_.cancel(join_of(group, member));
  deadlines_.cancel(sync_of(group, member));
}

// To a consumer group.

std::expected<std::vector<Record>, Refusal> Groups::upgrade(const ClassicGroup& group) const {
  const auto refuse = [&](std::string_view why) {
    return std::unexpected(
        Refusal{ErrorCode::kGroupIdNotFound,
                fmt::format("Cannot upgrade classic group {} to consumer group because {}.",
                            group.id(), why)});
  };
  if (!upgrades(config_)) return refuse("online upgrade is disabled");
  if (!group.uses_consumer_protocol())
    return refuse("the group does not use the consumer embedded protocol");
  if (std::cmp_greater(group.size(), config_.consumer_max_size))
    return refuse("the group size exceeds the consumer group maximum size");
  auto records = group.as_consumers(topics_);
  if (!records) return refuse(records.error());
  return std::move(*records);
}

void Groups::become_consumers(ClassicGroup& group, const std::vector<Record>& records, Turn& turn) {
  const std::string id = group.id();
  group.interrupt(turn);
  append_tombstones(id, turn);
  for (const auto& record : records) append(record, turn);
  for (const auto& [name, member] : consumer(id)->members())
    turn.set_deadline(session_of(id, name), member.about.classic->session_timeout_ms);
}

// Back.

/// Whether only classic members are left of the group without `gone`, and with `more` of them.
bool Groups::downgrades_without(const ConsumerGroup& group, const std::set<std::string>& gone,
                                std::int32_t more) const {
  std::int32_t left = more;
  for (const auto& [id, member] : group.members()) {
    if (gone.contains(id)) continue;
    if (!member.is_classic()) return false;
    ++left;
  }
  return left > 0 && left <= config_.group_max_size && downgrades(config_);
}

ClassicGroup& Groups::become_classic(const ConsumerGroup& group, const std::set<std::string>& gone,
                                     Turn& turn) {
  const std::string id = group.id();
  auto left = ClassicGroup::of_consumers(group, gone, topics_, turn.now);
  for (const auto& [name, member] : group.members()) cancel_deadlines(id, name);
  append_tombstones(id, turn);
  auto& made = classic_.emplace(id, std::move(left)).first->second;
  turn.append(made.record());
  made.start(turn);
  return made;
}

// Classic requests to a consumer group.

void Groups::join_consumers(const JoinGroup& request, const ConsumerGroup& group, Turn& turn) {
  const auto refuse = [&](ErrorCode error) { turn.reply(JoinAnswer{.error = error}); };
  if (config_.consumer_migration_policy == MigrationPolicy::kDisabled)
    return refuse(ErrorCode::kInconsistentGroupProtocol);
  const auto config = config_of(group.id());
  const auto member = request.member.empty() ? new_name_() : request.member;
  if (std::cmp_greater_equal(group.members().size(), config.consumer_max_size) &&
      group.find(member) == nullptr)
    return refuse(ErrorCode::kGroupMaxSizeReached);
  if (!group.supports_classic(request.protocol_type, request.protocols))
    return refuse(ErrorCode::kInconsistentGroupProtocol);
  if (request.member.empty() && !request.instance && request.takes_member_id)
    return turn.reply(JoinAnswer{.error = ErrorCode::kMemberIdRequired, .member = member});
  const auto subscription = read_subscription(request.protocols.front().metadata);
  if (!subscription) return refuse(ErrorCode::kUnknownServerError);

  // The last consumer's instance comes back as a classic member.
  const auto* replaced =
      request.instance && request.member.empty() ? group.find_static(*request.instance) : nullptr;
  auto beat = heartbeat_of(request, member, *subscription, topics_);
  beat.keeps_targets = replaced != nullptr && !replaced->is_classic() &&
                       downgrades_without(group, {replaced->id}, 1);
  const auto outcome = heartbeat(group, beat, config, topics_, topics_version_, turn.now);
  if (!outcome) return refuse(outcome.error().error);
  const std::string id = group.id();
  take(*outcome, id, turn);
  turn.deadlines.cancel(revocation_of(id, member));
  turn.deadlines.cancel(join_of(id, member));
  JoinAnswer answer{.generation = Generation(outcome->answer.epoch.value),
                    .protocol_type = "consumer",
                    .protocol = request.protocols.front().name,
                    .member = member};
  if (beat.keeps_targets) {
    const bool stale = group.assignment_epoch() < group.epoch();
    auto& classic = become_classic(group, {}, turn);
    if (stale) classic.rebalance(turn);
  } else {
    turn.set_deadline(session_of(id, member), request.session_timeout_ms);
    turn.set_deadline(sync_of(id, member), request.rebalance_timeout_ms);
  }
  turn.reply(std::move(answer));
}

void Groups::sync_consumers(const SyncGroup& request, const ConsumerGroup& group, Turn& turn) {
  const auto refuse = [&](ErrorCode error) { turn.reply(SyncAnswer{.error = error}); };
  const auto error = group.check_classic(request.member, request.instance, request.generation);
  if (error != ErrorCode::kNone) return refuse(error);
  const auto& member = *group.find(request.member);
  const auto& protocol = member.about.classic->protocols.front();
  if (request.protocol_type.value_or("consumer") != "consumer" ||
      request.protocol.value_or(protocol.name) != protocol.name)
    return refuse(ErrorCode::kInconsistentGroupProtocol);
  if (group.assignment_epoch() > member.current.epoch &&
      member.current.state != MemberState::kUnrevokedPartitions) {
    shall_rejoin(member, group.id(), turn);
    return refuse(ErrorCode::kRebalanceInProgress);
  }
  turn.deadlines.cancel(sync_of(group.id(), member.id));
  turn.set_deadline(session_of(group.id(), member.id), member.about.classic->session_timeout_ms);
  turn.reply(SyncAnswer{
      .protocol_type = request.protocol_type,
      .protocol = request.protocol,
      .assignment = assignment_for(protocol.metadata, plain(member.current.assigned), topics_)});
}

void Groups::beat_consumers(const Heartbeat& request, const ConsumerGroup& group, Turn& turn) {
  auto error = group.check_classic(request.member, request.instance, request.generation);
  if (error == ErrorCode::kNone) {
    const auto& member = *group.find(request.member);
    turn.set_deadline(session_of(group.id(), member.id), member.about.classic->session_timeout_ms);
    if (group.must_rejoin(member)) {
      shall_rejoin(member, group.id(), turn);
      error = ErrorCode::kRebalanceInProgress;
    }
  }
  turn.reply(HeartbeatAnswer{error});
}

/// The time runs from the first time it is told.
void Groups::shall_rejoin(const Consumer& member, const std::string& group, Turn& turn) {
  const auto key = join_of(group, member.id);
  if (!turn.deadlines.has(key)) turn.set_deadline(key, member.about.rebalance_timeout_ms);
}

/// Members leave by the classic request, or an admin takes them out.
void Groups::leave_consumers(const LeaveGroup& request, ConsumerGroup& group, Turn& turn) {
  LeaveAnswer answer;
  std::set<std::string> leaving;
  for (const auto& one : request.members) {
    std::string id = one.member;
    if (id.empty() && one.instance)
      if (const auto* member = group.find_static(*one.instance)) id = member->id;
    const auto error = group.check_member(id, one.instance);
    if (error == ErrorCode::kNone) leaving.insert(id);
    answer.members.push_back({one.member, one.instance, error});
  }
  if (!leaving.empty()) remove_consumers(group, std::vector(leaving.begin(), leaving.end()), turn);
  turn.reply(std::move(answer));
}

}  // namespace tailrace::groups
