// Topics of a cluster as the log's own: created, described and altered by the admin API, and
// remembered. Names that begin with "__" are the project's own on the embedded log; on a cluster,
// which has many users, they are called tailrace.ID.NAME. Threads: all.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kafka_log/client.h"
#include "log/topic.h"

namespace tailrace::kafka_log {

class Topics {
 public:
  Topics(const KafkaLogConfig& config, Client& client, Health& health)
      : config_(config), client_(client), health_(health) {}

  /// Learns names and partition counts; kUnavailable when no broker answers in `patience`.
  Status load(std::chrono::milliseconds patience);

  Status create(std::string_view name, const log::TopicSettings& settings);
  Status alter(std::string_view name, const log::TopicSettings& settings);
  Status remove(std::string_view name);
  /// With its settings, asked of the cluster the first time.
  std::optional<log::Topic> find(std::string_view name);
  std::vector<log::Topic> all();

  /// What Kafka calls it.
  std::string real_name(std::string_view name) const;
  std::int64_t least_max_message_bytes();

 private:
  struct Entry {
    log::Topic topic;
    bool described = false;
  };
  Result<std::map<std::string, std::string>> describe(const std::string& real, bool only_set);
  Status create_partitions(const std::string& real, std::int32_t count);
  Status alter_configs(const std::string& real, const log::TopicSettings& from,
                       const log::TopicSettings& to);
  Status read_settings(Entry& entry);

  const KafkaLogConfig& config_;
  Client& client_;
  Health& health_;
  std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> topics_;
};

}  // namespace tailrace::kafka_log
