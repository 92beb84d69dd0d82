// Requests and deadlines of consumer groups (KIP-848).
#include <algorithm>
#include <utility>

#include "groups/consumer_heartbeat.h"
#include "groups/groups.h"

namespace tailrace::groups {

namespace {

void refuse(Turn& turn, Refusal refusal) {
  turn.reply(
      ConsumerHeartbeatAnswer{.error = refusal.error, .message = std::move(refusal.message)});
}

}  // namespace

void Groups::handle(const ConsumerHeartbeat& request, Turn& turn) {
  if (auto refusal = check_heartbeat(request)) return refuse(turn, std::move(*refusal));
  if (request.epoch.value < 0) return consumer_leaves(request, turn);
  if (!request.member.empty()) return consumer_stays(request, turn);
  auto named = request;
  named.member = new_name_();
  consumer_stays(named, turn);
}

void Groups::consumer_stays(const ConsumerHeartbeat& request, Turn& turn) {
  const auto& id = request.group;
  const auto* known = consumer(id);
  const bool is_classic = classic(id) != nullptr;
  const bool may_become = !exists(id) || (is_classic && is_empty(id));
  if (known == nullptr && (request.epoch.value != 0 || !may_become))
    return refuse(turn, not_of_kind(id, "consumer"));
  const ConsumerGroup none(id);
  const auto config = config_of(id);
  auto outcome = heartbeat(known == nullptr ? none : *known, request, config, topics_,
                           topics_version_, turn.now);
  if (!outcome) return refuse(turn, std::move(outcome.error()));

  if (is_classic) append_tombstones(id, turn);
  for (const auto& record : outcome->records) append(record, turn);
  const auto& member = outcome->answer.member;
  if (!outcome->replaced.empty() && outcome->replaced != member) {
    turn.deadlines.cancel(session_of(id, outcome->replaced));
    turn.deadlines.cancel(revocation_of(id, outcome->replaced));
  }
  turn.set_deadline(session_of(id, member), config.consumer_session_timeout_ms);
  if (outcome->revoke_in)
    turn.set_deadline(revocation_of(id, member), *outcome->revoke_in);
  else if (outcome->moved)
    turn.deadlines.cancel(revocation_of(id, member));
  if (outcome->refreshed) consumer(id)->refreshed();
  turn.reply(std::move(outcome->answer));
  if (outcome->resolves_regexes)
    for (const auto& record : resolve_regexes(*consumer(id), topics_, topics_version_, turn.now))
      append(record, turn);
}

void Groups::consumer_leaves(const ConsumerHeartbeat& request, Turn& turn) {
  auto* group = consumer(request.group);
  if (group == nullptr) return refuse(turn, not_of_kind(request.group, "consumer"));
  const auto error = group->check_member(request.member, request.instance);
  if (error != ErrorCode::kNone)
    return refuse(turn, {error, "member " + request.member + " is not in group " + request.group});
  if (request.epoch.value == -1) {
    remove_consumers(*group, {request.member}, turn);
  } else {
    append(suspend_member(*group, *group->find(request.member)), turn);
    turn.deadlines.cancel(revocation_of(request.group, request.member));
  }
  turn.reply(ConsumerHeartbeatAnswer{.member = request.member, .epoch = request.epoch});
}

/// An admin takes consumers out with the classic request.
void Groups::leave_consumer_group(const LeaveGroup& request, ConsumerGroup& group, Turn& turn) {
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

void Groups::remove_consumers(ConsumerGroup& group, const std::vector<std::string>& members,
                              Turn& turn) {
  const std::vector<std::string> gone = members;  // may live in what is erased
  for (const auto& record : remove_members(group, gone, topics_)) append(record, turn);
  for (const auto& member : gone) {
    turn.deadlines.cancel(session_of(group.id(), member));
    turn.deadlines.cancel(revocation_of(group.id(), member));
  }
}

/// After replay: sessions begin anew, and so do the waits for partitions to be given up. The
/// versions of topics count on from those that the records name, so that topics that came meanwhile
/// are found.
void Groups::start_consumers(Turn& turn) {
  std::int64_t last = 0;
  for (const auto& [id, group] : consumer_) {
    const auto config = config_of(id);
    for (const auto& [name, member] : group.members()) {
      turn.set_deadline(session_of(id, name), config.consumer_session_timeout_ms);
      if (member.current.state == MemberState::kUnrevokedPartitions)
        turn.set_deadline(revocation_of(id, name), member.about.rebalance_timeout_ms);
    }
    for (const auto& [regex, resolved] : group.regexes()) last = std::max(last, resolved.version);
  }
  topics_version_ = std::max(topics_version_, last + 1);
}

void Groups::handle(const GroupSettings& settings, Turn&) {
  settings_[settings.group] = settings;
}

/// The broker's settings with the group's own in their place; they count from the next heartbeat
/// on.
GroupsConfig Groups::config_of(const std::string& group) const {
  auto config = config_;
  const auto own = settings_.find(group);
  if (own == settings_.end()) return config;
  const auto take = [](auto& setting, const auto& value) { setting = value.value_or(setting); };
  take(config.consumer_session_timeout_ms, own->second.consumer_session_timeout_ms);
  take(config.consumer_heartbeat_interval_ms, own->second.consumer_heartbeat_interval_ms);
  take(config.consumer_assignment_interval_ms, own->second.consumer_assignment_interval_ms);
  take(config.share_session_timeout_ms, own->second.share_session_timeout_ms);
  take(config.share_heartbeat_interval_ms, own->second.share_heartbeat_interval_ms);
  take(config.share_assignment_interval_ms, own->second.share_assignment_interval_ms);
  take(config.streams_session_timeout_ms, own->second.streams_session_timeout_ms);
  take(config.streams_heartbeat_interval_ms, own->second.streams_heartbeat_interval_ms);
  take(config.streams_assignment_interval_ms, own->second.streams_assignment_interval_ms);
  take(config.streams_initial_rebalance_delay_ms, own->second.streams_initial_rebalance_delay_ms);
  take(config.streams_num_standby_replicas, own->second.streams_num_standby_replicas);
  return config;
}

void Groups::topics_changed(const std::string& name) {
  for (auto& [id, group] : consumer_)
    if (!group.needs_refresh() && group.subscribes_to(name)) group.request_refresh();
  for (auto& [id, group] : share_)
    if (group.subscribes_to(name)) group.request_refresh();
  for (auto& [id, group] : streams_)
    if (group.needs(name)) group.request_refresh();
}

}  // namespace tailrace::groups
