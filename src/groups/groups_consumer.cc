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
  const bool joins = request.epoch.value == 0;
  auto* before = classic(id);
  ConsumerGroup fresh(id);
  std::vector<Record> upgraded;
  if (before != nullptr && joins && !is_empty(id)) {
    auto records = upgrade(*before);
    if (!records) return refuse(turn, std::move(records.error()));
    upgraded = std::move(*records);
    fresh.apply(upgraded);
  }
  const auto* known = consumer(id);
  const bool may_become = !exists(id) || (before != nullptr && is_empty(id)) || !upgraded.empty();
  if (known == nullptr && (!joins || !may_become)) return refuse(turn, not_of_kind(id, "consumer"));
  const auto config = config_of(id);
  auto outcome = heartbeat(known == nullptr ? fresh : *known, request, config, topics_,
                           topics_version_, turn.now);
  if (!outcome) return refuse(turn, std::move(outcome.error()));

  if (!upgraded.empty())
    become_consumers(*before, upgraded, turn);
  else if (before != nullptr)
    append_tombstones(id, turn);
  take(*outcome, id, turn);
  const auto& member = outcome->answer.member;
  turn.deadlines.cancel({TimerKind::kJoin, id, member});
  turn.deadlines.cancel({TimerKind::kSync, id, member});
  turn.set_deadline(session_of(id, member), config.consumer_session_timeout_ms);
  turn.reply(std::move(outcome->answer));
  if (outcome->resolves_regexes)
    for (const auto& record :
         resolve_regexes(*consumer(id), request, topics_, topics_version_, turn.now))
      append(record, turn);
}

/// What a heartbeat or a classic join leads to, but for its answer and its session.
void Groups::take(const HeartbeatOutcome& outcome, const std::string& group, Turn& turn) {
  for (const auto& record : outcome.records) append(record, turn);
  const auto& member = outcome.answer.member;
  if (!outcome.replaced.empty() && outcome.replaced != member)
    cancel_deadlines(group, outcome.replaced);
  if (outcome.revoke_in)
    turn.set_deadline(revocation_of(group, member), *outcome.revoke_in);
  else if (outcome.moved)
    turn.deadlines.cancel(revocation_of(group, member));
  if (outcome.refreshed) consumer(group)->refreshed();
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

void Groups::remove_consumers(ConsumerGroup& group, const std::vector<std::string>& members,
                              Turn& turn) {
  const std::vector<std::string> gone = members;  // may live in what is erased
  const std::set<std::string> leaving(gone.begin(), gone.end());
  if (downgrades_without(group, leaving, 0))
    return become_classic(group, leaving, turn).rebalance(turn);
  for (const auto& record : remove_members(group, gone, topics_)) append(record, turn);
  for (const auto& member : gone) cancel_deadlines(group.id(), member);
}

/// After replay: sessions begin anew, and so do the waits for partitions to be given up. The
/// versions of topics count on from those that the records name, so that topics that came meanwhile
/// are found.
void Groups::start_consumers(Turn& turn) {
  std::int64_t last = 0;
  for (const auto& [id, group] : consumer_) {
    const auto config = config_of(id);
    for (const auto& [name, member] : group.members()) {
      const auto& classic = member.about.classic;
      turn.set_deadline(session_of(id, name),
                        classic ? classic->session_timeout_ms : config.consumer_session_timeout_ms);
      if (member.current.state == MemberState::kUnrevokedPartitions && !classic)
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
