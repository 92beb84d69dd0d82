// One partition read from front to back, ahead of its reader: a window of whole batches in memory.
//
// The window covers offsets without a hole: what lies between two batches holds no record that can
// be read. pump() fills it on the fetcher's thread; read() takes from it, and begins anew where it
// is asked for something else. Memory: about kWindowBytes, and what librdkafka queues
// (queued.max.messages.kbytes).
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "kafka_log/client.h"
#include "kafka_log/message_batches.h"
#include "log/partition.h"

namespace tailrace::kafka_log {

class Stream {
 public:
  struct Place {
    std::string topic;  ///< as Kafka calls it
    PartitionId partition;
    std::string text() const;
  };
  /// `kick` asks for pump(); it is called from any thread and must not block.
  Stream(Place place, Client& reader, const KafkaLogConfig& config, Health& health,
         std::function<void()> kick);
  ~Stream();

  /// As Partition::read(). Waits for records below known_end(); returns nothing at once at the end,
  /// and after interrupt().
  Status read(Offset offset, std::size_t max_bytes, log::ReadBuffer& buffer);

  /// Moves what has arrived into the window; false when nothing had.
  bool pump();

  /// Committed records lie below `end`.
  void raise_end(Offset end);
  void raise_start(Offset start);
  /// Below it every record is there to be read.
  Offset known_end() const { return Offset(known_end_.load()); }
  /// Where committed records end; what others are about to commit counts only until all before it
  /// has been read.
  Offset end() const;
  Offset start() const;

  /// Reads no longer wait.
  void interrupt();

 private:
  struct Block {
    std::string batches;
    Offset first, next;  ///< what it covers
  };
  static constexpr std::size_t kWindowBytes = 16 << 20;
  static constexpr std::size_t kPumpMessages = 2000;

  Status restart(Offset offset);
  void stop_fetching();
  void take(rd_kafka_message_t** messages, std::size_t count);
  void take_error(const rd_kafka_message_t& message);
  void past_retention(Offset offset);
  void push(std::string batches, Offset next);
  void fail(Code code, std::string what);
  bool serve(Offset offset, std::size_t max_bytes, log::ReadBuffer& buffer);
  Status wait(std::unique_lock<std::mutex>& lock, std::chrono::steady_clock::time_point since);

  const Place place_;
  Client& reader_;
  const KafkaLogConfig& config_;
  Health& health_;
  const std::function<void()> kick_;
  Owned<rd_kafka_topic_t> topic_;
  std::atomic<std::int64_t> known_end_{0}, start_{0};
  std::atomic<bool> interrupted_{false};

  std::mutex pump_mutex_;  // taken before mutex_
  Owned<rd_kafka_queue_t> queue_;
  MessageBatches batches_;

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Block> window_;
  std::size_t window_bytes_ = 0;
  std::atomic<bool> fetching_{false};
  std::atomic<std::int64_t> next_{0};  // behind the window: what is fetched next
  std::atomic<bool> at_end_{false};    // all that is committed lies before next_
  std::optional<Error> failed_;
};

}  // namespace tailrace::kafka_log
