// A streams group's records, checks and views.
#include "groups/streams_group.h"

#include <algorithm>

namespace tailrace::groups {

namespace {

constexpr MemberEpoch kLeft{-1};

template <typename Do>
void each_task(const Tasks& tasks, const Do& act) {
  for (const auto& [subtopology, partitions] : tasks)
    for (const auto partition : partitions) act(std::pair(subtopology, partition));
}

template <typename Active, typename Idle>
void each_owned(const StreamsMember& member, const Active& active, const Idle& idle) {
  for (const auto* part : {&member.current.assigned, &member.current.pending_revocation}) {
    for (const auto& [subtopology, partitions] : part->active)
      for (const auto& [partition, epoch] : partitions) active(std::pair(subtopology, partition));
    each_task(part->standby, idle);
    each_task(part->warmup, idle);
  }
}

}  // namespace

TaskSet plain(const OwnedTasks& tasks) {
  TaskSet out{{}, tasks.standby, tasks.warmup};
  for (const auto& [subtopology, partitions] : tasks.active)
    for (const auto& [partition, epoch] : partitions) out.active[subtopology].insert(partition);
  return out;
}

// Records.

void StreamsGroup::apply(const StreamsGroupEntry& entry) {
  AssignedGroup::apply(entry);
  if (!entry.value) return;
  validated_topology_epoch_ = entry.value->validated_topology_epoch;
  configs_ = entry.value->assignment_configs;
}

void StreamsGroup::apply(const StreamsMemberEntry& entry) {
  const auto known = members_.find(entry.key.member);
  if (known != members_.end()) release(known->second);
  if (!entry.value) {
    if (known != members_.end()) members_.erase(known);
    if (members_.empty()) fleeting.shutdown.reset();
    return;
  }
  auto& member =
      members_.try_emplace(entry.key.member, StreamsMember{entry.key.member}).first->second;
  member.about = *entry.value;
  hold(member);
}

void StreamsGroup::apply(const StreamsCurrentEntry& entry) {
  auto known = members_.find(entry.key.member);
  if (known == members_.end()) {
    if (!entry.value) return;
    known = members_.emplace(entry.key.member, StreamsMember{entry.key.member}).first;
  }
  auto& member = known->second;
  release(member);
  member.current = entry.value.value_or(
      StreamsGroupCurrentMemberAssignmentValue{kLeft, kLeft, member.current.state, {}, {}});
  hold(member);
}

void StreamsGroup::apply(const StreamsTopologyEntry& entry) {
  topology_ = entry.value;
  fleeting.configured.reset();
}

void StreamsGroup::hold(const StreamsMember& member) {
  const auto& process = member.about.process;
  each_owned(
      member, [&](const Task& task) { active_[task] = process; },
      [&](const Task& task) { idle_[task].insert(process); });
}

void StreamsGroup::release(const StreamsMember& member) {
  const auto& process = member.about.process;
  const auto active = [&](const Task& task) {
    const auto found = active_.find(task);
    if (found != active_.end() && found->second == process) active_.erase(found);
  };
  const auto idle = [&](const Task& task) {
    const auto found = idle_.find(task);
    if (found == idle_.end()) return;
    if (const auto one = found->second.find(process); one != found->second.end())
      found->second.erase(one);
    if (found->second.empty()) idle_.erase(found);
  };
  each_owned(member, active, idle);
}

// Tasks.

bool StreamsGroup::is_active(const std::string& subtopology, std::int32_t partition) const {
  return active_.contains({subtopology, partition});
}

bool StreamsGroup::is_in(const std::string& process, const std::string& subtopology,
                         std::int32_t partition) const {
  const auto active = active_.find({subtopology, partition});
  if (active != active_.end() && active->second == process) return true;
  const auto idle = idle_.find({subtopology, partition});
  return idle != idle_.end() && idle->second.contains(process);
}

bool StreamsGroup::needs(const std::string& topic) const {
  return topology_ && required_topics(*topology_).contains(topic);
}

bool StreamsGroup::subscribes_to(const std::string& topic) const {
  return !is_empty() && topology_ && reader_of(*topology_, topic) != nullptr;
}

std::string_view StreamsGroup::state_name() const {
  if (is_empty()) return "Empty";
  if (!topology_ || topology_->epoch != validated_topology_epoch_) return "NotReady";
  if (epoch() > assignment_epoch()) return "Assigning";
  const bool all = std::ranges::all_of(members_, [&](const auto& member) {
    return member.second.reconciled_to(assignment_epoch());
  });
  return all ? "Stable" : "Reconciling";
}

// Checks.

/// When the member got the task that reads the partition; nothing: it is not its own.
std::optional<MemberEpoch> StreamsGroup::held_since(const StreamsMember& member,
                                                    const std::string& topic,
                                                    std::int32_t partition) const {
  const auto* part = topology_ ? reader_of(*topology_, topic) : nullptr;
  if (part == nullptr) return std::nullopt;
  for (const auto* owned : {&member.current.assigned, &member.current.pending_revocation}) {
    const auto tasks = owned->active.find(part->id);
    if (tasks == owned->active.end()) continue;
    const auto task = tasks->second.find(partition);
    if (task != tasks->second.end()) return task->second;
  }
  return std::nullopt;
}

ErrorCode StreamsGroup::check_commit(const CommitOffsets& request) const {
  const MemberEpoch epoch(request.generation.value);
  if (epoch.value < 0 && is_empty()) return ErrorCode::kNone;
  const bool in_transaction = request.producer.has_value();
  if (in_transaction && epoch == kLeft && request.member.empty() && !request.instance)
    return ErrorCode::kNone;
  const auto* member = find(request.member);
  if (member == nullptr) return ErrorCode::kUnknownMemberId;
  if (!in_transaction && !request.takes_group_errors) return ErrorCode::kUnsupportedVersion;
  if (epoch == member->current.epoch) return ErrorCode::kNone;
  const auto stale = in_transaction ? ErrorCode::kIllegalGeneration : ErrorCode::kStaleMemberEpoch;
  if (epoch > member->current.epoch) return stale;
  // KIP-1251: an older epoch is good for tasks the member has had since then.
  for (const auto& topic : request.topics)
    for (const auto& offset : topic.partitions) {
      const auto since = held_since(*member, topic.topic, offset.partition);
      if (!since || epoch < *since) return stale;
    }
  return ErrorCode::kNone;
}

ErrorCode StreamsGroup::check_fetch(const FetchOffsets& request) const {
  if (!request.member && request.member_epoch.value < 0) return ErrorCode::kNone;
  const auto* member = find(request.member.value_or(""));
  if (member == nullptr) return ErrorCode::kUnknownMemberId;
  return member->current.epoch == request.member_epoch ? ErrorCode::kNone
                                                       : ErrorCode::kStaleMemberEpoch;
}

// Views.

DescribedStreamsGroup StreamsGroup::describe() const {
  DescribedStreamsGroup out;
  out.group = id();
  out.state = state_name();
  out.epoch = epoch();
  out.assignment_epoch = assignment_epoch();
  out.assignor = "sticky";
  const bool ready = fleeting.configured && fleeting.configured->ready();
  out.topology = ready ? fleeting.configured->topology : topology_;
  for (const auto& [id, member] : members_) {
    const auto* wanted = target(id);
    out.members.push_back({id, member.current.epoch, member.about, plain(member.current.assigned),
                           wanted == nullptr ? TaskSet{} : *wanted});
  }
  return out;
}

std::vector<Record> StreamsGroup::tombstones() const {
  std::vector<Record> out;
  for (const auto& [name, member] : members_) append_member_tombstones(*this, name, out);
  out.emplace_back(StreamsTargetEpochEntry{{id()}, std::nullopt});
  out.emplace_back(StreamsTopologyEntry{{id()}, std::nullopt});
  out.emplace_back(StreamsGroupEntry{{id()}, std::nullopt});
  return out;
}

}  // namespace tailrace::groups
