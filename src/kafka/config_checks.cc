#include "kafka/config_checks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <set>

namespace tailrace::kafka {
namespace {

std::int64_t whole(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// Names first, then values, as Kafka does.
std::optional<Refusal> check_known(ConfigKind kind, std::string_view of, const ConfigMap& values) {
  for (const auto& [name, value] : values) {
    if (find_config(kind, name) == nullptr) {
      return Refusal{ErrorCode::kInvalidConfig,
                     fmt::format("Unknown {} config name: {}", of, name)};
    }
  }
  for (const auto& [name, value] : values) {
    if (const auto read = read_config(*find_config(kind, name), value); !read) {
      return Refusal{ErrorCode::kInvalidConfig, read.error().what};
    }
  }
  return std::nullopt;
}

/// The number a resource has, set or by default.
std::int64_t number_of(ConfigKind kind, const ConfigMap& values, std::string_view name) {
  const auto found = values.find(name);
  const auto* config = find_config(kind, name);
  const auto text = found != values.end() ? found->second : std::string(*config->default_value);
  return whole(read_config(*config, text).value_or("0"));
}

/// A group's setting and the broker's that bound it; an empty one does not.
struct Bound {
  std::string_view name, least, most;
};

constexpr Bound kBounds[] = {
    {"consumer.heartbeat.interval.ms", "group.consumer.min.heartbeat.interval.ms",
     "group.consumer.max.heartbeat.interval.ms"},
    {"consumer.session.timeout.ms", "group.consumer.min.session.timeout.ms",
     "group.consumer.max.session.timeout.ms"},
    {"consumer.assignment.interval.ms", "group.consumer.min.assignment.interval.ms",
     "group.consumer.max.assignment.interval.ms"},
    {"share.heartbeat.interval.ms", "group.share.min.heartbeat.interval.ms",
     "group.share.max.heartbeat.interval.ms"},
    {"share.session.timeout.ms", "group.share.min.session.timeout.ms",
     "group.share.max.session.timeout.ms"},
    {"share.record.lock.duration.ms", "group.share.min.record.lock.duration.ms",
     "group.share.max.record.lock.duration.ms"},
    {"share.delivery.count.limit", "group.share.min.delivery.count.limit",
     "group.share.max.delivery.count.limit"},
    {"share.partition.max.record.locks", "group.share.min.partition.max.record.locks",
     "group.share.max.partition.max.record.locks"},
    {"share.assignment.interval.ms", "group.share.min.assignment.interval.ms",
     "group.share.max.assignment.interval.ms"},
    {"streams.heartbeat.interval.ms", "group.streams.min.heartbeat.interval.ms",
     "group.streams.max.heartbeat.interval.ms"},
    {"streams.session.timeout.ms", "group.streams.min.session.timeout.ms",
     "group.streams.max.session.timeout.ms"},
    {"streams.num.standby.replicas", "", "group.streams.max.standby.replicas"},
    {"streams.assignment.interval.ms", "group.streams.min.assignment.interval.ms",
     "group.streams.max.assignment.interval.ms"},
};

std::optional<Refusal> check_bound(const Bound& bound, std::int64_t value,
                                   const ConfigLayers& broker) {
  if (!bound.least.empty() && value < broker.number(bound.least)) {
    return Refusal{ErrorCode::kInvalidConfig,
                   fmt::format("{} must be greater than or equal to {}", bound.name, bound.least)};
  }
  if (value > broker.number(bound.most)) {
    return Refusal{ErrorCode::kInvalidConfig,
                   fmt::format("{} must be less than or equal to {}", bound.name, bound.most)};
  }
  return std::nullopt;
}

/// Whether it is a listener's own setting: listener.name.NAME.SETTING.
bool is_of_listener(std::string_view name) {
  return name.starts_with("listener.name.") && name.find('.', 14) != std::string_view::npos;
}

/// Security belongs to a listener; these stand outside of one only in server.properties.
bool is_security(std::string_view name) {
  return name.starts_with("ssl.") || name.starts_with("sasl.");
}

using Names = std::set<std::string_view>;

std::optional<Refusal> refuse_all(std::string_view why, const Names& names) {
  if (names.empty()) return std::nullopt;
  return Refusal{ErrorCode::kInvalidRequest, fmt::format("{}: [{}]", why, fmt::join(names, ", "))};
}

}  // namespace

std::optional<Refusal> check_topic_configs(const ConfigMap& values) {
  if (auto refusal = check_known(ConfigKind::kTopic, "topic", values)) return refusal;
  constexpr std::string_view kLeast = "min.compaction.lag.ms";
  constexpr std::string_view kMost = "max.compaction.lag.ms";
  const auto least = number_of(ConfigKind::kTopic, values, kLeast);
  const auto most = number_of(ConfigKind::kTopic, values, kMost);
  if (least > most) {
    return Refusal{
        ErrorCode::kInvalidConfig,
        fmt::format("conflict topic config setting {} ({}) > {} ({})", kLeast, least, kMost, most)};
  }
  const auto remote = values.find("remote.storage.enable");
  const auto* config = find_config(ConfigKind::kTopic, "remote.storage.enable");
  if (remote != values.end() && read_config(*config, remote->second) == "true") {
    return Refusal{ErrorCode::kInvalidConfig,
                   "Tiered Storage functionality is disabled in the broker. Topic cannot be "
                   "configured with remote log storage."};
  }
  return std::nullopt;
}

std::optional<Refusal> check_broker_configs(const ConfigMap& values, bool of_cluster) {
  Names fixed, security, one_broker;
  for (const auto& [name, value] : values) {
    const auto* config = find_config(ConfigKind::kBroker, name);
    if (config == nullptr) {
      if (is_of_listener(name)) one_broker.insert(name);
      continue;
    }
    // The door's address does not change while it is open.
    if (config->update == ConfigUpdate::kReadOnly || (!of_cluster && name == "listeners")) {
      fixed.insert(name);
    } else if (is_security(name)) {
      security.insert(name);
    } else if (config->update == ConfigUpdate::kPerBroker) {
      one_broker.insert(name);
    }
  }
  if (auto refusal = refuse_all("Cannot update these configs dynamically", fixed)) return refusal;
  if (auto refusal = refuse_all(
          "These security configs can be dynamically updated only per-listener using the listener "
          "prefix",
          security)) {
    return refusal;
  }
  for (const auto& [name, value] : values) {
    const auto* config = find_config(ConfigKind::kBroker, name);
    if (config == nullptr) continue;
    const auto read = read_config(*config, value);
    if (!read) return Refusal{ErrorCode::kInvalidRequest, read.error().what};
    // Only Kafka's own is at least a name for what every broker tells of itself.
    if (name == "metric.reporters" && !read->empty() && *read != config->default_value) {
      return Refusal{ErrorCode::kInvalidRequest,
                     fmt::format("Validation of dynamic config update of [{}] failed: no class {}",
                                 name, *read)};
    }
  }
  if (!of_cluster) return std::nullopt;
  return refuse_all(
      "Cannot update these configs at default cluster level, broker id must be "
      "specified",
      one_broker);
}

std::optional<Refusal> check_group_configs(const ConfigMap& values, const ConfigLayers& broker) {
  if (auto refusal = check_known(ConfigKind::kGroup, "group", values)) return refusal;
  const auto number = [&](std::string_view name) {
    if (values.contains(name)) return number_of(ConfigKind::kGroup, values, name);
    return whole(broker.fallback(*find_config(ConfigKind::kGroup, name)).value);
  };
  for (const auto& bound : kBounds) {
    if (!values.contains(bound.name)) continue;
    if (auto refusal = check_bound(bound, number(bound.name), broker)) return refusal;
  }
  for (const std::string of : {"consumer", "share", "streams"}) {
    const auto session = of + ".session.timeout.ms";
    const auto heartbeat = of + ".heartbeat.interval.ms";
    if (!values.contains(session) && !values.contains(heartbeat)) continue;
    if (number(session) <= number(heartbeat)) {
      return Refusal{ErrorCode::kInvalidConfig,
                     fmt::format("{} must be greater than {}", session, heartbeat)};
    }
  }
  return std::nullopt;
}

std::optional<Refusal> check_client_metrics_configs(const ConfigMap& values) {
  constexpr std::string_view kMatched[] = {"client_id",
                                           "client_instance_id",
                                           "client_software_name",
                                           "client_software_version",
                                           "client_source_address",
                                           "client_source_port"};
  for (const auto& [name, value] : values) {
    const auto* config = find_config(ConfigKind::kClientMetrics, name);
    if (config == nullptr) {
      return Refusal{ErrorCode::kInvalidRequest,
                     fmt::format("Unknown client metrics configuration: {}", name)};
    }
    const auto read = read_config(*config, value);
    if (!read) return Refusal{ErrorCode::kInvalidConfig, read.error().what};
    if (name == "interval.ms" && (whole(*read) < 100 || whole(*read) > 3'600'000)) {
      return Refusal{
          ErrorCode::kInvalidRequest,
          fmt::format("Invalid value {} for interval.ms, interval must be between 100 and 3600000 "
                      "(1 hour)",
                      *read)};
    }
    if (name != "match") continue;
    for (const auto& pattern : config_list(value)) {
      const auto equals = pattern.find('=');
      if (equals == std::string::npos ||
          std::ranges::find(kMatched, pattern.substr(0, equals)) == std::end(kMatched)) {
        return Refusal{ErrorCode::kInvalidConfig, "Illegal client matching pattern: " + pattern};
      }
    }
  }
  return std::nullopt;
}

}  // namespace tailrace::kafka
