// A short read somewhere in a partition, beside the streams: a record by its offset, a small topic
// as a whole. One at a time.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "kafka_log/client.h"

namespace tailrace::kafka_log {

class Looker {
 public:
  Looker(const KafkaLogConfig& config, Health& health) : config_(config), health_(health) {}

  /// Gives committed messages from `offset` on to `take` until it says false, or the partition
  /// ends. kOutOfRange below the partition's start; kUnavailable when nothing comes for long.
  using Take = std::function<Result<bool>(const rd_kafka_message_t&)>;
  Status look(const std::string& topic, PartitionId partition, Offset offset, const Take& take);

 private:
  Status open();
  Status follow(rd_kafka_topic_t* topic, PartitionId partition, const Take& take);

  const KafkaLogConfig& config_;
  Health& health_;
  std::mutex mutex_;
  std::unique_ptr<Client> client_;
};

}  // namespace tailrace::kafka_log
