#include "kafka/broker.h"

#include <fmt/format.h>

#include <charconv>

#include "base/log.h"
#include "kafka/schema_check.h"
#include "rt/random.h"

namespace tailrace::kafka {
namespace {

/// The value of `name=value` in a file of properties.
std::string property(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.starts_with(name) && line.substr(name.size()).starts_with('=')) {
      return std::string(line.substr(name.size() + 1));
    }
  }
  return {};
}

std::string new_cluster_id() {
  rt::Random random(rt::system_seed());
  log::TopicId id{};
  for (auto& byte : id) byte = static_cast<std::uint8_t>(random.next());
  return log::topic_id_text(id);
}

}  // namespace

Broker::Broker(log::Log& log, BrokerConfig config, std::string folder,
               std::unique_ptr<ConfigStore> config_store, SchemaIds* registry)
    : log_(log),
      config_(std::move(config)),
      folder_(std::move(folder)),
      scram_users_(folder_ + "/scram-users"),
      tokens_(folder_ + "/delegation-tokens", config_.tokens),
      quotas_(folder_ + "/client-quotas"),
      features_(folder_ + "/features"),
      config_store_(std::move(config_store)),
      producer_ids_(folder_ + "/producer-ids"),
      fetch_sessions_(config_.fetch_sessions),
      committer_(log_),
      flush_bounds_(committer_),
      share_sessions_(config_.share_sessions),
      share_(
          log_, committer_, parking_,
          [this](const std::string& group) {
            return share_settings(config_layers(), config_store_->get(ResourceType::kGroup, group));
          },
          config_.share),
      producer_turns_([this](auto work) { later(std::move(work)); }),
      groups_(log_, committer_, share_, {config_.groups, config_.offsets_partitions}),
      markers_(log_, committer_, groups_),
      transactions_({log_, committer_, markers_, producer_ids_, features_},
                    {config_.transactions, config_.transaction_partitions}),
      schema_check_(std::make_unique<SchemaCheck>(registry)) {}

Result<std::unique_ptr<Broker>> Broker::open(log::Log& log, BrokerConfig config, std::string folder,
                                             SchemaIds* registry) {
  auto store = std::make_unique<ConfigStore>(folder + "/dynamic-configs");
  TRY(store->open());
  config.take(store->get(ResourceType::kBroker, ""));
  config.take(store->get(ResourceType::kBroker, std::to_string(config.node_id)));
  std::unique_ptr<Broker> broker(
      new Broker(log, std::move(config), std::move(folder), std::move(store), registry));
  TRY(broker->read_identity());
  TRY(broker->features_.load());
  TRY(broker->open_security());
  TRY(broker->topic_defaults_changed());
  for (const auto& topic : log.topics()) broker->schema_check_->set(topic.name, topic.settings);
  TRY(broker->share_.start());
  TRY(broker->groups_.start());
  for (const auto& group : broker->config_store_->resources(ResourceType::kGroup)) {
    broker->group_settings_changed(group);
  }
  TRY(broker->transactions_.start());
  auto& parking = broker->parking_;
  log.listen([&parking](const log::Partition& partition, std::uint64_t bytes) {
    parking.appended(partition, bytes);
  });
  return broker;
}

Broker::~Broker() {
  stop();
}

void Broker::stop() {
  log_.listen({});
  worker_.stop();
  schema_check_->stop();
  parking_.stop();
  transactions_.stop();
  flush_bounds_.stop();
  committer_.stop();
  groups_.stop();
  share_.stop();
}

Status Broker::read_identity() {
  auto& files = rt::posix_files();
  const std::string path = folder_ + "/meta.properties";
  auto text = rt::read_whole(files, path, 1 << 16);
  if (!text && text.error().code != Code::kNotFound) return std::unexpected(text.error());
  if (text) cluster_id_ = property(*text, "cluster.id");
  if (!cluster_id_.empty()) return {};
  cluster_id_ = new_cluster_id();
  return rt::write_atomically(
      files, path,
      fmt::format("version=1\ncluster.id={}\nnode.id={}\n", cluster_id_, config_.node_id));
}

Status Broker::open_security() {
  TRY(scram_users_.open());
  TRY(tokens_.open());
  TRY(quotas_.open());
  const auto value = [&](std::string_view name) {
    const auto found = config_.started.find(name);
    return found == config_.started.end() ? std::string() : found->second;
  };
  const auto name = value("authorizer.class.name");
  if (name.empty()) return {};
  if (name != "org.apache.kafka.metadata.authorizer.StandardAuthorizer") {
    return error(Code::kInvalidArgument,
                 fmt::format("authorizer.class.name: {} is not known here; "
                             "org.apache.kafka.metadata.authorizer.StandardAuthorizer is",
                             name));
  }
  auth::AuthorizerConfig rules;
  rules.everyone_else = value("allow.everyone.if.no.acl.found") == "true";
  const auto users = value("super.users");
  for (std::string_view rest = users; !rest.empty();) {
    const auto one = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    const auto user = auth::parse_principal(one);
    if (!user) return std::unexpected(user.error().in("super.users"));
    rules.super_users.insert(user->text());
  }
  authorizer_ = std::make_unique<auth::Authorizer>(folder_ + "/acls", std::move(rules));
  return authorizer_->open();
}

Result<log::Topic> Broker::find_or_create(const std::string& name, bool create) {
  if (auto topic = log_.topic(name)) return *topic;
  if (!create || !config_.auto_create_topics) {
    return error(Code::kNotFound, fmt::format("no topic {}", name));
  }
  TRY(log::check_topic_name(name));
  TRY(log_.ensure_topic(name, topic_defaults()));
  LOG_OF(info, log_of("topic", name), "topic {} created, with {} partitions", name,
         config_.topic.partitions);
  if (auto topic = log_.topic(name)) {
    topic_changed(*topic);
    return *topic;
  }
  return error(Code::kNotFound, fmt::format("topic {} was deleted", name));
}

ConfigLayers Broker::config_layers() const {
  ConfigLayers layers;
  layers.broker = config_store_->get(ResourceType::kBroker, std::to_string(node_id()));
  layers.cluster = config_store_->get(ResourceType::kBroker, "");
  layers.started = config_.started;
  std::string all;
  for (const auto& one : listeners_) {
    all += (all.empty() ? "" : ",") + one->text(one->advertised);
  }
  layers.started.try_emplace("listeners", all);
  layers.started.try_emplace("advertised.listeners", all);
  layers.started.try_emplace("log.dirs", folder_);
  return layers;
}

log::TopicSettings Broker::topic_defaults() const {
  return topic_settings(config_layers(), {}, config_.topic).value_or(config_.topic);
}

void Broker::group_settings_changed(const std::string& group) {
  const auto values = config_store_->get(ResourceType::kGroup, group);
  const auto number = [&](std::string_view name) -> std::optional<std::int32_t> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    std::int32_t value = 0;  // checked when it was set
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
    return value;
  };
  groups_.settings_changed(
      {group, number("consumer.session.timeout.ms"), number("consumer.heartbeat.interval.ms"),
       number("consumer.assignment.interval.ms"), number("share.session.timeout.ms"),
       number("share.heartbeat.interval.ms"), number("share.assignment.interval.ms"),
       number("streams.session.timeout.ms"), number("streams.heartbeat.interval.ms"),
       number("streams.assignment.interval.ms"), number("streams.initial.rebalance.delay.ms"),
       number("streams.num.standby.replicas")});
  share_.settings_changed();
}

Status Broker::topic_defaults_changed() {
  const auto layers = config_layers();
  for (const auto& topic : log_.topics()) {
    if (!topic.settings.own) continue;
    ASSIGN(const auto settings,
           topic_settings(layers, own_configs(layers, topic.settings), topic.settings));
    if (settings != topic.settings) TRY(log_.alter_topic(topic.name, settings));
    flush_bounds_.set(topic.name, settings);
  }
  connection_rates_.set_most(layers.number("max.connection.creation.rate"));
  transactions_.set_verifies(layers.flag("transaction.partition.verification.enable"));
  return {};
}

void Broker::topic_settings_changed(const std::string& name) {
  const auto topic = log_.topic(name);
  if (!topic) return;
  flush_bounds_.set(name, topic->settings);
  schema_check_->set(name, topic->settings);
}

void Broker::topic_changed(const log::Topic& topic) {
  flush_bounds_.set(topic.name, topic.settings);
  schema_check_->set(topic.name, topic.settings);
  groups_.topic_changed(topic);
}

void Broker::topic_deleted(const log::Topic& topic) {
  flush_bounds_.forget(topic.name);
  schema_check_->forget(topic.name);
  groups_.topic_deleted(topic);
}

bool Broker::is_internal(std::string_view topic) {
  return topic == "__consumer_offsets" || topic == "__transaction_state" ||
         topic == "__share_group_state";
}

}  // namespace tailrace::kafka
