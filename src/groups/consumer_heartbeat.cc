// A heartbeat that joins or stays; consumer_leave.cc has the rest.
#include "groups/consumer_heartbeat.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "groups/assignor.h"
#include "groups/consumer_reconcile.h"
#include "groups/consumer_view.h"
#include "groups/topic_hash.h"
#include "groups/topic_regex.h"

namespace tailrace::groups {

namespace {

constexpr MemberEpoch kJoins{0};
constexpr MemberEpoch kSuspended{-2};

/// Every partition the member says it owns is one it was given.
bool is_part_of(const std::optional<Assignment>& owned, const EpochAssignment& assigned) {
  if (!owned) return false;
  for (const auto& [topic, partitions] : *owned) {
    const auto some = assigned.find(topic);
    for (const auto partition : partitions)
      if (some == assigned.end() || !some->second.contains(partition)) return false;
  }
  return true;
}

class Step {
 public:
  Step(const ConsumerGroup& group, const ConsumerHeartbeat& request, const GroupsConfig& config,
       const Topics& topics, std::int64_t topics_version, TimestampMs now)
      : group_(group),
        request_(request),
        config_(config),
        topics_(topics),
        topics_version_(topics_version),
        now_(now) {}

  std::expected<HeartbeatOutcome, Refusal> run() {
    if (auto refusal = find_member()) return std::unexpected(std::move(*refusal));
    update_member();
    if (auto refusal = update_regexes()) return std::unexpected(std::move(*refusal));
    update_epoch();
    update_target();
    move_member();
    answer();
    return std::move(out_);
  }

 private:
  std::optional<Refusal> find_member() {
    const auto* known = group_.find(request_.member);
    if (std::ssize(group_.members()) >= config_.consumer_max_size && known == nullptr)
      return Refusal{
          ErrorCode::kGroupMaxSizeReached,
          fmt::format("group {} is full: {} members", group_.id(), config_.consumer_max_size)};
    if (request_.instance) return find_static_member();
    if (known == nullptr && request_.epoch != kJoins) return unknown(request_.member);
    if (known == nullptr) {
      was_.id = request_.member;
      return std::nullopt;
    }
    was_ = *known;
    return check_epoch();
  }

  std::optional<Refusal> find_static_member() {
    const auto* known = group_.find_static(*request_.instance);
    if (request_.epoch != kJoins) {
      if (known == nullptr) return unknown("with instance id " + *request_.instance);
      if (known->id != request_.member)
        return Refusal{
            ErrorCode::kFencedInstanceId,
            fmt::format("instance id {} belongs to member {} now", *request_.instance, known->id)};
      was_ = *known;
      return check_epoch();
    }
    if (known == nullptr) {
      const auto* same_id = group_.find(request_.member);
      if (same_id != nullptr) was_ = *same_id;
      was_.id = request_.member;
      return std::nullopt;
    }
    const bool both_consume = !request_.classic && !known->is_classic();
    if (both_consume && known->current.epoch != kSuspended)
      return Refusal{
          ErrorCode::kUnreleasedInstanceId,
          fmt::format("instance id {} is still held by member {}", *request_.instance, known->id)};
    take_place_of(*known);
    return std::nullopt;
  }

  /// The instance comes back, maybe under another member id: what it was assigned is its own still.
  void take_place_of(const Consumer& old) {
    was_ = old;
    was_.id = request_.member;
    was_.current.epoch = was_.current.previous_epoch = kJoins;
    out_.replaced = old.id;
    append_member_tombstones(group_, old.id, out_.records);
    out_.records.emplace_back(ConsumerMemberEntry{{group_.id(), was_.id}, was_.about});
    const auto* target = group_.target(old.id);
    out_.records.emplace_back(TargetMemberEntry{
        {group_.id(), was_.id},
        ConsumerGroupTargetAssignmentMemberValue{target == nullptr ? Assignment{} : *target}});
    out_.records.emplace_back(CurrentMemberEntry{{group_.id(), was_.id}, was_.current});
  }

  Refusal unknown(const std::string& who) const {
    return {ErrorCode::kUnknownMemberId,
            fmt::format("group {} has no member {}", group_.id(), who)};
  }

  /// The answer that raised the epoch may be lost: who is one behind and claims nothing else goes
  /// on.
  std::optional<Refusal> check_epoch() const {
    if (request_.classic) return std::nullopt;
    const auto epoch = request_.epoch;
    const auto& current = was_.current;
    if (epoch == kJoins || epoch == current.epoch) return std::nullopt;
    if (epoch < current.epoch && epoch == current.previous_epoch &&
        is_part_of(request_.owned, current.assigned))
      return std::nullopt;
    return Refusal{ErrorCode::kFencedMemberEpoch,
                   fmt::format("member {} says epoch {}, but is at {}: it must give all "
                               "partitions up and join again",
                               was_.id, epoch.value, current.epoch.value)};
  }

  void update_member() {
    next_ = was_;
    auto& about = next_.about;
    if (request_.instance) about.instance = request_.instance;
    if (request_.rack) about.rack = request_.rack;
    if (request_.rebalance_timeout_ms != -1)
      about.rebalance_timeout_ms = request_.rebalance_timeout_ms;
    if (request_.assignor) about.server_assignor = request_.assignor;
    if (request_.regex) about.subscribed_regex = request_.regex;
    if (request_.topics) {
      const std::set<std::string> sorted(request_.topics->begin(), request_.topics->end());
      about.subscribed_topics.assign(sorted.begin(), sorted.end());
    }
    about.client = request_.client;
    about.classic = request_.classic;
    if (request_.classic) about.subscribed_regex = "";
    names_changed_ = about.subscribed_topics != was_.about.subscribed_topics;
    if (about != was_.about)
      out_.records.emplace_back(ConsumerMemberEntry{{group_.id(), next_.id}, about});
  }

  /// A new expression is resolved after the answer; the epoch waits for that.
  std::optional<Refusal> update_regexes() {
    const auto before = was_.regex();
    const auto after = next_.regex();
    bool is_new = false;
    if (before != after) {
      regex_changed_ = true;
      if (!before.empty() && group_.members_with_regex(before) == 1) {
        dropped_regex_ = before;
        out_.records.emplace_back(RegexEntry{{group_.id(), before}, std::nullopt});
      }
      if (after.empty() || group_.regexes().contains(after)) regex_resolved_ = true;
      is_new = !after.empty() && group_.members_with_regex(after) == 0;
      if (is_new)
        if (const auto wrong = regex_error(after))
          return Refusal{ErrorCode::kInvalidRegularExpression,
                         fmt::format("`{}` is no regular expression: {}", after, *wrong)};
    }
    out_.resolves_regexes = resolution_is_due(is_new);
    return std::nullopt;
  }

  bool resolution_is_due(bool is_new) const {
    if (request_.classic) return false;
    std::set<std::string> wanted;
    for (const auto& [id, member] : group_.members())
      if (id != was_.id && id != out_.replaced) wanted.insert(member.regex());
    wanted.insert(next_.regex());
    wanted.erase("");
    if (wanted.empty()) return false;
    const auto& resolved = group_.regexes();
    if (resolved.empty()) return true;
    const auto& last = resolved.begin()->second;
    const Millis age = now_ - last.timestamp;
    if (age <= config_.consumer_regex_min_refresh_interval_ms) return false;
    return is_new || wanted.size() != resolved.size() || last.version < topics_version_ ||
           age > config_.consumer_regex_refresh_interval_ms;
  }

  ConsumerView view() const {
    ConsumerView view(group_);
    if (!out_.replaced.empty()) view.remove(out_.replaced);
    view.put(next_);
    return view;
  }

  void update_epoch() {
    epoch_ = group_.epoch();
    bool grows = names_changed_ || regex_resolved_;
    if (!grows && !group_.needs_refresh()) return;
    auto after = view();
    if (dropped_regex_) after.remove_regex(*dropped_regex_);
    const auto hash = topics_hash(after.topics(), topics_);
    out_.refreshed = true;
    grows = grows || hash != group_.metadata_hash();
    if (!grows) return;
    ++epoch_;
    out_.records.emplace_back(
        ConsumerGroupEntry{{group_.id()}, ConsumerGroupMetadataValue{epoch_, hash}});
  }

  void update_target() {
    target_epoch_ = group_.assignment_epoch();
    const auto* target = group_.target(out_.replaced.empty() ? next_.id : out_.replaced);
    if (target != nullptr) target_ = *target;
    if (target_epoch_ >= epoch_ || request_.keeps_targets ||
        !group_.may_assign(config_.consumer_assignment_interval_ms, now_))
      return;

    const auto after = view();
    const auto task = after.task(topics_, out_.replaced);
    const auto plan =
        after.assignor() == kRangeAssignor ? assign_by_range(task) : assign_uniformly(task);
    NewTargets<Assignment> targets{target_epoch_ = epoch_, {}};
    for (std::size_t i = 0; i < plan.size(); ++i) {
      if (task.members[i].id == next_.id) target_ = plan[i];
      targets.of.emplace_back(task.members[i].id, plan[i]);
    }
    append_targets(group_, targets, now_, out_.records);
  }

  void move_member() {
    const bool changed = names_changed_ || regex_changed_;
    const auto subscribed = ConsumerView::topics_of(next_, group_, topics_);
    auto current =
        reconcile({group_, next_, target_epoch_, target_, subscribed, changed, request_.owned});
    out_.moved = current != next_.current;
    if (!out_.moved) return;
    next_.current = std::move(current);
    out_.records.emplace_back(CurrentMemberEntry{{group_.id(), next_.id}, next_.current});
    if (next_.current.state == MemberState::kUnrevokedPartitions && !request_.classic)
      out_.revoke_in = next_.about.rebalance_timeout_ms;
  }

  void answer() {
    auto& answer = out_.answer;
    answer.member = next_.id;
    answer.epoch = next_.current.epoch;
    answer.heartbeat_interval_ms = config_.consumer_heartbeat_interval_ms;
    const bool full = request_.rebalance_timeout_ms != -1 && request_.owned &&
                      (request_.topics || request_.regex);
    if (request_.epoch == kJoins || full || next_.current.assigned != was_.current.assigned)
      answer.assignment = plain(next_.current.assigned);
  }

  const ConsumerGroup& group_;
  const ConsumerHeartbeat& request_;
  const GroupsConfig& config_;
  const Topics& topics_;
  std::int64_t topics_version_;
  TimestampMs now_;
  Consumer was_;
  Consumer next_;
  bool names_changed_ = false;
  bool regex_changed_ = false;
  bool regex_resolved_ = false;
  std::optional<std::string> dropped_regex_;
  MemberEpoch epoch_{0};
  MemberEpoch target_epoch_{-1};
  Assignment target_;
  HeartbeatOutcome out_;
};

}  // namespace

std::optional<Refusal> check_heartbeat(const ConsumerHeartbeat& request) {
  const auto blank = [](const std::string& text) {
    return text.find_first_not_of(" \t\r\n") == std::string::npos;
  };
  const auto invalid = [](std::string message) {
    return Refusal{ErrorCode::kInvalidRequest, std::move(message)};
  };
  const auto epoch = request.epoch.value;
  const bool needs_id = !request.makes_member_id || epoch > 0 || epoch == -1;
  if (needs_id && blank(request.member)) return invalid("the member id is empty");
  if (blank(request.group)) return invalid("the group id is empty");
  if (request.instance && blank(*request.instance)) return invalid("the instance id is empty");
  if (request.rack && blank(*request.rack)) return invalid("the rack id is empty");
  if (epoch == 0) {
    if (request.rebalance_timeout_ms == -1)
      return invalid("a member that joins must give its rebalance timeout");
    if (!request.owned || !request.owned->empty())
      return invalid("a member that joins must own no partitions, and say so");
    if (!request.topics && !request.regex)
      return invalid("a member that joins must subscribe, by names or by a regular expression");
  } else if (epoch == -2 && !request.instance) {
    return invalid("only a member with an instance id can leave for a while");
  } else if (epoch < -2) {
    return invalid(fmt::format("{} is no member epoch", epoch));
  }
  if (request.assignor && *request.assignor != kUniformAssignor &&
      *request.assignor != kRangeAssignor)
    return Refusal{ErrorCode::kUnsupportedAssignor,
                   fmt::format("no assignor {}: there are {} and {}", *request.assignor,
                               kUniformAssignor, kRangeAssignor)};
  return std::nullopt;
}

std::expected<HeartbeatOutcome, Refusal> heartbeat(const ConsumerGroup& group,
                                                   const ConsumerHeartbeat& request,
                                                   const GroupsConfig& config, const Topics& topics,
                                                   std::int64_t topics_version, TimestampMs now) {
  return Step(group, request, config, topics, topics_version, now).run();
}

}  // namespace tailrace::groups
