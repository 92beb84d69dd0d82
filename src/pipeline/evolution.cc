// A running project takes up a newer schema of a topic: between two steps, after a checkpoint, all
// that stands on the topic's columns is opened again with the new ones, as at a start.
#include <fmt/format.h>

#include "base/log.h"
#include "pipeline/running_project.h"

namespace tailrace::pipeline {

TopicTypes RunningProject::next_types(const std::vector<TopicStep>& topics) {
  TopicTypes types;
  for (std::size_t i = 0; i < topics.size(); ++i) {
    const TopicRelation& topic = graph_.topics[i];
    if (topic.type) types[topic.topic] = topic.type;
    if (!topics[i].next_schema) continue;
    const subjects::RegisteredSchema& next = *topics[i].next_schema;
    auto type = topic.type->with(next);
    if (type) {
      types[topic.topic] = std::make_shared<const TopicType>(std::move(*type));
      LOG_OF(info, log_of("topic", topic.topic), "topic {}: version {} of {} is read from here on",
             topic.topic, next.version, next.subject);
      continue;
    }
    LOG_OF(warn, log_of("topic", topic.topic),
           "topic {} stays at version {} of {}; version {} cannot be taken up: {}", topic.topic,
           topic.type->latest().version, next.subject, next.version, type.error().what);
    refused_schemas_[topic.topic].insert(next.id);
  }
  return types;
}

Result<bool> RunningProject::evolve(const std::vector<TopicStep>& topics) {
  const auto waits = [](const TopicStep& step) { return step.next_schema.has_value(); };
  if (std::ranges::none_of(topics, waits)) return false;
  if (const auto settled = settle(); !settled) {
    if (settled.error().code != Code::kResourceExhausted) return std::unexpected(settled.error());
    const std::lock_guard lock(mutex_);
    store_waits_ = true;  // the schema is asked for again by the next step
    return false;
  }
  {
    const std::lock_guard lock(mutex_);
    store_waits_ = false;
  }
  const TopicTypes types = next_types(topics);
  auto graph = make_graph(project_, types);
  if (!graph) {
    for (std::size_t i = 0; i < topics.size(); ++i) {
      if (!topics[i].next_schema) continue;
      LOG_OF(warn, log_of("topic", graph_.topics[i].topic),
             "topic {} stays at its columns: with those of version {} of {} the SQL says: {}",
             graph_.topics[i].topic, topics[i].next_schema->version, topics[i].next_schema->subject,
             graph.error().what);
      refused_schemas_[graph_.topics[i].topic].insert(topics[i].next_schema->id);
    }
    TRY(open_again(std::nullopt));
    return true;
  }
  TRY(save_topic_types(data_, types));
  TRY(open_again(std::move(*graph)));
  if (served_changed_) served_changed_();
  return true;
}

Status RunningProject::open_again(std::optional<Graph> graph) {
  const std::unique_lock alone(shape_);
  readers_.clear();
  rejected_reader_.reset();
  if (!graph) return open_readers();
  flows_.clear();
  lake_.reset();
  outputs_.clear();
  table_rows_.clear();
  lake_rows_.clear();
  topic_counts_.clear();
  graph_ = std::move(*graph);
  TRY(open_graph(false));
  lake_->room()->arm();
  dirty_ = true;
  return {};
}

}  // namespace tailrace::pipeline
