// The broker's settings in the layers they come from, and what topics have by default because of
// them (KIP-226): what was set on this broker while it ran, on the whole cluster, what it was
// started with, Kafka's own default. The first that has a value wins.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kafka/config_table.h"
#include "log/topic.h"

namespace tailrace::kafka {

/// Values by name, as they were written.
using ConfigMap = std::map<std::string, std::string, std::less<>>;

/// The numbers of DescribeConfigs' ConfigSource.
enum class ConfigSource : std::int8_t {
  kTopic = 1,
  kBroker = 2,
  kCluster = 3,
  kStarted = 4,
  kDefault = 5,
  kLogger = 6,
  kClientMetrics = 7,
  kGroup = 8,
};

struct SourcedConfig {
  std::string name;
  std::string value;
  ConfigSource source;
};

struct ConfigLayers {
  ConfigMap broker, cluster, started;

  /// The value as it was written, or Kafka's default; nullopt when there is none.
  std::optional<std::string> value(std::string_view name) const;
  /// The same of a number; 0 when there is none.
  std::int64_t number(std::string_view name) const;
  /// The same of a boolean.
  bool flag(std::string_view name) const;
  /// Every layer's value of a setting and of those that mean the same in another unit, the one that
  /// counts first. Empty unless the first is of that very name, as Kafka has it.
  std::vector<SourcedConfig> synonyms(std::string_view name) const;
  /// What a topic or group has that does not say itself, and where that comes from.
  SourcedConfig fallback(const ConfigInfo& config) const;
};

/// What a topic has where it says `own` itself. Partitions and what Kafka does not know come from
/// `base`.
Result<log::TopicSettings> topic_settings(const ConfigLayers& layers, const ConfigMap& own,
                                          log::TopicSettings base);
/// What was set on the topic itself; where nobody noted that, what differs from the defaults.
ConfigMap own_configs(const ConfigLayers& layers, const log::TopicSettings& settings);

}  // namespace tailrace::kafka
