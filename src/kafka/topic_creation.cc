#include "kafka/topic_creation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "kafka/broker.h"
#include "kafka/config_checks.h"
#include "kafka/config_entries.h"
#include "kafka/schema_check.h"

namespace tailrace::kafka {
namespace {

using Asked = CreateTopicsRequest::CreatableTopic;
using Answer = CreateTopicsResponse::CreatableTopicResult;

std::optional<Refusal> check_assignments(const Broker& broker, const Asked& asked) {
  std::set<std::int32_t> partitions;
  for (const auto& assigned : asked.assignments) {
    if (assigned.broker_ids != std::vector{broker.node_id()}) {
      return Refusal{ErrorCode::kInvalidReplicaAssignment,
                     fmt::format("the one broker of this cluster is {}", broker.node_id())};
    }
    partitions.insert(assigned.partition_index);
  }
  const auto count = static_cast<std::int32_t>(asked.assignments.size());
  if (static_cast<std::int32_t>(partitions.size()) == count && *partitions.begin() == 0 &&
      *partitions.rbegin() == count - 1) {
    return std::nullopt;
  }
  return Refusal{ErrorCode::kInvalidReplicaAssignment, "partitions are to be numbered from 0"};
}

std::optional<Refusal> partitions_of(const Broker& broker, const Asked& asked,
                                     log::TopicSettings& settings) {
  if (!asked.assignments.empty()) {
    if (asked.num_partitions != -1 || asked.replication_factor != -1) {
      return Refusal{ErrorCode::kInvalidRequest,
                     "an assignment leaves numPartitions and replicationFactor at -1"};
    }
    settings.partitions = static_cast<std::int32_t>(asked.assignments.size());
    return check_assignments(broker, asked);
  }
  if (asked.num_partitions != -1) settings.partitions = asked.num_partitions;
  if (settings.partitions < 1) {
    return Refusal{ErrorCode::kInvalidPartitions,
                   "Number of partitions was set to an invalid non-positive value."};
  }
  if (asked.replication_factor == -1 || asked.replication_factor == 1) return std::nullopt;
  return Refusal{
      ErrorCode::kInvalidReplicationFactor,
      asked.replication_factor < 1
          ? "Replication factor must be larger than 0, or -1 to use the default value."
          : fmt::format(
                "Unable to replicate the partition {} time(s): The target replication "
                "factor of {} cannot be reached because only 1 broker(s) are registered or some "
                "brokers have all their log directories cordoned.",
                asked.replication_factor, asked.replication_factor)};
}

std::optional<Refusal> configs_of(const Asked& asked, ConfigMap& own) {
  std::vector<std::string_view> nulls;
  for (const auto& config : asked.configs) {
    if (!config.value) nulls.push_back(config.name);
    own[config.name] = config.value.value_or("");
  }
  if (!nulls.empty()) {
    return Refusal{
        ErrorCode::kInvalidConfig,
        fmt::format("Null value not supported for topic configs: {}", fmt::join(nulls, ","))};
  }
  return check_topic_configs(own);
}

void tell_configs(const ConfigLayers& layers, const ConfigMap& own, Answer& answer) {
  for (auto& entry : created_topic_entries(layers, own)) {
    answer.configs->push_back({std::move(entry.name), std::move(entry.value), entry.read_only,
                               static_cast<std::int8_t>(entry.source), entry.sensitive});
  }
}

}  // namespace

std::optional<Refusal> create_topic(Broker& broker, const Asked& asked, bool validate_only,
                                    Answer& answer, const MayMake& may_make) {
  if (auto named = log::check_topic_name(asked.name); !named) {
    return Refusal{ErrorCode::kInvalidTopicException, named.error().what};
  }
  if (broker.log().topic(asked.name)) {
    return Refusal{ErrorCode::kTopicAlreadyExists,
                   fmt::format("Topic '{}' already exists.", asked.name)};
  }
  ConfigMap own;
  if (auto refusal = configs_of(asked, own)) return refusal;
  for (const auto& [name, value] : own) {
    if (auto refusal = broker.schema_check().may_set(name, value)) return refusal;
  }
  const auto layers = broker.config_layers();
  auto settings = topic_settings(layers, own, broker.topic_defaults());
  if (!settings) return Refusal{ErrorCode::kInvalidConfig, settings.error().what};
  if (auto refusal = partitions_of(broker, asked, *settings)) return refusal;
  if (auto checked = log::check_settings(*settings); !checked) {
    return Refusal{ErrorCode::kInvalidPartitions, checked.error().what};
  }
  if (may_make && !may_make(settings->partitions)) return over_quota();
  answer.num_partitions = settings->partitions;
  answer.replication_factor = 1;
  tell_configs(layers, own, answer);
  if (validate_only) return std::nullopt;
  if (auto created = broker.log().create_topic(asked.name, *settings); !created) {
    return Refusal{topic_error(created.error().code), created.error().what};
  }
  if (const auto topic = broker.log().topic(asked.name)) {
    answer.topic_id = topic->id;
    broker.topic_changed(*topic);
  }
  return std::nullopt;
}

}  // namespace tailrace::kafka
