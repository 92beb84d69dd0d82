#include "groups/streams_heartbeat.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "groups/streams_endpoints.h"
#include "groups/streams_reconcile.h"
#include "groups/task_assignor.h"
#include "groups/topic_hash.h"

namespace tailrace::groups {

namespace {

constexpr MemberEpoch kJoins{0};
constexpr std::string_view kStandbys = "num.standby.replicas";

bool is_part_of(const std::optional<Tasks>& owned, const Tasks& assigned) {
  if (!owned) return false;
  for (const auto& [id, partitions] : *owned) {
    const auto some = assigned.find(id);
    for (const auto partition : partitions)
      if (some == assigned.end() || !some->second.contains(partition)) return false;
  }
  return true;
}

/// A target for every member, `changed` (if any) in the place of the one of its id. Nothing for
/// anybody while the topology is not ready.
NewTargets<TaskSet> assign(const StreamsGroup& group, const StreamsMember* changed,
                           const ConfiguredTopology& topology, std::int32_t standbys,
                           MemberEpoch epoch) {
  std::map<std::string, std::string> processes;
  for (const auto& [id, member] : group.members()) processes[id] = member.about.process;
  if (changed != nullptr) processes[changed->id] = changed->about.process;
  TaskAssignment task;
  task.standbys = standbys;
  if (topology.ready())
    for (const auto& [id, part] : topology.subtopologies)
      task.subtopologies[id] = {part.tasks, part.stateful};
  for (const auto& [id, process] : processes) {
    const auto* had = group.target(id);
    task.members.push_back({id, process, had == nullptr ? TaskSet{} : *had});
  }
  auto plan = assign_tasks(task);
  NewTargets<TaskSet> out{epoch, {}};
  for (std::size_t i = 0; i < plan.size(); ++i)
    out.of.emplace_back(task.members[i].id, std::move(plan[i]));
  return out;
}

class Step {
 public:
  Step(const StreamsGroup& group, const StreamsHeartbeat& request,
       const StreamsSurroundings& around)
      : group_(group), request_(request), around_(around), config_(around.config) {
    if (request.active && request.standby && request.warmup)
      owned_ = TaskSet{*request.active, *request.standby, *request.warmup};
  }

  std::expected<StreamsOutcome, Refusal> run() {
    using Part = std::optional<Refusal> (Step::*)();
    for (const Part part :
         {&Step::find_member, &Step::update_member, &Step::update_topology,
          &Step::configure_topology, &Step::update_epoch, &Step::update_target, &Step::move_member})
      if (auto refusal = (this->*part)()) return std::unexpected(std::move(*refusal));
    answer();
    return std::move(out_);
  }

 private:
  std::optional<Refusal> find_member() {
    const bool joins = request_.epoch == kJoins;
    if (joins && std::ssize(group_.members()) >= config_.streams_max_size)
      return Refusal{
          ErrorCode::kGroupMaxSizeReached,
          fmt::format("The streams group has reached its maximum capacity of {} members.",
                      config_.streams_max_size)};
    const auto* known = group_.find(request_.member);
    if (known == nullptr && !joins)
      return Refusal{
          ErrorCode::kUnknownMemberId,
          fmt::format("Member {} is not a member of group {}.", request_.member, group_.id())};
    is_new_ = known == nullptr;
    if (known != nullptr) was_ = *known;
    was_.id = request_.member;
    return joins ? std::nullopt : check_epoch();
  }

  /// The answer that raised the epoch may be lost: who is one behind and claims nothing else goes
  /// on.
  std::optional<Refusal> check_epoch() const {
    const auto epoch = request_.epoch;
    const auto& current = was_.current;
    if (epoch == current.epoch) return std::nullopt;
    const auto assigned = plain(current.assigned);
    if (epoch < current.epoch && epoch == current.previous_epoch &&
        is_part_of(request_.active, assigned.active) &&
        is_part_of(request_.standby, assigned.standby) &&
        is_part_of(request_.warmup, assigned.warmup))
      return std::nullopt;
    return Refusal{
        ErrorCode::kFencedMemberEpoch,
        fmt::format("The streams group member has a {} member epoch ({}) than the one known by the "
                    "group coordinator ({}). The member must abandon all its partitions and "
                    "rejoin.",
                    epoch > current.epoch ? "greater" : "smaller", epoch.value,
                    current.epoch.value)};
  }

  std::optional<Refusal> update_member() {
    next_ = was_;
    auto& about = next_.about;
    if (request_.rack) about.rack = request_.rack;
    if (request_.rebalance_timeout_ms != -1)
      about.rebalance_timeout_ms = request_.rebalance_timeout_ms;
    if (request_.topology) about.topology_epoch = request_.topology->epoch;
    if (request_.process) about.process = *request_.process;
    if (request_.endpoint) about.endpoint = request_.endpoint;
    if (request_.tags) about.tags = *request_.tags;
    about.client = request_.client;
    bump_ = is_new_ || about != was_.about;
    if (bump_) out_.records.emplace_back(StreamsMemberEntry{{group_.id(), next_.id}, about});
    return std::nullopt;
  }

  std::optional<Refusal> update_topology() {
    const auto& known = group_.topology();
    if (!known && !request_.topology)
      return Refusal{ErrorCode::kUnknownServerError,
                     "The topology is null and the group topology is also null."};
    topology_ = known ? &*known : &*request_.topology;
    if (!known) {
      out_.records.emplace_back(StreamsTopologyEntry{{group_.id()}, *request_.topology});
      return std::nullopt;
    }
    if (request_.topology && request_.topology->epoch >= known->epoch &&
        !is_same(*request_.topology, *known))
      return Refusal{ErrorCode::kInvalidRequest, "Topology updates are not supported yet."};
    if (next_.about.topology_epoch < known->epoch)
      say(StreamsStatusCode::kStaleTopology,
          fmt::format("The member's topology epoch {} is behind the group's topology epoch {}.",
                      next_.about.topology_epoch, known->epoch));
    return std::nullopt;
  }

  static bool is_same(StreamsTopology one, StreamsTopology other) {
    std::ranges::sort(one.subtopologies, {}, &Subtopology::id);
    std::ranges::sort(other.subtopologies, {}, &Subtopology::id);
    return one == other;
  }

  std::optional<Refusal> configure_topology() {
    hash_ = group_.metadata_hash();
    const auto& before = group_.fleeting.configured;
    if (before && !group_.needs_refresh()) return check_tasks();
    hash_ = topics_hash(required_topics(*topology_), around_.topics);
    bump_ = bump_ || hash_ != group_.metadata_hash();
    auto configured = groups::configure(*topology_, around_.topics);
    if (!configured) return std::move(configured.error());
    out_.configured = std::move(*configured);
    return check_tasks();
  }

  const ConfiguredTopology& configured() const {
    return out_.configured ? *out_.configured : *group_.fleeting.configured;
  }

  std::optional<Refusal> check_tasks() const {
    if (!configured().ready()) return std::nullopt;
    for (const auto* tasks : {&request_.active, &request_.standby, &request_.warmup}) {
      if (!*tasks) continue;
      for (const auto& [id, partitions] : **tasks) {
        const auto part = configured().subtopologies.find(id);
        if (part == configured().subtopologies.end())
          return Refusal{ErrorCode::kInvalidRequest,
                         fmt::format("Subtopology {} does not exist in the topology.", id)};
        const auto count = part->second.tasks;
        for (const auto partition : partitions)
          if (partition < 0 || partition >= count)
            return Refusal{ErrorCode::kInvalidRequest,
                           fmt::format("Task {} for subtopology {} is invalid. Number of tasks for "
                                       "this subtopology: {}",
                                       partition, id, count)};
      }
    }
    return std::nullopt;
  }

  std::optional<Refusal> update_epoch() {
    epoch_ = group_.epoch();
    const std::int32_t validated = configured().ready() ? topology_->epoch : -1;
    const std::map<std::string, std::string> configs = {
        {std::string(kStandbys), std::to_string(config_.streams_num_standby_replicas)}};
    if (!bump_ && validated == group_.validated_topology_epoch() &&
        configs == group_.assignment_configs())
      return std::nullopt;
    ++epoch_;
    out_.records.emplace_back(StreamsGroupEntry{
        {group_.id()}, StreamsGroupMetadataValue{epoch_, hash_, validated, configs}});
    return std::nullopt;
  }

  std::optional<Refusal> update_target() {
    target_epoch_ = group_.assignment_epoch();
    if (around_.delayed) {
      say(StreamsStatusCode::kAssignmentDelayed,
          "Assignment delayed due to the configured initial rebalance delay.");
      return std::nullopt;
    }
    if (const auto* target = group_.target(next_.id)) target_ = *target;
    if (target_epoch_ >= epoch_) return std::nullopt;
    if (!group_.may_assign(config_.streams_assignment_interval_ms, around_.now)) {
      say(StreamsStatusCode::kAssignmentDelayed,
          "Assignment delayed due to the configured assignment interval.");
      return std::nullopt;
    }
    const auto targets =
        assign(group_, &next_, configured(), config_.streams_num_standby_replicas, epoch_);
    append_targets(group_, targets, around_.now, out_.records);
    target_epoch_ = epoch_;
    target_ =
        std::ranges::find(targets.of, next_.id, [](const auto& one) { return one.first; })->second;
    return std::nullopt;
  }

  std::optional<Refusal> move_member() {
    auto current = reconcile({group_, next_, target_epoch_, target_, owned_});
    if (!current) return std::move(current.error());
    out_.moved = *current != next_.current;
    if (!out_.moved) return std::nullopt;
    next_.current = std::move(*current);
    out_.records.emplace_back(StreamsCurrentEntry{{group_.id(), next_.id}, next_.current});
    if (next_.current.state == StreamsMemberState::kUnrevokedTasks)
      out_.revoke_in = next_.about.rebalance_timeout_ms;
    return std::nullopt;
  }

  void say(StreamsStatusCode code, std::string detail) {
    out_.answer.statuses.push_back({code, std::move(detail)});
  }

  void answer() {
    auto& answer = out_.answer;
    answer.member = next_.id;
    answer.epoch = next_.current.epoch;
    answer.heartbeat_interval_ms = config_.streams_heartbeat_interval_ms;
    if (request_.epoch == kJoins || next_.current.assigned != was_.current.assigned) {
      answer.tasks = plain(next_.current.assigned);
      out_.endpoint_changed = next_.about.endpoint.has_value();
    }
    const auto endpoints = group_.fleeting.endpoint_epoch + (out_.endpoint_changed ? 1 : 0);
    answer.endpoint_epoch = endpoints;
    if (endpoints != request_.endpoint_epoch)
      answer.endpoints = endpoints_of(group_, next_, configured(), around_.topics);
    if (const auto& trouble = configured().trouble) {
      answer.missing = configured().missing;
      answer.statuses.push_back(*trouble);
    }
    const auto& stopper = group_.fleeting.shutdown;
    if (stopper || request_.shutdown)
      say(StreamsStatusCode::kShutdownApplication,
          fmt::format("Streams group member {} encountered a fatal error and requested a shutdown "
                      "for the entire application.",
                      stopper.value_or(request_.member)));
  }

  const StreamsGroup& group_;
  const StreamsHeartbeat& request_;
  const StreamsSurroundings& around_;
  const GroupsConfig& config_;
  std::optional<TaskSet> owned_;
  StreamsMember was_;
  StreamsMember next_;
  bool is_new_ = false;
  bool bump_ = false;
  const StreamsTopology* topology_ = nullptr;
  std::int64_t hash_ = 0;
  MemberEpoch epoch_{0};
  MemberEpoch target_epoch_{-1};
  TaskSet target_;
  StreamsOutcome out_;
};

std::optional<std::string> unsupported(const StreamsHeartbeat& request) {
  if (request.instance) return "Static membership is not yet supported.";
  if (request.tells_offsets) return "TaskOffsets are not supported yet.";
  if (request.warmup && !request.warmup->empty()) return "WarmupTasks are not supported yet.";
  if (!request.topology) return std::nullopt;
  for (const auto& part : request.topology->subtopologies)
    if (!part.source_regexes.empty())
      return "Regular expressions for source topics are not supported yet.";
  return std::nullopt;
}

std::optional<std::string> invalid_join(const StreamsHeartbeat& request) {
  const auto owns = [](const std::optional<Tasks>& tasks) { return !tasks || !tasks->empty(); };
  if (request.rebalance_timeout_ms == -1)
    return "RebalanceTimeoutMs must be provided in first request.";
  if (owns(request.active)) return "ActiveTasks must be empty when (re-)joining.";
  if (owns(request.standby)) return "StandbyTasks must be empty when (re-)joining.";
  if (owns(request.warmup)) return "WarmupTasks must be empty when (re-)joining.";
  if (!request.topology) return "Topology must be non-null when (re-)joining.";
  return std::nullopt;
}

std::optional<std::string> invalid(const StreamsHeartbeat& request) {
  const auto blank = [](const std::string& text) {
    return text.find_first_not_of(" \t\r\n") == std::string::npos;
  };
  if (blank(request.member)) return "MemberId can't be empty.";
  if (blank(request.group)) return "GroupId can't be empty.";
  if (request.rack && blank(*request.rack)) return "RackId can't be empty.";
  if (request.epoch == kJoins) return invalid_join(request);
  if (request.epoch.value == -2) return "InstanceId can't be null.";
  if (request.epoch.value < -2)
    return fmt::format("MemberEpoch is {}, but must be greater than or equal to -2.",
                       request.epoch.value);
  const int told = int{request.active.has_value()} + int{request.standby.has_value()} +
                   int{request.warmup.has_value()};
  if (told % 3 != 0) return "If one task-type is non-null, all must be non-null.";
  if (request.topology) return "Topology can only be provided when (re-)joining.";
  return std::nullopt;
}

std::optional<Refusal> invalid_topology(const StreamsTopology& topology) {
  const auto refuse = [](std::string message) {
    return Refusal{ErrorCode::kStreamsInvalidTopology, std::move(message)};
  };
  std::set<std::string> ids;
  for (const auto& part : topology.subtopologies) {
    for (const auto& topic : part.changelogs)
      if (topic.partitions != 0)
        return refuse(
            fmt::format("Changelog topic {} must have an undefined partition count, but it is set "
                        "to {}.",
                        topic.name, topic.partitions));
    for (const auto& topic : part.repartitions)
      if (topic.partitions < 0)
        return refuse(fmt::format("Repartition topic {} cannot have {} partitions.", topic.name,
                                  topic.partitions));
    if (!ids.insert(part.id).second)
      return refuse("Subtopology " + part.id + " is there more than once.");
  }
  if (topology.epoch < 0) return refuse("Topology epoch must be non-negative.");
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> check_heartbeat(const StreamsHeartbeat& request) {
  auto wrong = unsupported(request);
  if (!wrong) wrong = invalid(request);
  if (wrong) return Refusal{ErrorCode::kInvalidRequest, std::move(*wrong)};
  return request.topology ? invalid_topology(*request.topology) : std::nullopt;
}

std::expected<StreamsOutcome, Refusal> heartbeat(const StreamsGroup& group,
                                                 const StreamsHeartbeat& request,
                                                 const StreamsSurroundings& around) {
  return Step(group, request, around).run();
}

std::vector<Record> remove_member(const StreamsGroup& group, const std::string& member) {
  std::vector<Record> records;
  append_member_tombstones(group, member, records);
  records.emplace_back(StreamsGroupEntry{
      {group.id()},
      StreamsGroupMetadataValue{group.epoch() + 1, group.metadata_hash(),
                                group.validated_topology_epoch(), group.assignment_configs()}});
  return records;
}

std::vector<Record> assign_delayed(const StreamsGroup& group, const GroupsConfig& config,
                                   TimestampMs now) {
  std::vector<Record> records;
  if (group.is_empty() || group.epoch() <= group.assignment_epoch() || !group.fleeting.configured ||
      !group.may_assign(config.streams_assignment_interval_ms, now))
    return records;
  const auto targets = assign(group, nullptr, *group.fleeting.configured,
                              config.streams_num_standby_replicas, group.epoch());
  append_targets(group, targets, now, records);
  return records;
}

}  // namespace tailrace::groups
