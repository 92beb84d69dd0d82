#include "kafka_log/topics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <thread>

#include "base/log.h"

namespace tailrace::kafka_log {
namespace {

constexpr int kRequestMs = 15'000;
constexpr std::string_view kInternal = "__";

template <typename T, void (*Destroy)(T*)>
struct Destroyer {
  void operator()(T* p) const { Destroy(p); }
};
using NewTopic =
    std::unique_ptr<rd_kafka_NewTopic_t, Destroyer<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy>>;
using OldTopic = std::unique_ptr<rd_kafka_DeleteTopic_t,
                                 Destroyer<rd_kafka_DeleteTopic_t, rd_kafka_DeleteTopic_destroy>>;
using MorePartitions =
    std::unique_ptr<rd_kafka_NewPartitions_t,
                    Destroyer<rd_kafka_NewPartitions_t, rd_kafka_NewPartitions_destroy>>;
using Resource =
    std::unique_ptr<rd_kafka_ConfigResource_t,
                    Destroyer<rd_kafka_ConfigResource_t, rd_kafka_ConfigResource_destroy>>;
using Options = std::unique_ptr<rd_kafka_AdminOptions_t,
                                Destroyer<rd_kafka_AdminOptions_t, rd_kafka_AdminOptions_destroy>>;

/// One admin call: `ask(options, queue)` sends it, its event comes back.
template <typename Ask>
Result<Owned<rd_kafka_event_t>> admin(rd_kafka_t* client, rd_kafka_admin_op_t op, Ask ask) {
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(client));
  const Options options(rd_kafka_AdminOptions_new(client, op));
  std::array<char, 256> why{};
  (void)rd_kafka_AdminOptions_set_request_timeout(options.get(), kRequestMs, why.data(),
                                                  why.size());
  ask(options.get(), queue.get());
  Owned<rd_kafka_event_t> event(rd_kafka_queue_poll(queue.get(), kRequestMs + 5000));
  if (!event) return error(Code::kUnavailable, "no answer");
  if (const auto err = rd_kafka_event_error(event.get()))
    return error(code_of(err), rd_kafka_event_error_string(event.get()));
  return event;
}

Status topic_result(const rd_kafka_topic_result_t** results, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    if (const auto err = rd_kafka_topic_result_error(results[i])) {
      const char* why = rd_kafka_topic_result_error_string(results[i]);
      return error(code_of(err), why ? why : rd_kafka_err2str(err));
    }
  return {};
}

/// The settings that Kafka knows by the same name. Of those that are only of the embedded log's
/// files there is none.
std::map<std::string, std::string> kafka_settings(const log::TopicSettings& settings) {
  std::map<std::string, std::string> named = settings.extra;
  named["retention.ms"] = std::to_string(settings.retention_ms);
  named["retention.bytes"] = std::to_string(settings.retention_bytes);
  named["segment.bytes"] = std::to_string(settings.segment_bytes);
  named["segment.ms"] = std::to_string(settings.segment_ms);
  named["max.message.bytes"] = std::to_string(settings.max_message_bytes);
  if (settings.compression != log::Compression::kNone)
    named["compression.type"] = log::compression_name(settings.compression);
  return named;
}

}  // namespace

std::string Topics::real_name(std::string_view name) const {
  if (!name.starts_with(kInternal)) return std::string(name);
  return fmt::format("tailrace.{}.{}", config_.id, name.substr(kInternal.size()));
}

Status Topics::load(std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  const rd_kafka_metadata_t* found = nullptr;
  for (;;) {
    const auto err = rd_kafka_metadata(client_.handle(), 1, nullptr, &found, 1000);
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) break;
    if (const auto refusal = health_.refusal(); !refusal.empty())
      return error(Code::kPermissionDenied, refusal);
    if (std::chrono::steady_clock::now() >= end) {
      const Error why = health_.unavailable(rd_kafka_err2str(err));
      return error(why.code, why.what);
    }
  }
  health_.answered();
  const std::lock_guard lock(mutex_);
  const std::string own = real_name(kInternal);
  for (int i = 0; i < found->topic_cnt; ++i) {
    const rd_kafka_metadata_topic_t& topic = found->topics[i];
    if (topic.err || topic.partition_cnt == 0) continue;
    std::string name = topic.topic;
    if (name.starts_with(own)) name.replace(0, own.size(), kInternal);
    Entry& entry = topics_[name];
    entry.topic.name = name;
    entry.topic.settings.partitions = topic.partition_cnt;
  }
  rd_kafka_metadata_destroy(found);
  return {};
}

Result<std::map<std::string, std::string>> Topics::describe(const std::string& real,
                                                            bool only_set) {
  const Resource resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, real.c_str()));
  rd_kafka_ConfigResource_t* asked = resource.get();
  ASSIGN(
      const auto event,
      admin(client_.handle(), RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, [&](auto* options, auto* queue) {
        rd_kafka_DescribeConfigs(client_.handle(), &asked, 1, options, queue);
      }));
  std::size_t count = 0;
  const auto* result = rd_kafka_event_DescribeConfigs_result(event.get());
  const auto** resources = rd_kafka_DescribeConfigs_result_resources(result, &count);
  std::map<std::string, std::string> settings;
  for (std::size_t i = 0; i < count; ++i) {
    if (const auto err = rd_kafka_ConfigResource_error(resources[i])) {
      const char* why = rd_kafka_ConfigResource_error_string(resources[i]);
      return error(code_of(err), fmt::format("topic {}: {}", real, why ? why : ""));
    }
    std::size_t entries = 0;
    const auto** configs = rd_kafka_ConfigResource_configs(resources[i], &entries);
    for (std::size_t e = 0; e < entries; ++e) {
      const bool set =
          rd_kafka_ConfigEntry_source(configs[e]) == RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG;
      const char* value = rd_kafka_ConfigEntry_value(configs[e]);
      if (value && (set || !only_set)) settings[rd_kafka_ConfigEntry_name(configs[e])] = value;
    }
  }
  return settings;
}

Status Topics::read_settings(Entry& entry) {
  ASSIGN(const auto settings, describe(real_name(entry.topic.name), false));
  for (const auto& [name, text] : kafka_settings({})) {
    const auto found = settings.find(name);
    // Kafka's range may be wider than ours; what does not fit keeps our default.
    if (found != settings.end()) (void)log::set_setting(entry.topic.settings, name, found->second);
  }
  if (const auto type = settings.find("compression.type"); type != settings.end())
    if (const auto compression = log::parse_compression(type->second))
      entry.topic.settings.compression = *compression;
  entry.described = true;
  return {};
}

std::optional<log::Topic> Topics::find(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto found = topics_.find(name);
  if (found == topics_.end()) return std::nullopt;
  if (!found->second.described)
    if (auto read = read_settings(found->second); !read) {
      LOG_OF(warn, log_of("topic", name), "the settings of topic {} cannot be read: {}", name,
             read.error().what);
      found->second.described = true;
    }
  return found->second.topic;
}

std::vector<log::Topic> Topics::all() {
  const std::lock_guard lock(mutex_);
  std::vector<log::Topic> all;
  for (const auto& [name, entry] : topics_) all.push_back(entry.topic);
  return all;
}

std::int64_t Topics::least_max_message_bytes() {
  const std::lock_guard lock(mutex_);
  std::int64_t least = INT64_MAX;
  for (const auto& [name, entry] : topics_)
    if (entry.described) least = std::min(least, entry.topic.settings.max_message_bytes);
  return least;
}

Status Topics::create(std::string_view name, const log::TopicSettings& settings) {
  TRY(log::check_topic_name(name));
  TRY(log::check_settings(settings));
  const std::lock_guard lock(mutex_);
  if (topics_.contains(name))
    return error(Code::kAlreadyExists, fmt::format("topic {} exists", name));
  const std::string real = real_name(name);
  std::array<char, 256> why{};
  // -1: as many replicas as the cluster's default.replication.factor says.
  const NewTopic topic(
      rd_kafka_NewTopic_new(real.c_str(), settings.partitions, -1, why.data(), why.size()));
  if (!topic) return error(Code::kInvalidArgument, fmt::format("topic {}: {}", real, why.data()));
  for (const auto& [setting, value] : kafka_settings(settings))
    rd_kafka_NewTopic_set_config(topic.get(), setting.c_str(), value.c_str());
  rd_kafka_NewTopic_t* asked = topic.get();
  auto event =
      admin(client_.handle(), RD_KAFKA_ADMIN_OP_CREATETOPICS, [&](auto* options, auto* queue) {
        rd_kafka_CreateTopics(client_.handle(), &asked, 1, options, queue);
      });
  Status made;
  std::size_t count = 0;
  if (event) {
    const auto** results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(event->get()), &count);
    made = topic_result(results, count);
  } else {
    made = std::unexpected(event.error());
  }
  if (!made && made.error().code != Code::kAlreadyExists)
    return std::unexpected(made.error().in(fmt::format("topic {} cannot be made", real)));
  Entry& entry = topics_[std::string(name)];
  entry.topic.name = name;
  entry.topic.settings = settings;
  entry.described = made.has_value();
  return {};
}

Status Topics::create_partitions(const std::string& real, std::int32_t count) {
  std::array<char, 256> why{};
  const MorePartitions more(rd_kafka_NewPartitions_new(
      real.c_str(), static_cast<std::size_t>(count), why.data(), why.size()));
  if (!more) return error(Code::kInvalidArgument, why.data());
  rd_kafka_NewPartitions_t* asked = more.get();
  ASSIGN(
      const auto event,
      admin(client_.handle(), RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, [&](auto* options, auto* queue) {
        rd_kafka_CreatePartitions(client_.handle(), &asked, 1, options, queue);
      }));
  std::size_t results = 0;
  const auto** said = rd_kafka_CreatePartitions_result_topics(
      rd_kafka_event_CreatePartitions_result(event.get()), &results);
  return topic_result(said, results);
}

// AlterConfigs takes the whole of what is set, so what others have set is sent along.
Status Topics::alter_configs(const std::string& real, const log::TopicSettings& from,
                             const log::TopicSettings& to) {
  const auto before = kafka_settings(from);
  ASSIGN(auto settings, describe(real, true));
  bool changed = false;
  for (const auto& [name, value] : kafka_settings(to)) {
    const auto had = before.find(name);
    if (had != before.end() && had->second == value) continue;
    settings[name] = value;
    changed = true;
  }
  if (!changed) return {};
  const Resource resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, real.c_str()));
  for (const auto& [name, value] : settings)
    rd_kafka_ConfigResource_set_config(resource.get(), name.c_str(), value.c_str());
  rd_kafka_ConfigResource_t* asked = resource.get();
  ASSIGN(const auto event,
         admin(client_.handle(), RD_KAFKA_ADMIN_OP_ALTERCONFIGS, [&](auto* options, auto* queue) {
           rd_kafka_AlterConfigs(client_.handle(), &asked, 1, options, queue);
         }));
  std::size_t count = 0;
  const auto** resources = rd_kafka_AlterConfigs_result_resources(
      rd_kafka_event_AlterConfigs_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i)
    if (const auto err = rd_kafka_ConfigResource_error(resources[i]))
      return error(code_of(err), rd_kafka_ConfigResource_error_string(resources[i]));
  return {};
}

Status Topics::alter(std::string_view name, const log::TopicSettings& settings) {
  TRY(log::check_settings(settings));
  const std::lock_guard lock(mutex_);
  const auto found = topics_.find(name);
  if (found == topics_.end()) return error(Code::kNotFound, fmt::format("no topic {}", name));
  const log::TopicSettings had = found->second.topic.settings;
  const std::string real = real_name(name);
  Status done;
  if (settings.partitions > had.partitions) done = create_partitions(real, settings.partitions);
  if (done) done = alter_configs(real, had, settings);
  if (!done) return std::unexpected(done.error().in(fmt::format("topic {}", real)));
  found->second.topic.settings = settings;
  return {};
}

Status Topics::remove(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const std::string real = real_name(name);
  const OldTopic topic(rd_kafka_DeleteTopic_new(real.c_str()));
  rd_kafka_DeleteTopic_t* asked = topic.get();
  ASSIGN(const auto event,
         admin(client_.handle(), RD_KAFKA_ADMIN_OP_DELETETOPICS, [&](auto* options, auto* queue) {
           rd_kafka_DeleteTopics(client_.handle(), &asked, 1, options, queue);
         }));
  std::size_t count = 0;
  const auto** results =
      rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event.get()), &count);
  TRY(topic_result(results, count));
  if (const auto found = topics_.find(name); found != topics_.end()) topics_.erase(found);
  return {};
}

}  // namespace tailrace::kafka_log
