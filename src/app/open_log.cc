#include "app/open_log.h"

#include <algorithm>

#include "base/log.h"
#include "connect/runner.h"

namespace tailrace::app {
namespace {

constexpr std::chrono::seconds kOncePatience{60};

/// What may stand in a topic's name.
std::string name_of(std::string id) {
  for (char& c : id)
    if (!log::check_topic_name(std::string(1, c) + "x")) c = '_';
  return id;
}

kafka_log::KafkaLogConfig config_of(const pipeline::Project& project) {
  const pipeline::RemoteLogSpec& spec = project.roles.remote_log;
  kafka_log::KafkaLogConfig config;
  config.url = project.roles.log;
  config.properties = spec.properties;
  config.secrets = spec.secrets;
  config.id = name_of(spec.id);
  return config;
}

/// A cluster's topic may belong to others: it keeps whatever the project does not name.
Result<log::TopicSettings> wanted(const pipeline::TopicSpec& topic, const OpenedLog& opened,
                                  const log::TopicSettings& has) {
  if (!opened.remote) return settings_of(topic);
  ASSIGN(auto settings, settings_of(topic, has));
  settings.partitions = std::max(has.partitions, topic.partitions);
  return settings;
}

}  // namespace

Result<log::TopicSettings> settings_of(const pipeline::TopicSpec& topic, log::TopicSettings over) {
  over.partitions = topic.partitions;
  for (const auto& [name, value] : topic.settings)
    if (auto set = log::set_setting(over, name, value); !set)
      return std::unexpected(set.error().in(topic.place + ": topic " + topic.name));
  return over;
}

Status check_log(const pipeline::Project& project) {
  if (!kafka_log::is_kafka_url(project.roles.log)) return {};
  if (auto checked = kafka_log::check_config(config_of(project)); !checked)
    return std::unexpected(checked.error().in(project.roles.remote_log.place + ": log"));
  return {};
}

Result<OpenedLog> open_log(const pipeline::Project& project, const std::string& data, bool once) {
  OpenedLog opened;
  if (!kafka_log::is_kafka_url(project.roles.log)) {
    ASSIGN(opened.log, log::Log::open(data + "/log", {}));
    return opened;
  }
  kafka_log::KafkaLogConfig config = config_of(project);
  if (once) config.read_patience = kOncePatience;
  ASSIGN(auto remote, kafka_log::KafkaLog::open(std::move(config)));
  opened.remote = remote.get();
  opened.log = std::move(remote);
  return opened;
}

Status open_topics(const pipeline::Project& project, OpenedLog& opened) {
  log::Log& log = *opened.log;
  for (const pipeline::TopicSpec& topic : project.topics) {
    ASSIGN(const auto fresh, settings_of(topic));
    TRY(log.ensure_topic(topic.name, fresh));
    const log::TopicSettings has = log.topic(topic.name)->settings;
    ASSIGN(const auto settings, wanted(topic, opened, has));
    if (has == settings) continue;
    if (auto changed = log.alter_topic(topic.name, settings); !changed)
      return std::unexpected(changed.error().in(topic.place));
  }
  log::TopicSettings rejected;
  rejected.max_message_bytes = 256 << 20;
  return log.ensure_topic(connect::kRejectedTopic, rejected);
}

}  // namespace tailrace::app
