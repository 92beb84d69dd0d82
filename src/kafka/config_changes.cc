#include "kafka/config_changes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/log.h"
#include "kafka/config_checks.h"
#include "kafka/keystores.h"
#include "kafka/logger_config.h"
#include "kafka/schema_check.h"

namespace tailrace::kafka {
namespace {

using Changes = std::span<const ConfigChange>;

/// What can be seen to be wrong without looking at the resource.
std::optional<Refusal> check_form(Changes changes) {
  std::vector<std::string_view> nulls;
  std::set<std::string_view> names;
  for (const auto& change : changes) {
    if (!change.value && change.op != ConfigOp::kDelete) nulls.push_back(change.name);
    names.insert(change.name);
  }
  if (!nulls.empty()) {
    return Refusal{ErrorCode::kInvalidRequest,
                   fmt::format("Null value not supported for : {}", fmt::join(nulls, ","))};
  }
  if (names.size() == changes.size()) return std::nullopt;
  return Refusal{ErrorCode::kInvalidRequest, "Error due to duplicate config keys"};
}

/// A list with elements put in or taken out.
std::string changed_list(const ConfigChange& change, std::string_view now) {
  auto elements = config_list(now);
  for (auto& element : config_list(*change.value)) {
    const auto found = std::ranges::find(elements, element);
    if (change.op == ConfigOp::kSubtract && found != elements.end()) elements.erase(found);
    if (change.op == ConfigOp::kAppend && found == elements.end()) {
      elements.push_back(std::move(element));
    }
  }
  return fmt::format("{}", fmt::join(elements, ","));
}

Refusal no_list(ConfigKind kind, const ConfigChange& change) {
  const bool append = change.op == ConfigOp::kAppend;
  if (kind == ConfigKind::kBroker) {
    return {ErrorCode::kInvalidConfig,
            fmt::format("Config value {} is not allowed for config key: {}",
                        append ? "append" : "subtract", change.name)};
  }
  return {ErrorCode::kInvalidConfig, fmt::format("Can't {} to key {} because its type is not LIST.",
                                                 append ? "APPEND" : "SUBTRACT", change.name)};
}

std::optional<Refusal> apply(ConfigKind kind, Changes changes, const ConfigLayers& layers,
                             ConfigMap& values) {
  for (const auto& change : changes) {
    if (change.op == ConfigOp::kDelete) {
      values.erase(change.name);
      continue;
    }
    if (change.op == ConfigOp::kSet) {
      values[change.name] = *change.value;
      continue;
    }
    const auto* config = find_config(kind, change.name);
    if (config == nullptr || !config->is_list()) return no_list(kind, change);
    auto& value = values.try_emplace(change.name, layers.fallback(*config).value).first->second;
    value = changed_list(change, value);
  }
  return std::nullopt;
}

Refusal not_written(const Error& failure) {
  LOG(error, "settings could not be kept: {}", failure.what);
  return {ErrorCode::kKafkaStorageError, failure.what};
}

std::optional<Refusal> change_topic(Broker& broker, const std::string& name, Changes changes,
                                    bool validate_only) {
  if (name.empty()) {
    return Refusal{ErrorCode::kInvalidRequest, "Default topic resources are not allowed."};
  }
  if (auto named = log::check_topic_name(name); !named) {
    return Refusal{ErrorCode::kInvalidTopicException, named.error().what};
  }
  const auto topic = broker.log().topic(name);
  if (!topic) {
    return Refusal{ErrorCode::kUnknownTopicOrPartition,
                   fmt::format("The topic '{}' does not exist.", name)};
  }
  const auto layers = broker.config_layers();
  auto own = own_configs(layers, topic->settings);
  if (auto refusal = apply(ConfigKind::kTopic, changes, layers, own)) return refusal;
  if (auto refusal = check_topic_configs(own)) return refusal;
  for (const auto& change : changes) {
    if (change.op != ConfigOp::kSet) continue;
    if (auto refusal = broker.schema_check().may_set(change.name, *change.value)) return refusal;
  }
  const auto settings = topic_settings(layers, own, topic->settings);
  if (!settings) return Refusal{ErrorCode::kInvalidConfig, settings.error().what};
  if (validate_only) return std::nullopt;
  if (auto done = broker.log().alter_topic(name, *settings); !done) {
    return Refusal{topic_error(done.error().code), done.error().what};
  }
  broker.topic_settings_changed(name);
  return std::nullopt;
}

/// A topic's in-sync replicas are counted cluster-wide (KIP-966).
std::optional<Refusal> check_insync(bool of_cluster, Changes changes) {
  for (const auto& change : changes) {
    if (change.name != "min.insync.replicas") continue;
    if (!of_cluster) {
      return Refusal{ErrorCode::kInvalidConfig,
                     "Broker-level min.insync.replicas cannot be altered while ELR is enabled."};
    }
    if (change.op == ConfigOp::kDelete) {
      return Refusal{ErrorCode::kInvalidConfig,
                     "Cluster-level min.insync.replicas cannot be removed while ELR is enabled."};
    }
  }
  return std::nullopt;
}

std::optional<Refusal> change_broker(Broker& broker, const std::string& name, Changes changes,
                                     bool validate_only) {
  if (!name.empty()) {
    if (auto refusal = check_node(broker, name)) return refusal;
  }
  auto values = broker.config_store().get(ResourceType::kBroker, name);
  const ConfigLayers none;
  if (auto refusal = apply(ConfigKind::kBroker, changes, none, values)) return refusal;
  if (auto refusal = check_broker_configs(values, name.empty())) return refusal;
  if (auto refusal = check_insync(name.empty(), changes)) return refusal;
  const bool certificates = !name.empty() && std::ranges::any_of(changes, [](const auto& change) {
    return is_of_keystore(change.name);
  });
  if (certificates) {
    const auto read = read_certificates(broker, values);
    if (!read) {
      // In the words that Kafka's own exceptions make when one tells another.
      return Refusal{ErrorCode::kInvalidRequest,
                     fmt::format("Invalid value org.apache.kafka.common.config.ConfigException: {} "
                                 "for configuration Invalid dynamic configuration",
                                 read.error().what)};
    }
  }
  if (validate_only) return std::nullopt;
  auto kept = broker.config_store().set(ResourceType::kBroker, name, std::move(values));
  if (kept) kept = broker.topic_defaults_changed();
  if (!kept) return not_written(kept.error());
  if (!name.empty()) read_certificates_again(broker);
  return std::nullopt;
}

std::optional<Refusal> change_kept(Broker& broker, const ConfigTarget& target, Changes changes,
                                   bool validate_only) {
  const bool group = target.resource() == ResourceType::kGroup;
  if (target.name.empty()) {
    return Refusal{ErrorCode::kInvalidRequest, group ? "Default group resources are not allowed."
                                                     : "Subscription name can't be empty"};
  }
  const auto kind = group ? ConfigKind::kGroup : ConfigKind::kClientMetrics;
  const auto layers = broker.config_layers();
  auto values = broker.config_store().get(target.resource(), target.name);
  if (auto refusal = apply(kind, changes, layers, values)) return refusal;
  auto refusal = group ? check_group_configs(values, layers) : check_client_metrics_configs(values);
  if (refusal || validate_only) return refusal;
  auto kept = broker.config_store().set(target.resource(), target.name, std::move(values));
  if (!kept) return not_written(kept.error());
  if (group) broker.group_settings_changed(target.name);
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> change_configs(Broker& broker, const ConfigTarget& target, Changes changes,
                                      bool validate_only) {
  if (auto refusal = check_form(changes)) return refusal;
  switch (target.resource()) {
    case ResourceType::kTopic:
      return change_topic(broker, target.name, changes, validate_only);
    case ResourceType::kBroker:
      return change_broker(broker, target.name, changes, validate_only);
    case ResourceType::kBrokerLogger:
      return change_logger(broker, target.name, changes, validate_only);
    case ResourceType::kGroup:
    case ResourceType::kClientMetrics:
      return change_kept(broker, target, changes, validate_only);
  }
  return Refusal{ErrorCode::kInvalidRequest, fmt::format("Unknown resource type {}", target.type)};
}

ConfigMap set_configs(Broker& broker, const ConfigTarget& target) {
  if (target.resource() != ResourceType::kTopic) {
    return broker.config_store().get(target.resource(), target.name);
  }
  const auto topic = broker.log().topic(target.name);
  return topic ? own_configs(broker.config_layers(), topic->settings) : ConfigMap();
}

}  // namespace tailrace::kafka
