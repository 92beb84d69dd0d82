// A classic group to a consumer group and back (KIP-848, "Online Migration").
#include <utility>

#include "groups/classic_group.h"
#include "groups/consumer_protocol.h"
#include "groups/topic_hash.h"

namespace tailrace::groups {

const std::string& ClassicGroup::Member::subscription(
    const std::optional<std::string>& protocol) const {
  return protocol && supports(*protocol) ? metadata(*protocol) : protocols.front().metadata;
}

std::expected<std::vector<Record>, std::string> ClassicGroup::as_consumers(
    const Topics& topics) const {
  const MemberEpoch epoch(generation_.value);
  std::vector<Record> members;
  std::vector<Record> targets;
  std::vector<Record> currents;
  std::set<std::string> all_subscribed;
  for (const auto& [id, member] : members_) {
    const auto said = read_subscription(member.subscription(protocol_));
    auto had =
        member.assignment.empty() ? ConsumerAssignment{} : read_assignment(member.assignment);
    if (!said || !had) return std::unexpected("the embedded consumer protocol is malformed");
    if (!had->user_data.empty())
      return std::unexpected(
          "an unsupported custom assignor is in use. Please refer to the documentation or switch "
          "to "
          "a default assignor before re-attempting the upgrade");
    const std::set<std::string> subscribed(said->topics.begin(), said->topics.end());
    all_subscribed.insert(subscribed.begin(), subscribed.end());
    members.emplace_back(ConsumerMemberEntry{
        {id_, id},
        ConsumerGroupMemberMetadataValue{
            .instance = member.instance,
            .rack = said->rack,
            .client = member.client,
            .subscribed_topics = {subscribed.begin(), subscribed.end()},
            .subscribed_regex = "",
            .rebalance_timeout_ms = member.rebalance_timeout_ms,
            .classic = ClassicMember{member.session_timeout_ms, member.protocols}}});
    auto assignment = by_id(had->partitions, topics);
    ConsumerGroupCurrentMemberAssignmentValue current{.epoch = epoch, .previous_epoch = epoch};
    for (const auto& [topic, partitions] : assignment)
      for (const auto partition : partitions) current.assigned[topic][partition] = epoch;
    targets.emplace_back(TargetMemberEntry{
        {id_, id}, ConsumerGroupTargetAssignmentMemberValue{std::move(assignment)}});
    currents.emplace_back(CurrentMemberEntry{{id_, id}, std::move(current)});
  }
  // A rebalance that was under way is still due: what the topics hash to is not known.
  const auto hash = state_ == State::kStable ? topics_hash(all_subscribed, topics) : 0;
  auto records = std::move(members);
  records.emplace_back(ConsumerGroupEntry{{id_}, ConsumerGroupMetadataValue{epoch, hash}});
  records.insert(records.end(), targets.begin(), targets.end());
  records.emplace_back(
      TargetEpochEntry{{id_}, ConsumerGroupTargetAssignmentMetadataValue{epoch, TimestampMs(0)}});
  records.insert(records.end(), currents.begin(), currents.end());
  return records;
}

void ClassicGroup::interrupt(Turn& turn) {
  for (auto& [id, member] : members_) {
    answer_join(member, {.error = ErrorCode::kRebalanceInProgress, .member = id}, turn);
    answer_sync(member, {.error = ErrorCode::kRebalanceInProgress}, turn);
  }
}

ClassicGroup ClassicGroup::of_consumers(const ConsumerGroup& group,
                                        const std::set<std::string>& gone, const Topics& topics,
                                        TimestampMs now) {
  ClassicGroup out(group.id(), now);
  out.state_ = State::kStable;
  out.protocol_type_ = "consumer";
  out.generation_ = Generation(group.epoch().value);
  for (const auto& [id, consumer] : group.members()) {
    if (gone.contains(id)) continue;
    const auto& about = consumer.about;
    const auto* target = group.target(id);
    Member member{id,
                  about.instance,
                  about.client,
                  about.rebalance_timeout_ms,
                  about.classic->session_timeout_ms,
                  about.classic->protocols,
                  "",
                  false,
                  {},
                  {}};
    if (target != nullptr)
      member.assignment = assignment_for(member.protocols.front().metadata, *target, topics);
    if (about.instance) out.static_members_[*about.instance] = id;
    if (!out.leader_) out.leader_ = id;
    out.members_.emplace(id, std::move(member));
  }
  out.protocol_ = out.select_protocol();
  out.learn_subscription();
  return out;
}

}  // namespace tailrace::groups
