// Every setting that Kafka 4.3.1 knows of topics, brokers, groups and metrics subscriptions: its
// type, default and what its value may be. Made from spec/kafka-configs, which has the words.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tailrace::kafka {

enum class ConfigKind { kTopic, kBroker, kGroup, kClientMetrics };

/// The numbers of DescribeConfigs' ConfigType.
enum class ConfigType : std::int8_t {
  kUnknown = 0,
  kBoolean = 1,
  kString = 2,
  kInt = 3,
  kShort = 4,
  kLong = 5,
  kDouble = 6,
  kList = 7,
  kClass = 8,
  kPassword = 9,
};

/// What is asked of a value beyond its type and range.
enum class ConfigRule : std::uint8_t {
  kNone,
  kGzipLevel,
  kThrottledReplicaList,
  kOffsetReset,
  kNonEmptyString,
  kNonNull,
  kControllerQuorumVoters,
  kControllerQuorumBootstrapServers,
};

/// How a broker's setting may change while it runs (KIP-226).
enum class ConfigUpdate : std::uint8_t { kReadOnly, kPerBroker, kClusterWide };

/// A broker's setting that a topic's or group's falls back to: its value times `times`.
struct ConfigSynonym {
  std::string_view name;
  std::int64_t times = 1;
};

struct ConfigInfo {
  std::string_view name;
  ConfigType type;
  std::optional<std::string_view> default_value;
  std::optional<double> min;
  std::optional<double> max;
  std::span<const std::string_view> valid;  ///< all words are allowed when empty
  ConfigRule rule;
  ConfigUpdate update;
  std::span<const ConfigSynonym> broker;  ///< the first that is set wins
  bool any_case;
  bool internal;
  bool only_dynamic;
  bool checked_list;  ///< a list whose elements may not be empty
  bool empty_allowed;
  std::string_view meaning;  ///< empty when it does nothing here

  bool is_list() const { return type == ConfigType::kList; }
  bool is_sensitive() const { return type == ConfigType::kPassword; }
};

/// All of one kind, by name.
std::span<const ConfigInfo> configs(ConfigKind kind);
/// nullptr when Kafka has no such setting.
const ConfigInfo* find_config(ConfigKind kind, std::string_view name);
/// The name that is likest to what somebody wrote.
std::string_view nearest_config(ConfigKind kind, std::string_view name);

/// The value as Kafka shows it once it was read: " 500 " is 500, "TRUE" true, "1e-5" 1.0E-5.
/// kInvalidArgument says what is wrong with it, in Kafka's words.
Result<std::string> read_config(const ConfigInfo& config, std::string_view value);

/// The elements of a list, without the blanks around them.
std::vector<std::string> config_list(std::string_view value);

}  // namespace tailrace::kafka
