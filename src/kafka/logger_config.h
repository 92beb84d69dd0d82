// The level of the one logger, as a broker's loggers are asked for and set by Kafka's tools
// (KIP-412).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "kafka/config_changes.h"

namespace tailrace::kafka {

inline constexpr std::string_view kRootLogger = "root";

/// DEBUG, INFO, WARN or ERROR.
std::string_view logger_level();
std::optional<Refusal> change_logger(const Broker& broker, const std::string& node,
                                     std::span<const ConfigChange> changes, bool validate_only);
/// That `name` is the number of this broker.
std::optional<Refusal> check_node(const Broker& broker, const std::string& name);

}  // namespace tailrace::kafka
