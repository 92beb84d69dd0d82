#include "kafka/logger_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/log.h"

namespace tailrace::kafka {
namespace {

/// Kafka's six words for our four levels; the first of a level is how it is shown.
constexpr std::pair<std::string_view, LogLevel> kLevels[] = {
    {"DEBUG", LogLevel::kDebug}, {"TRACE", LogLevel::kDebug}, {"INFO", LogLevel::kInfo},
    {"WARN", LogLevel::kWarn},   {"ERROR", LogLevel::kError}, {"FATAL", LogLevel::kError},
};

const auto* find_level(std::string_view word) {
  return std::ranges::find(kLevels, word, &std::pair<std::string_view, LogLevel>::first);
}

std::optional<Refusal> check(const ConfigChange& change) {
  if (change.name != kRootLogger) {
    return Refusal{ErrorCode::kInvalidConfig,
                   fmt::format("Logger {} does not exist!", change.name)};
  }
  if (change.op == ConfigOp::kDelete) {
    return Refusal{ErrorCode::kInvalidRequest,
                   "Removing the log level of the root logger is not allowed"};
  }
  if (change.op != ConfigOp::kSet) {
    return Refusal{ErrorCode::kInvalidRequest,
                   fmt::format("{} operation is not allowed for the BROKER_LOGGER resource",
                               change.op == ConfigOp::kAppend ? "APPEND" : "SUBTRACT")};
  }
  if (find_level(*change.value) != std::end(kLevels)) return std::nullopt;
  return Refusal{ErrorCode::kInvalidConfig,
                 fmt::format("Cannot set the log level of {} to {} as it is not a supported log "
                             "level. Valid log levels are DEBUG, ERROR, FATAL, INFO, TRACE, WARN",
                             change.name, *change.value)};
}

}  // namespace

std::string_view logger_level() {
  for (const auto& [word, level] : kLevels) {
    if (log_enabled(level)) return word;
  }
  return "ERROR";
}

std::optional<Refusal> change_logger(const Broker& broker, const std::string& node,
                                     std::span<const ConfigChange> changes, bool validate_only) {
  if (auto refusal = check_node(broker, node)) return refusal;
  for (const auto& change : changes) {
    if (auto refusal = check(change)) return refusal;
  }
  if (validate_only) return std::nullopt;
  for (const auto& change : changes) set_log_level(find_level(*change.value)->second);
  return std::nullopt;
}

std::optional<Refusal> check_node(const Broker& broker, const std::string& name) {
  std::int32_t node = 0;
  const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), node);
  if (failure != std::errc() || end != name.data() + name.size()) {
    return Refusal{ErrorCode::kInvalidRequest, "Node id must be an integer, but it is: " + name};
  }
  if (node == broker.node_id()) return std::nullopt;
  return Refusal{
      ErrorCode::kInvalidRequest,
      fmt::format("Unexpected broker id, expected {}, but received {}", broker.node_id(), name)};
}

}  // namespace tailrace::kafka
