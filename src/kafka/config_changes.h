// Changes of the settings of topics, the broker, groups, metrics subscriptions and the logger, as
// AlterConfigs and IncrementalAlterConfigs (KIP-339) ask for them.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "kafka/broker.h"
#include "kafka/refusal.h"

namespace tailrace::kafka {

/// The protocol's numbers.
enum class ConfigOp : std::int8_t { kSet = 0, kDelete = 1, kAppend = 2, kSubtract = 3 };

struct ConfigChange {
  ConfigOp op;
  std::string name;
  std::optional<std::string> value;
};

/// The one resource that is changed; `type` is as it came.
struct ConfigTarget {
  std::int8_t type = 0;
  std::string name;

  bool operator<(const ConfigTarget& other) const {
    return std::tie(type, name) < std::tie(other.type, other.name);
  }
  ResourceType resource() const { return static_cast<ResourceType>(type); }
};

/// All changes of one resource or none; durable when it returns. Waits for the disk.
std::optional<Refusal> change_configs(Broker& broker, const ConfigTarget& target,
                                      std::span<const ConfigChange> changes, bool validate_only);
/// What is set on the resource now; empty for one that is not there.
ConfigMap set_configs(Broker& broker, const ConfigTarget& target);

}  // namespace tailrace::kafka
