// The shapes that the messages of streams groups (KIP-1071) have in common, each with structs of
// its own: tasks, pairs of key and value, topologies.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "groups/streams_records.h"

namespace tailrace::kafka {

template <typename TaskIds>
std::vector<TaskIds> task_ids(const groups::Tasks& tasks) {
  std::vector<TaskIds> out;
  for (const auto& [id, partitions] : tasks) {
    auto& one = out.emplace_back();
    one.subtopology_id = id;
    one.partitions.assign(partitions.begin(), partitions.end());
  }
  return out;
}

template <typename TaskIds>
groups::Tasks tasks_of(const std::vector<TaskIds>& ids) {
  groups::Tasks out;
  for (const auto& one : ids) {
    out[one.subtopology_id].insert(one.partitions.begin(), one.partitions.end());
  }
  return out;
}

template <typename KeyValue, typename Pairs>
std::vector<KeyValue> key_values(const Pairs& pairs) {
  std::vector<KeyValue> out;
  for (const auto& [key, value] : pairs) out.push_back({key, value});
  return out;
}

template <typename KeyValue>
std::map<std::string, std::string> map_of(const std::vector<KeyValue>& pairs) {
  std::map<std::string, std::string> out;
  for (const auto& one : pairs) out.insert_or_assign(one.key, one.value);
  return out;
}

template <typename TopicInfo>
std::vector<TopicInfo> topic_infos(const std::vector<groups::InternalTopic>& topics) {
  using Pairs = decltype(TopicInfo::topic_configs);
  std::vector<TopicInfo> out;
  for (const auto& topic : topics) {
    out.push_back({topic.name, topic.partitions, topic.replication,
                   key_values<typename Pairs::value_type>(topic.configs)});
  }
  return out;
}

template <typename TopicInfo>
std::vector<groups::InternalTopic> internal_topics(const std::vector<TopicInfo>& topics) {
  std::vector<groups::InternalTopic> out;
  for (const auto& topic : topics) {
    auto& one = out.emplace_back();
    one.name = topic.name;
    one.partitions = topic.partitions;
    one.replication = topic.replication_factor;
    for (const auto& config : topic.topic_configs)
      one.configs.emplace_back(config.key, config.value);
  }
  return out;
}

/// Of a heartbeat's topology, or of a record.
template <typename Topology>
groups::StreamsTopology topology_of(const Topology& topology) {
  groups::StreamsTopology out;
  out.epoch = topology.epoch;
  for (const auto& part : topology.subtopologies) {
    auto& one = out.subtopologies.emplace_back();
    one.id = part.subtopology_id;
    one.sources = part.source_topics;
    one.source_regexes = part.source_topic_regex;
    one.changelogs = internal_topics(part.state_changelog_topics);
    one.repartition_sinks = part.repartition_sink_topics;
    one.repartitions = internal_topics(part.repartition_source_topics);
    for (const auto& group : part.copartition_groups) {
      one.copartitions.push_back(
          {group.source_topics, group.source_topic_regex, group.repartition_source_topics});
    }
  }
  return out;
}

}  // namespace tailrace::kafka
