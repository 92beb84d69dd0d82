#include "kafka/streams_group_messages.h"

#include "kafka/streams_shapes.h"

namespace tailrace::kafka {
namespace {

using EpochedTasks = StreamsGroupCurrentMemberAssignmentValue::TaskIds;
using TargetTasks = StreamsGroupTargetAssignmentMemberValue::TaskIds;

/// Only active tasks have epochs.
std::vector<EpochedTasks> message(const groups::Tasks& tasks) {
  auto out = task_ids<EpochedTasks>(tasks);
  for (auto& one : out) one.assignment_epochs.reset();
  return out;
}

std::vector<EpochedTasks> message(const groups::EpochTasks& tasks) {
  std::vector<EpochedTasks> out;
  for (const auto& [id, partitions] : tasks) {
    auto& one = out.emplace_back();
    one.subtopology_id = id;
    one.assignment_epochs.emplace();
    for (const auto& [partition, since] : partitions) {
      one.partitions.push_back(partition);
      one.assignment_epochs->push_back(since.value);
    }
  }
  return out;
}

/// What has no epoch came with the member's own.
groups::EpochTasks plain(const std::vector<EpochedTasks>& tasks, std::int32_t member_epoch) {
  groups::EpochTasks out;
  for (const auto& one : tasks) {
    auto& partitions = out[one.subtopology_id];
    for (std::size_t i = 0; i < one.partitions.size(); ++i) {
      const bool told = one.assignment_epochs && i < one.assignment_epochs->size();
      partitions[one.partitions[i]] =
          groups::MemberEpoch(told ? (*one.assignment_epochs)[i] : member_epoch);
    }
  }
  return out;
}

groups::StreamsMemberState state_of(std::int8_t number) {
  using State = groups::StreamsMemberState;
  const auto state = static_cast<State>(number);
  const bool known = state == State::kStable || state == State::kUnrevokedTasks ||
                     state == State::kUnreleasedTasks;
  return known ? state : State::kUnknown;
}

}  // namespace

StreamsGroupMetadataKey message(const groups::StreamsGroupMetadataKey& key) {
  return {key.group};
}
StreamsGroupMemberMetadataKey message(const groups::StreamsGroupMemberMetadataKey& key) {
  return {key.group, key.member};
}
StreamsGroupTargetAssignmentMetadataKey message(
    const groups::StreamsGroupTargetAssignmentMetadataKey& key) {
  return {key.group};
}
StreamsGroupTargetAssignmentMemberKey message(
    const groups::StreamsGroupTargetAssignmentMemberKey& key) {
  return {key.group, key.member};
}
StreamsGroupCurrentMemberAssignmentKey message(
    const groups::StreamsGroupCurrentMemberAssignmentKey& key) {
  return {key.group, key.member};
}
StreamsGroupTopologyKey message(const groups::StreamsGroupTopologyKey& key) {
  return {key.group};
}

groups::StreamsGroupMetadataKey plain(const StreamsGroupMetadataKey& key) {
  return {key.group_id};
}
groups::StreamsGroupMemberMetadataKey plain(const StreamsGroupMemberMetadataKey& key) {
  return {key.group_id, key.member_id};
}
groups::StreamsGroupTargetAssignmentMetadataKey plain(
    const StreamsGroupTargetAssignmentMetadataKey& key) {
  return {key.group_id};
}
groups::StreamsGroupTargetAssignmentMemberKey plain(
    const StreamsGroupTargetAssignmentMemberKey& key) {
  return {key.group_id, key.member_id};
}
groups::StreamsGroupCurrentMemberAssignmentKey plain(
    const StreamsGroupCurrentMemberAssignmentKey& key) {
  return {key.group_id, key.member_id};
}
groups::StreamsGroupTopologyKey plain(const StreamsGroupTopologyKey& key) {
  return {key.group_id};
}

StreamsGroupMetadataValue message(const groups::StreamsGroupMetadataValue& value) {
  using Config = StreamsGroupMetadataValue::LastAssignmentConfig;
  StreamsGroupMetadataValue out;
  out.epoch = value.epoch.value;
  out.metadata_hash = value.metadata_hash;
  out.validated_topology_epoch = value.validated_topology_epoch;
  out.last_assignment_configs = key_values<Config>(value.assignment_configs);
  return out;
}

groups::StreamsGroupMetadataValue plain(const StreamsGroupMetadataValue& value) {
  groups::StreamsGroupMetadataValue out;
  out.epoch = groups::MemberEpoch(value.epoch);
  out.metadata_hash = value.metadata_hash;
  out.validated_topology_epoch = value.validated_topology_epoch;
  if (value.last_assignment_configs) {
    out.assignment_configs = map_of(*value.last_assignment_configs);
  }
  return out;
}

StreamsGroupMemberMetadataValue message(const groups::StreamsGroupMemberMetadataValue& value) {
  StreamsGroupMemberMetadataValue out;
  out.instance_id = value.instance;
  out.rack_id = value.rack;
  out.client_id = value.client.id;
  out.client_host = value.client.host;
  out.rebalance_timeout_ms = value.rebalance_timeout_ms;
  out.topology_epoch = value.topology_epoch;
  out.process_id = value.process;
  if (value.endpoint) {
    out.user_endpoint =
        StreamsGroupMemberMetadataValue::Endpoint{value.endpoint->host, value.endpoint->port};
  }
  out.client_tags = key_values<StreamsGroupMemberMetadataValue::KeyValue>(value.tags);
  return out;
}

groups::StreamsGroupMemberMetadataValue plain(const StreamsGroupMemberMetadataValue& value) {
  groups::StreamsGroupMemberMetadataValue out;
  out.instance = value.instance_id;
  out.rack = value.rack_id;
  out.client = {value.client_id, value.client_host};
  out.rebalance_timeout_ms = value.rebalance_timeout_ms;
  out.topology_epoch = value.topology_epoch;
  out.process = value.process_id;
  if (value.user_endpoint) {
    out.endpoint = groups::StreamsEndpoint{value.user_endpoint->host, value.user_endpoint->port};
  }
  out.tags = map_of(value.client_tags);
  return out;
}

StreamsGroupTargetAssignmentMetadataValue message(
    const groups::StreamsGroupTargetAssignmentMetadataValue& value) {
  return {value.assignment_epoch.value, value.assignment_timestamp.value};
}

groups::StreamsGroupTargetAssignmentMetadataValue plain(
    const StreamsGroupTargetAssignmentMetadataValue& value) {
  return {groups::MemberEpoch(value.assignment_epoch), TimestampMs(value.assignment_timestamp)};
}

StreamsGroupTargetAssignmentMemberValue message(
    const groups::StreamsGroupTargetAssignmentMemberValue& value) {
  return {task_ids<TargetTasks>(value.tasks.active), task_ids<TargetTasks>(value.tasks.standby),
          task_ids<TargetTasks>(value.tasks.warmup)};
}

groups::StreamsGroupTargetAssignmentMemberValue plain(
    const StreamsGroupTargetAssignmentMemberValue& value) {
  return {
      {tasks_of(value.active_tasks), tasks_of(value.standby_tasks), tasks_of(value.warmup_tasks)}};
}

StreamsGroupCurrentMemberAssignmentValue message(
    const groups::StreamsGroupCurrentMemberAssignmentValue& value) {
  StreamsGroupCurrentMemberAssignmentValue out;
  out.member_epoch = value.epoch.value;
  out.previous_member_epoch = value.previous_epoch.value;
  out.state = static_cast<std::int8_t>(value.state);
  out.active_tasks = message(value.assigned.active);
  out.standby_tasks = message(value.assigned.standby);
  out.warmup_tasks = message(value.assigned.warmup);
  out.active_tasks_pending_revocation = message(value.pending_revocation.active);
  out.standby_tasks_pending_revocation = message(value.pending_revocation.standby);
  out.warmup_tasks_pending_revocation = message(value.pending_revocation.warmup);
  return out;
}

groups::StreamsGroupCurrentMemberAssignmentValue plain(
    const StreamsGroupCurrentMemberAssignmentValue& value) {
  return {.epoch = groups::MemberEpoch(value.member_epoch),
          .previous_epoch = groups::MemberEpoch(value.previous_member_epoch),
          .state = state_of(value.state),
          .assigned = {plain(value.active_tasks, value.member_epoch), tasks_of(value.standby_tasks),
                       tasks_of(value.warmup_tasks)},
          .pending_revocation = {plain(value.active_tasks_pending_revocation, value.member_epoch),
                                 tasks_of(value.standby_tasks_pending_revocation),
                                 tasks_of(value.warmup_tasks_pending_revocation)}};
}

StreamsGroupTopologyValue message(const groups::StreamsTopology& value) {
  using TopicInfo = StreamsGroupTopologyValue::TopicInfo;
  StreamsGroupTopologyValue out;
  out.epoch = value.epoch;
  for (const auto& part : value.subtopologies) {
    auto& one = out.subtopologies.emplace_back();
    one.subtopology_id = part.id;
    one.source_topics = part.sources;
    one.source_topic_regex = part.source_regexes;
    one.state_changelog_topics = topic_infos<TopicInfo>(part.changelogs);
    one.repartition_sink_topics = part.repartition_sinks;
    one.repartition_source_topics = topic_infos<TopicInfo>(part.repartitions);
    for (const auto& group : part.copartitions) {
      one.copartition_groups.push_back({group.sources, group.source_regexes, group.repartitions});
    }
  }
  return out;
}

groups::StreamsTopology plain(const StreamsGroupTopologyValue& value) {
  return topology_of(value);
}

}  // namespace tailrace::kafka
