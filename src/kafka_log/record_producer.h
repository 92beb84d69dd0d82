// Produces records of which each one's fate is asked for: idempotent, acknowledged by all replicas,
// and never left behind open, so that a process that is stopped or frozen between two calls owes
// nobody anything.
//
//   open() → { send() … → settle() } …
//
// Threads: one at a time. Errors carry librdkafka's sentence, never a setting's value.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tailrace::kafka_log {

struct ProducedRecord {
  std::string topic;
  std::optional<std::string> key;
  std::string value;
  std::vector<std::pair<std::string, std::string>> headers = {};
};

/// What became of the records that were sent under it.
struct Delivery {
  std::size_t open = 0, acknowledged = 0;
  std::optional<Error> failed = {};  ///< the first of them
  /// A broker or librdkafka will not take the record or one of its batch, ever: too large, invalid.
  /// Sent alone, it is clear which.
  bool unfit = false;
};

class RecordProducer {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// Called on the caller's thread where SASL/OAUTHBEARER wants a token: its text, until when it is
  /// good in milliseconds since 1970, and whose it is.
  struct Token {
    std::string text;
    std::int64_t expires_ms = 0;
    std::string principal;
  };
  using MakeToken = std::function<Result<Token>()>;

  /// Connects in the background, and asks there for the leaders of `topics`, so that the first
  /// record of one needs not wait for them. kInvalidArgument names a setting that is unknown or
  /// contradicts another.
  static Result<std::unique_ptr<RecordProducer>> open(
      const std::map<std::string, std::string>& settings,
      const std::vector<std::string>& topics = {}, MakeToken token = {});
  virtual ~RecordProducer() = default;

  /// Hands a record over; waits while the queue is full. `delivery` must live until settle(). A
  /// record that cannot be taken fails there.
  virtual void send(const ProducedRecord& record, Delivery& delivery, Time deadline) = 0;
  /// Waits until no record is open; at the deadline what is open fails with kDeadlineExceeded and
  /// is forgotten. It may have arrived all the same.
  virtual void settle(Time deadline) = 0;
};

}  // namespace tailrace::kafka_log
