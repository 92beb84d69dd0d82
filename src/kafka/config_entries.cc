#include "kafka/config_entries.h"

#include <fmt/format.h>

#include <set>

#include "kafka/listener_config.h"
#include "kafka/logger_config.h"

namespace tailrace::kafka {
namespace {

using Entries = std::expected<std::vector<ConfigEntry>, Refusal>;

std::unexpected<Refusal> refused(ErrorCode code, std::string why) {
  return std::unexpected(Refusal{code, std::move(why)});
}

ConfigEntry entry_of(const ConfigInfo& config) {
  ConfigEntry entry;
  entry.name = config.name;
  entry.type = config.type;
  entry.sensitive = config.is_sensitive();
  entry.meaning = config.meaning;
  return entry;
}

/// As it is shown: read, or as it stands when it cannot be read.
std::string shown(const ConfigInfo& config, const std::string& value) {
  return read_config(config, value).value_or(value);
}

ConfigEntry topic_entry(const ConfigInfo& config, const ConfigLayers& layers,
                        const ConfigMap& own) {
  auto entry = entry_of(config);
  if (!config.broker.empty()) entry.synonyms = layers.synonyms(config.broker.front().name);
  if (const auto found = own.find(entry.name); found != own.end()) {
    entry.value = shown(config, found->second);
    entry.synonyms.insert(entry.synonyms.begin(), {entry.name, *entry.value, ConfigSource::kTopic});
  } else {
    entry.value = layers.fallback(config).value;
  }
  if (!entry.synonyms.empty()) entry.source = entry.synonyms.front().source;
  return entry;
}

Entries topic_entries(Broker& broker, const std::string& name) {
  if (auto named = log::check_topic_name(name); !named) {
    return refused(ErrorCode::kInvalidTopicException, named.error().what);
  }
  const auto topic = broker.log().topic(name);
  if (!topic) return refused(ErrorCode::kUnknownTopicOrPartition, "");
  const auto layers = broker.config_layers();
  const auto own = own_configs(layers, topic->settings);
  std::vector<ConfigEntry> entries;
  for (const auto& config : configs(ConfigKind::kTopic)) {
    if (config.internal && !own.contains(config.name)) continue;
    entries.push_back(topic_entry(config, layers, own));
  }
  return entries;
}

ConfigEntry broker_entry(const std::string& name, const ConfigLayers& layers) {
  const auto* itself = find_config(ConfigKind::kBroker, name);
  const auto* config = itself != nullptr ? itself : find_listener_config(name);
  auto entry = config == nullptr ? ConfigEntry() : entry_of(*config);
  entry.name = name;
  // Of one listener alone it is told to be so, too, though it may change.
  entry.read_only = itself == nullptr || itself->update == ConfigUpdate::kReadOnly;
  // Of what it does not know Kafka tells no value.
  entry.sensitive = config == nullptr || config->is_sensitive();
  const auto value = layers.value(name);
  if (value && !entry.sensitive) entry.value = shown(*config, *value);
  entry.synonyms = layers.synonyms(name);
  if (!entry.synonyms.empty()) entry.source = entry.synonyms.front().source;
  return entry;
}

/// What was set for all brokers; nothing else is known of them here.
std::vector<ConfigEntry> cluster_entries(const ConfigLayers& layers) {
  std::vector<ConfigEntry> entries;
  for (const auto& [name, value] : layers.cluster) {
    auto entry = broker_entry(name, layers);
    std::erase_if(entry.synonyms,
                  [](const auto& synonym) { return synonym.source != ConfigSource::kCluster; });
    if (!entry.sensitive) entry.value = value;
    entry.source = entry.synonyms.empty() ? ConfigSource::kDefault : entry.synonyms.front().source;
    entries.push_back(std::move(entry));
  }
  return entries;
}

Entries broker_entries(Broker& broker, const std::string& name) {
  const auto layers = broker.config_layers();
  if (name.empty()) return cluster_entries(layers);
  if (check_node(broker, name)) {
    return refused(ErrorCode::kInvalidRequest,
                   fmt::format("Unexpected broker id, expected {} or empty string, but received {}",
                               broker.node_id(), name));
  }
  std::set<std::string> names;
  for (const auto& config : configs(ConfigKind::kBroker)) {
    if (!config.internal && !config.only_dynamic) names.emplace(config.name);
  }
  for (const auto* layer : {&layers.broker, &layers.cluster, &layers.started}) {
    for (const auto& [set, value] : *layer) names.insert(set);
  }
  std::vector<ConfigEntry> entries;
  for (const auto& one : names) entries.push_back(broker_entry(one, layers));
  return entries;
}

Entries group_entries(Broker& broker, const std::string& name) {
  if (name.empty()) return refused(ErrorCode::kInvalidRequest, "Group name must not be empty");
  const auto layers = broker.config_layers();
  const auto values = broker.config_store().get(ResourceType::kGroup, name);
  std::vector<ConfigEntry> entries;
  for (const auto& config : configs(ConfigKind::kGroup)) {
    auto& entry = entries.emplace_back(entry_of(config));
    const auto fallback = layers.fallback(config);
    entry.value = fallback.value;
    if (!config.broker.empty()) {
      entry.synonyms = layers.synonyms(config.broker.front().name);
    } else {
      entry.synonyms.push_back(fallback);
    }
    if (const auto found = values.find(entry.name); found != values.end()) {
      entry.value = shown(config, found->second);
      entry.synonyms.insert(entry.synonyms.begin(),
                            {entry.name, *entry.value, ConfigSource::kGroup});
    }
    entry.source = entry.synonyms.front().source;
  }
  return entries;
}

Entries client_metrics_entries(Broker& broker, const std::string& name) {
  if (name.empty()) {
    return refused(ErrorCode::kInvalidRequest,
                   "Client metrics subscription name must not be empty");
  }
  const auto values = broker.config_store().get(ResourceType::kClientMetrics, name);
  std::vector<ConfigEntry> entries;
  for (const auto& config : configs(ConfigKind::kClientMetrics)) {
    auto& entry = entries.emplace_back(entry_of(config));
    entry.value = std::string(*config.default_value);
    const auto found = values.find(entry.name);
    if (found == values.end()) continue;
    entry.value = shown(config, found->second);
    entry.source = ConfigSource::kClientMetrics;
    entry.synonyms.push_back({entry.name, *entry.value, entry.source});
  }
  return entries;
}

Entries logger_entries(const Broker& broker, const std::string& name) {
  if (name.empty()) return refused(ErrorCode::kInvalidRequest, "Broker id must not be empty");
  if (auto refusal = check_node(broker, name)) return std::unexpected(*refusal);
  ConfigEntry entry;
  entry.name = kRootLogger;
  entry.value = logger_level();
  entry.source = ConfigSource::kLogger;
  return std::vector{entry};
}

}  // namespace

Entries config_entries(Broker& broker, const ConfigTarget& target) {
  switch (target.resource()) {
    case ResourceType::kTopic:
      return topic_entries(broker, target.name);
    case ResourceType::kBroker:
      return broker_entries(broker, target.name);
    case ResourceType::kBrokerLogger:
      return logger_entries(broker, target.name);
    case ResourceType::kGroup:
      return group_entries(broker, target.name);
    case ResourceType::kClientMetrics:
      return client_metrics_entries(broker, target.name);
  }
  return refused(ErrorCode::kInvalidRequest,
                 fmt::format("Unsupported resource type: {}", target.type));
}

std::vector<ConfigEntry> created_topic_entries(const ConfigLayers& layers, const ConfigMap& own) {
  std::vector<ConfigEntry> entries;
  for (const auto& config : configs(ConfigKind::kTopic)) {
    const auto found = own.find(config.name);
    if (config.internal && found == own.end()) continue;
    auto& entry = entries.emplace_back(entry_of(config));
    const auto fallback = layers.fallback(config);
    entry.value = found == own.end() ? fallback.value : found->second;
    entry.source = found == own.end() ? fallback.source : ConfigSource::kTopic;
  }
  return entries;
}

}  // namespace tailrace::kafka
