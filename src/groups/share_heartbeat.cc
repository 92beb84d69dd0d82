#include "groups/share_heartbeat.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "groups/assignor.h"
#include "groups/topic_hash.h"

namespace tailrace::groups {

namespace {

constexpr MemberEpoch kJoins{0};

class Step {
 public:
  Step(const ShareGroup& group, const ShareHeartbeat& request, const GroupsConfig& config,
       const Topics& topics, TimestampMs now)
      : group_(group), request_(request), config_(config), topics_(topics), now_(now) {}

  std::expected<ShareOutcome, Refusal> run() {
    if (auto refusal = find_member()) return std::unexpected(std::move(*refusal));
    update_member();
    initialise_partitions();
    update_epoch();
    update_target();
    move_member();
    answer();
    return std::move(out_);
  }

 private:
  std::optional<Refusal> find_member() {
    const auto* known = group_.find(request_.member);
    next_.id = was_.id = request_.member;
    if (known != nullptr) {
      was_ = *known;
      return check_epoch();
    }
    if (request_.epoch != kJoins)
      return Refusal{
          ErrorCode::kUnknownMemberId,
          fmt::format("Member {} is not a member of group {}.", request_.member, group_.id())};
    if (std::ssize(group_.members()) >= config_.share_max_size)
      return Refusal{ErrorCode::kGroupMaxSizeReached,
                     fmt::format("The share group has reached its maximum capacity of {} members.",
                                 config_.share_max_size)};
    return std::nullopt;
  }

  /// The answer that raised the epoch may be lost: who is one behind goes on.
  std::optional<Refusal> check_epoch() const {
    const auto epoch = request_.epoch;
    const auto& current = was_.current;
    if (epoch == kJoins || epoch == current.epoch) return std::nullopt;
    constexpr std::string_view kEnd = "The member must abandon all its partitions and rejoin.";
    if (epoch > current.epoch)
      return Refusal{ErrorCode::kFencedMemberEpoch,
                     fmt::format("The share group member has a greater member epoch ({}) than the "
                                 "one known by the group coordinator ({}). {}",
                                 epoch.value, current.epoch.value, kEnd)};
    if (epoch == current.previous_epoch) return std::nullopt;
    return Refusal{
        ErrorCode::kFencedMemberEpoch,
        fmt::format("The share group member has a smaller member epoch ({}) than the one known by "
                    "the group coordinator ({}), and it does not match the previous member epoch "
                    "({}). {}",
                    epoch.value, current.epoch.value, current.previous_epoch.value, kEnd)};
  }

  void update_member() {
    next_ = was_;
    auto& about = next_.about;
    if (request_.rack) about.rack = request_.rack;
    if (request_.topics) {
      const std::set<std::string> sorted(request_.topics->begin(), request_.topics->end());
      about.subscribed_topics.assign(sorted.begin(), sorted.end());
    }
    about.client = request_.client;
    is_new_ = group_.find(next_.id) == nullptr;
    names_changed_ = about.subscribed_topics != was_.about.subscribed_topics;
    if (is_new_ || about != was_.about)
      out_.records.emplace_back(ShareMemberEntry{{group_.id(), next_.id}, about});
  }

  std::set<std::string> subscribed() const {
    std::set<std::string> names(next_.about.subscribed_topics.begin(),
                                next_.about.subscribed_topics.end());
    for (const auto& [id, member] : group_.members())
      if (id != next_.id)
        names.insert(member.about.subscribed_topics.begin(), member.about.subscribed_topics.end());
    return names;
  }

  void initialise_partitions() {
    shared_ = group_.topics();
    if (!names_changed_ && !group_.needs_refresh()) return;
    for (const auto& name : subscribed()) {
      const auto topic = topics_.find(name);
      if (topic == topics_.end()) continue;
      auto& known = shared_[topic->second.id];
      known.name = name;
      for (std::int32_t i = 0; i < topic->second.partitions; ++i)
        if (known.partitions.insert(i).second)
          out_.initialised.push_back({group_.id(), topic->second.id, i, ShareEpoch(0), -1});
    }
    if (!out_.initialised.empty())
      out_.records.emplace_back(
          ShareTopicsEntry{{group_.id()}, ShareGroupStatePartitionMetadataValue{shared_}});
  }

  void update_epoch() {
    epoch_ = group_.epoch();
    if (!names_changed_ && !is_new_ && !group_.needs_refresh()) return;
    out_.refreshed = true;
    const auto hash = topics_hash(subscribed(), topics_);
    if (names_changed_ || is_new_ || hash != group_.metadata_hash()) ++epoch_;
    if (!out_.initialised.empty()) ++epoch_;
    for (auto& one : out_.initialised) one.epoch = ShareEpoch(epoch_.value);
    if (epoch_ != group_.epoch())
      out_.records.emplace_back(
          ShareGroupEntry{{group_.id()}, ShareGroupMetadataValue{epoch_, hash}});
  }

  std::set<TopicId> topics_of(const Sharer& member) const {
    std::set<TopicId> out;
    for (const auto& name : member.about.subscribed_topics)
      if (const auto topic = topics_.find(name); topic != topics_.end())
        out.insert(topic->second.id);
    return out;
  }

  AssignmentTask task() const {
    AssignmentTask out;
    auto members = group_.members();
    members.insert_or_assign(next_.id, next_);
    out.homogeneous = true;
    for (const auto& [id, member] : members) {
      const auto* had = group_.target(id);
      out.members.push_back(
          {id, std::nullopt, topics_of(member), had == nullptr ? Assignment{} : *had});
      const auto& subscribed = out.members.back().topics;
      for (const auto& topic : subscribed) out.partitions[topic] = 0;
      out.homogeneous = out.homogeneous && subscribed == out.members.front().topics;
    }
    return out;
  }

  void update_target() {
    target_epoch_ = group_.assignment_epoch();
    if (const auto* target = group_.target(next_.id)) target_ = *target;
    if (target_epoch_ >= epoch_ || !group_.may_assign(config_.share_assignment_interval_ms, now_))
      return;
    Assignment allowed;
    for (const auto& [topic, shared] : shared_) allowed[topic] = shared.partitions;
    const auto task = this->task();
    const auto plan = assign_simply(task, allowed);
    NewTargets<Assignment> targets{target_epoch_ = epoch_, {}};
    for (std::size_t i = 0; i < plan.size(); ++i) {
      if (task.members[i].id == next_.id) target_ = plan[i];
      targets.of.emplace_back(task.members[i].id, plan[i]);
    }
    append_targets(group_, targets, now_, out_.records);
  }

  void move_member() {
    const auto subscribed = topics_of(next_);
    auto& current = next_.current;
    auto assigned = target_;
    std::erase_if(assigned, [&](const auto& part) { return !subscribed.contains(part.first); });
    if (!is_new_ && current.epoch == target_epoch_ && current.assigned == assigned) return;
    current.previous_epoch = current.epoch;
    current.epoch = target_epoch_;
    current.assigned = std::move(assigned);
    out_.records.emplace_back(ShareCurrentEntry{{group_.id(), next_.id}, current});
  }

  void answer() {
    auto& answer = out_.answer;
    answer.member = next_.id;
    answer.epoch = next_.current.epoch;
    answer.heartbeat_interval_ms = config_.share_heartbeat_interval_ms;
    if (request_.epoch == kJoins || request_.topics ||
        next_.current.assigned != was_.current.assigned)
      answer.assignment = next_.current.assigned;
  }

  const ShareGroup& group_;
  const ShareHeartbeat& request_;
  const GroupsConfig& config_;
  const Topics& topics_;
  TimestampMs now_;
  Sharer was_;
  Sharer next_;
  bool is_new_ = false;
  bool names_changed_ = false;
  std::map<TopicId, SharedTopic> shared_;
  MemberEpoch epoch_{0};
  MemberEpoch target_epoch_{-1};
  Assignment target_;
  ShareOutcome out_;
};

}  // namespace

std::optional<Refusal> check_heartbeat(const ShareHeartbeat& request) {
  const auto invalid = [](std::string message) {
    return Refusal{ErrorCode::kInvalidRequest, std::move(message)};
  };
  const auto blank = [](const std::string& text) {
    return text.find_first_not_of(" \t\r\n") == std::string::npos;
  };
  if (blank(request.member) || blank(request.group)) return invalid("");
  if (request.epoch.value < -1) return invalid("MemberEpoch is invalid.");
  if (request.rack && blank(*request.rack)) return invalid("RackId can't be empty.");
  if (request.epoch == kJoins && (!request.topics || request.topics->empty()))
    return invalid("SubscribedTopicNames must be set in first request.");
  return std::nullopt;
}

std::expected<ShareOutcome, Refusal> heartbeat(const ShareGroup& group,
                                               const ShareHeartbeat& request,
                                               const GroupsConfig& config, const Topics& topics,
                                               TimestampMs now) {
  return Step(group, request, config, topics, now).run();
}

std::vector<Record> remove_members(const ShareGroup& group, const std::vector<std::string>& members,
                                   const Topics& topics) {
  std::vector<Record> records;
  for (const auto& id : members) append_member_tombstones(group, id, records);
  std::set<std::string> left;
  for (const auto& [id, member] : group.members())
    if (std::ranges::find(members, id) == members.end())
      left.insert(member.about.subscribed_topics.begin(), member.about.subscribed_topics.end());
  records.emplace_back(ShareGroupEntry{
      {group.id()}, ShareGroupMetadataValue{group.epoch() + 1, topics_hash(left, topics)}});
  return records;
}

}  // namespace tailrace::groups
