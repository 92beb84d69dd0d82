// A Kafka client like any other, for tasks of workflows: it produces, and reads with the offsets of
// a group. Nothing of the log on a Kafka is in it.
//
// Threads: one at a time. Errors carry librdkafka's sentence, never a setting's value.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tailrace::kafka_log {

/// Settings of librdkafka by name, `bootstrap.servers` among them.
using PlainSettings = std::map<std::string, std::string>;

class PlainProducer {
 public:
  static Result<std::unique_ptr<PlainProducer>> open(const PlainSettings& settings);
  virtual ~PlainProducer() = default;
  /// Hands a record over; flush() says what became of it.
  virtual Status produce(const std::string& topic, const std::optional<std::string>& key,
                         const std::optional<std::string>& value) = 0;
  /// Waits until every record is acknowledged, or the first that is not.
  virtual Status flush(std::stop_token stop) = 0;
};

struct PlainMessage {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = -1;
  std::int32_t timestamp_type = 0;  ///< 0 none, 1 of the client, 2 of the log
  std::optional<std::string> key, value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
};

class PlainConsumer {
 public:
  /// A member of the group `group.id`: partitions come by its assignor; names that begin with ^ are
  /// regular expressions.
  static Result<std::unique_ptr<PlainConsumer>> subscribe(const PlainSettings& settings,
                                                          const std::vector<std::string>& topics);
  /// All partitions of the topics, from the group's committed offsets, without being its member;
  /// what has none is committed where `auto.offset.reset` puts it, if `keep_start`.
  static Result<std::unique_ptr<PlainConsumer>> assign(const PlainSettings& settings,
                                                       const std::vector<std::string>& topics,
                                                       bool keep_start);
  virtual ~PlainConsumer() = default;
  /// Up to `most` messages: what came within `wait`, or as soon as there are so many.
  virtual Result<std::vector<PlainMessage>> consume(std::size_t most,
                                                    std::chrono::milliseconds wait,
                                                    std::stop_token stop) = 0;
  /// Where the reading stands, or behind one message.
  virtual Status commit() = 0;
  virtual Status commit(const PlainMessage& message) = 0;
};

}  // namespace tailrace::kafka_log
