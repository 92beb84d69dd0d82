#include "kafka/config_layers.h"

#include <algorithm>
#include <charconv>

#include "kafka/listener_config.h"

namespace tailrace::kafka {
namespace {

struct Layer {
  const ConfigMap& values;
  ConfigSource source;
};

/// Settings that mean the same in another unit, all of them.
std::vector<std::string_view> same_meaning(std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto& topic : configs(ConfigKind::kTopic)) {
    const auto has = [&](const ConfigSynonym& synonym) { return synonym.name == name; };
    if (std::ranges::none_of(topic.broker, has)) continue;
    // It only stands in for log.flush.interval.ms; it is not another word for it.
    if (name == "log.flush.scheduler.interval.ms") break;
    for (const auto& synonym : topic.broker) names.push_back(synonym.name);
    return names;
  }
  // Of one listener alone: where nothing is said what is said of all counts.
  if (const auto* of_all = find_listener_config(name)) return {name, of_all->name};
  return {name};
}

std::int64_t whole(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// A broker's value as a topic's: read, and in the topic's unit.
std::string in_unit(const ConfigSynonym& synonym, const std::string& value) {
  const auto* config = find_config(ConfigKind::kBroker, synonym.name);
  auto read = config == nullptr ? value : read_config(*config, value).value_or(value);
  if (synonym.times == 1) return read;
  const auto number = whole(read);
  return std::to_string(number < 0 ? -1 : number * synonym.times);
}

}  // namespace

std::optional<std::string> ConfigLayers::value(std::string_view name) const {
  for (const auto* layer : {&broker, &cluster, &started}) {
    if (const auto found = layer->find(name); found != layer->end()) return found->second;
  }
  const auto* config = find_config(ConfigKind::kBroker, name);
  if (config == nullptr || !config->default_value) return std::nullopt;
  return std::string(*config->default_value);
}

std::int64_t ConfigLayers::number(std::string_view name) const {
  const auto text = value(name);
  const auto* config = find_config(ConfigKind::kBroker, name);
  if (!text || config == nullptr) return 0;
  return whole(read_config(*config, *text).value_or("0"));
}

bool ConfigLayers::flag(std::string_view name) const {
  const auto text = value(name);
  const auto* config = find_config(ConfigKind::kBroker, name);
  return text && config != nullptr && read_config(*config, *text).value_or("") == "true";
}

std::vector<SourcedConfig> ConfigLayers::synonyms(std::string_view name) const {
  std::vector<SourcedConfig> all;
  const auto names = same_meaning(name);
  for (const Layer& layer : {Layer{broker, ConfigSource::kBroker},
                             {cluster, ConfigSource::kCluster},
                             {started, ConfigSource::kStarted}}) {
    for (const auto& one : names) {
      const auto found = layer.values.find(one);
      if (found != layer.values.end()) all.push_back({found->first, found->second, layer.source});
    }
  }
  for (const auto& one : names) {
    const auto* config = find_config(ConfigKind::kBroker, one);
    if (config == nullptr || !config->default_value || config->only_dynamic) continue;
    all.push_back({std::string(one), std::string(*config->default_value), ConfigSource::kDefault});
  }
  const auto itself = std::ranges::find(all, name, &SourcedConfig::name);
  all.erase(all.begin(), itself);
  return all;
}

SourcedConfig ConfigLayers::fallback(const ConfigInfo& config) const {
  for (const Layer& layer : {Layer{broker, ConfigSource::kBroker},
                             {cluster, ConfigSource::kCluster},
                             {started, ConfigSource::kStarted}}) {
    for (const auto& synonym : config.broker) {
      const auto found = layer.values.find(synonym.name);
      if (found == layer.values.end()) continue;
      return {std::string(config.name), in_unit(synonym, found->second), layer.source};
    }
  }
  return {std::string(config.name), std::string(config.default_value.value_or("")),
          ConfigSource::kDefault};
}

Result<log::TopicSettings> topic_settings(const ConfigLayers& layers, const ConfigMap& own,
                                          log::TopicSettings base) {
  log::TopicSettings settings = std::move(base);
  settings.own.emplace();
  for (const auto& config : configs(ConfigKind::kTopic)) {
    const std::string name(config.name);
    settings.extra.erase(name);
    if (const auto found = own.find(name); found != own.end()) {
      ASSIGN(const auto value, read_config(config, found->second));
      TRY(log::set_setting(settings, name, value));
      settings.own->insert(name);
      continue;
    }
    const auto fallback = layers.fallback(config);
    if (fallback.value != config.default_value || log::get_setting(settings, name)) {
      TRY(log::set_setting(settings, name, fallback.value));
    }
  }
  return settings;
}

ConfigMap own_configs(const ConfigLayers& layers, const log::TopicSettings& settings) {
  ConfigMap own;
  for (const auto& config : configs(ConfigKind::kTopic)) {
    const std::string name(config.name);
    if (settings.own && !settings.own->contains(name)) continue;
    const auto value = log::get_setting(settings, name);
    if (value && (settings.own || *value != layers.fallback(config).value)) own[name] = *value;
  }
  return own;
}

}  // namespace tailrace::kafka
