// The settings of one resource as DescribeConfigs shows them: value, where it comes from, and what
// else it might have been.
#pragma once

#include <string>
#include <vector>

#include "kafka/broker.h"
#include "kafka/config_changes.h"
#include "kafka/refusal.h"

namespace tailrace::kafka {

struct ConfigEntry {
  std::string name;
  std::optional<std::string> value;  ///< nullopt: not set, or a secret
  bool read_only = false;
  bool sensitive = false;
  ConfigSource source = ConfigSource::kDefault;
  ConfigType type = ConfigType::kUnknown;
  std::vector<SourcedConfig> synonyms;
  std::string_view meaning;  ///< empty when there is nothing to say
};

/// All of a resource, by name; or why it cannot be described. An error without words has Kafka's.
std::expected<std::vector<ConfigEntry>, Refusal> config_entries(Broker& broker,
                                                                const ConfigTarget& target);
/// Of a topic that says `own` itself, as CreateTopics tells them: its own values as they were sent.
std::vector<ConfigEntry> created_topic_entries(const ConfigLayers& layers, const ConfigMap& own);

}  // namespace tailrace::kafka
