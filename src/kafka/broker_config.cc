#include "kafka/broker_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "kafka/listener_config.h"
#include "kafka/properties.h"
#include "net/address.h"

namespace tailrace::kafka {
namespace {

template <typename Number = std::int32_t>
Number number(std::string_view text) {
  Number value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// Written in any case.
groups::MigrationPolicy migration_policy(std::string_view text) {
  const auto is = [&](std::string_view word) {
    return std::ranges::equal(text, word, {}, [](unsigned char c) { return std::tolower(c); });
  };
  if (is("disabled")) return groups::MigrationPolicy::kDisabled;
  if (is("upgrade")) return groups::MigrationPolicy::kUpgrade;
  if (is("downgrade")) return groups::MigrationPolicy::kDowngrade;
  return groups::MigrationPolicy::kBidirectional;
}

/// A setting that does something here, other than as a default of topics.
struct Applied {
  std::string_view name;
  void (*apply)(BrokerConfig& config, std::string_view value);
};

using Config = BrokerConfig;
using Text = std::string_view;

constexpr std::int64_t kMinuteMs = 60'000;

constexpr Applied kApplied[] = {
    {"auto.create.topics.enable", [](Config& c, Text v) { c.auto_create_topics = v == "true"; }},
    {"broker.id", [](Config& c, Text v) { c.node_id = number(v); }},
    {"connections.max.idle.ms",
     [](Config& c, Text v) { c.idle = std::chrono::milliseconds(number<std::int64_t>(v)); }},
    {"delegation.token.expiry.check.interval.ms",
     [](Config& c, Text v) { c.tokens.check_interval_ms = number<std::int64_t>(v); }},
    {"delegation.token.expiry.time.ms",
     [](Config& c, Text v) { c.tokens.expiry_time_ms = number<std::int64_t>(v); }},
    {"delegation.token.max.lifetime.ms",
     [](Config& c, Text v) { c.tokens.max_lifetime_ms = number<std::int64_t>(v); }},
    {"delegation.token.secret.key", [](Config& c, Text v) { c.tokens.secret_key = v; }},
    {"delete.topic.enable", [](Config& c, Text v) { c.delete_topics = v == "true"; }},
    {"fetch.max.bytes", [](Config& c, Text v) { c.fetch_max_bytes = number(v); }},
    {"group.consumer.assignment.interval.ms",
     [](Config& c, Text v) { c.groups.consumer_assignment_interval_ms = number(v); }},
    {"group.consumer.heartbeat.interval.ms",
     [](Config& c, Text v) { c.groups.consumer_heartbeat_interval_ms = number(v); }},
    {"group.consumer.max.size", [](Config& c, Text v) { c.groups.consumer_max_size = number(v); }},
    {"group.consumer.migration.policy",
     [](Config& c, Text v) { c.groups.consumer_migration_policy = migration_policy(v); }},
    {"group.consumer.regex.refresh.interval.ms",
     [](Config& c, Text v) { c.groups.consumer_regex_refresh_interval_ms = number(v); }},
    {"group.consumer.session.timeout.ms",
     [](Config& c, Text v) { c.groups.consumer_session_timeout_ms = number(v); }},
    {"group.initial.rebalance.delay.ms",
     [](Config& c, Text v) { c.groups.group_initial_rebalance_delay_ms = number(v); }},
    {"group.max.session.timeout.ms",
     [](Config& c, Text v) { c.groups.group_max_session_timeout_ms = number(v); }},
    {"group.max.size", [](Config& c, Text v) { c.groups.group_max_size = number(v); }},
    {"group.min.session.timeout.ms",
     [](Config& c, Text v) { c.groups.group_min_session_timeout_ms = number(v); }},
    {"group.share.assignment.interval.ms",
     [](Config& c, Text v) { c.groups.share_assignment_interval_ms = number(v); }},
    {"group.share.heartbeat.interval.ms",
     [](Config& c, Text v) { c.groups.share_heartbeat_interval_ms = number(v); }},
    {"group.share.max.share.sessions",
     [](Config& c, Text v) { c.share_sessions = static_cast<std::size_t>(number(v)); }},
    {"group.share.max.size", [](Config& c, Text v) { c.groups.share_max_size = number(v); }},
    {"group.share.session.timeout.ms",
     [](Config& c, Text v) { c.groups.share_session_timeout_ms = number(v); }},
    {"group.streams.assignment.interval.ms",
     [](Config& c, Text v) { c.groups.streams_assignment_interval_ms = number(v); }},
    {"group.streams.heartbeat.interval.ms",
     [](Config& c, Text v) { c.groups.streams_heartbeat_interval_ms = number(v); }},
    {"group.streams.initial.rebalance.delay.ms",
     [](Config& c, Text v) { c.groups.streams_initial_rebalance_delay_ms = number(v); }},
    {"group.streams.max.size", [](Config& c, Text v) { c.groups.streams_max_size = number(v); }},
    {"group.streams.num.standby.replicas",
     [](Config& c, Text v) { c.groups.streams_num_standby_replicas = number(v); }},
    {"group.streams.session.timeout.ms",
     [](Config& c, Text v) { c.groups.streams_session_timeout_ms = number(v); }},
    {"max.connections",
     [](Config& c, Text v) { c.max_connections = static_cast<std::size_t>(number(v)); }},
    {"max.incremental.fetch.session.cache.slots",
     [](Config& c, Text v) { c.fetch_sessions = static_cast<std::size_t>(number(v)); }},
    {"node.id", [](Config& c, Text v) { c.node_id = number(v); }},
    {"num.network.threads", [](Config& c, Text v) { c.network_threads = number(v); }},
    {"num.partitions", [](Config& c, Text v) { c.topic.partitions = number(v); }},
    {"offset.metadata.max.bytes",
     [](Config& c, Text v) { c.groups.offset_metadata_max_bytes = number(v); }},
    {"offsets.retention.check.interval.ms",
     [](Config& c, Text v) {
       c.groups.offsets_retention_check_interval_ms = number<std::int64_t>(v);
     }},
    {"offsets.retention.minutes",
     [](Config& c, Text v) {
       c.groups.offsets_retention_ms = number<std::int64_t>(v) * kMinuteMs;
     }},
    {"offsets.topic.num.partitions", [](Config& c, Text v) { c.offsets_partitions = number(v); }},
    {"share.coordinator.snapshot.update.records.per.snapshot",
     [](Config& c, Text v) { c.share.updates = number(v); }},
    {"share.coordinator.state.topic.num.partitions",
     [](Config& c, Text v) { c.share.partitions = number(v); }},
    {"share.coordinator.state.topic.prune.interval.ms",
     [](Config& c, Text v) { c.share.prune_ms = number(v); }},
    {"share.coordinator.state.topic.segment.bytes",
     [](Config& c, Text v) { c.share.segment_bytes = number(v); }},
    {"socket.request.max.bytes",
     [](Config& c, Text v) { c.request_max_bytes = static_cast<std::size_t>(number(v)); }},
    {"transaction.max.timeout.ms",
     [](Config& c, Text v) { c.transactions.transaction_max_timeout_ms = number(v); }},
    {"transaction.state.log.num.partitions",
     [](Config& c, Text v) { c.transaction_partitions = number(v); }},
    {"transaction.two.phase.commit.enable",
     [](Config& c, Text v) { c.transactions.two_phase_commit = v == "true"; }},
    {"transactional.id.expiration.ms",
     [](Config& c, Text v) { c.transactions.transactional_id_expiration_ms = number(v); }},
};
static_assert(std::ranges::is_sorted(kApplied, {}, &Applied::name));

/// What the one authorizer reads; Kafka's own table does not have it.
constexpr std::string_view kOfTheAuthorizer[] = {"allow.everyone.if.no.acl.found", "super.users"};

/// HOST:PORT of NAME://HOST:PORT; no host is every address.
Result<std::string> address_of(std::string_view listener, std::string_view name) {
  const auto slashes = listener.find("://");
  const auto rest = slashes == std::string_view::npos ? "" : listener.substr(slashes + 3);
  const auto at = net::parse_address(rest);
  if (!at) {
    return error(Code::kInvalidArgument,
                 fmt::format("{}: '{}' is not NAME://HOST:PORT", name, listener));
  }
  return net::address_text(at->host.empty() ? "0.0.0.0" : at->host, at->port);
}

}  // namespace

BrokerConfig::BrokerConfig() {
  started = {
      {"broker.id", "1"},
      {"group.initial.rebalance.delay.ms", "0"},
      {"max.connections", std::to_string(max_connections)},
      {"node.id", "1"},
      {"num.network.threads", std::to_string(network_threads)},
      {"offsets.topic.replication.factor", "1"},
      {"process.roles", "broker,controller"},
      {"share.coordinator.state.topic.min.isr", "1"},
      {"share.coordinator.state.topic.replication.factor", "1"},
      {"transaction.state.log.min.isr", "1"},
      {"transaction.state.log.replication.factor", "1"},
  };
  topic = topic_settings({{}, {}, started}, {}, topic).value_or(topic);
}

Status BrokerConfig::set(std::string_view name, std::string_view value) {
  const auto* config = find_config(ConfigKind::kBroker, name);
  if (config == nullptr) config = find_listener_config(name);
  if (config == nullptr &&
      std::ranges::find(kOfTheAuthorizer, name) == std::end(kOfTheAuthorizer)) {
    return error(Code::kNotFound, fmt::format("Kafka has no setting {}; the nearest is {}", name,
                                              nearest_config(ConfigKind::kBroker, name)));
  }
  std::string read(value);
  if (config != nullptr) {
    ASSIGN(read, read_config(*config, value));
  }
  if (config != nullptr && config->meaning.empty()) without_effect.emplace(name);
  started.insert_or_assign(std::string(name), std::string(trimmed(value)));
  // Two names of one thing.
  if (name == "node.id") started["broker.id"] = read;
  if (name == "broker.id") started["node.id"] = read;
  apply(name, read);
  ASSIGN(topic, topic_settings({{}, {}, started}, {}, topic));
  return listen_on_listeners();
}

void BrokerConfig::apply(std::string_view name, const std::string& value) {
  const auto* found = std::ranges::lower_bound(kApplied, name, {}, &Applied::name);
  if (found != std::end(kApplied) && found->name == name) found->apply(*this, value);
}

void BrokerConfig::take(const ConfigMap& dynamic) {
  for (const auto& [name, value] : dynamic) {
    const auto* config = find_config(ConfigKind::kBroker, name);
    if (config == nullptr) continue;
    if (const auto read = read_config(*config, value)) apply(name, *read);
  }
}

Status BrokerConfig::listen_on_listeners() {
  const auto found = started.find("listeners");
  if (found == started.end()) return {};
  std::vector<std::string> controllers;
  if (const auto named = started.find("controller.listener.names"); named != started.end()) {
    controllers = config_list(named->second);
  }
  for (const auto& one : config_list(found->second)) {
    const auto name = one.substr(0, one.find("://"));
    if (std::ranges::find(controllers, name) != controllers.end()) continue;
    ASSIGN(listen, address_of(one, found->first));
    flag = "--set listeners";
    by_listeners = true;
    return {};
  }
  return {};
}

Status BrokerConfig::set_all(std::string_view properties) {
  for (const auto& one : parse_properties(properties)) {
    if (auto done = set(one.name, one.value); !done) {
      return std::unexpected(done.error().in(fmt::format("line {}", one.line)));
    }
  }
  return {};
}

}  // namespace tailrace::kafka
