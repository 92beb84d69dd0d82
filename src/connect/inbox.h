// Where a door puts what came to it: the way from a thread that received something to the source's
// own thread, and the news back that it is durable.
//
//   door: offer(delivery) … delivery.done(ok) when its records are durable in the topic or the
//   staging table, and its id, if any, is remembered. Whoever sent it is answered then, not before.
//   source (pushed_source.h): take(…), append, note, then done.
//
// A delivery whose id was accepted before is done at once with kAlreadyExists: nothing is appended
// twice, whatever is sent again after a crash, a lost answer or an hour (inbox_ids.h). While the
// first one is still under way the second waits for the same news.
//
// Threads: offer() from any, take() and settle() from the source's only. `done` is called from the
// source's thread, or within offer(); it must not block.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "connect/source.h"

namespace tailrace::connect {

struct Delivery {
  struct Item {
    std::optional<std::string> key = {};
    std::string value = {};
    std::int64_t timestamp_ms = -1;  ///< -1: the time of the append
  };
  std::vector<Item> items = {};
  std::vector<Reject> rejects = {};  ///< what of it could not become a record, with its origin
  /// Who sends the same again uses the same id (an idempotency key, an event's id); "" for none. At
  /// most kMaxDeliveryId bytes.
  std::string id = {};
  std::function<void(Status)> done = {};  ///< may be empty
  telemetry::SpanContext trace = {};      ///< that it came in; not valid: none
};

inline constexpr std::size_t kMaxDeliveryId = 256;

struct InboxLimits {
  std::size_t bytes = 32 << 20;  ///< of keys, values and rejects that wait or are under way
  std::size_t deliveries = 100'000;
};

class Inbox {
 public:
  using Limits = InboxLimits;
  explicit Inbox(Limits limits = {}) : limits_(limits) {}

  /// Queues it. kResourceExhausted: full, the sender is to come again (back-pressure);
  /// kUnavailable: the source does not run; kInvalidArgument: the id is too long. In these cases
  /// `done` is not called.
  Status offer(Delivery delivery);
  /// The same, but waits until there is room for it; kCancelled when `stop` comes first.
  Status put(Delivery delivery, std::stop_token stop);
  /// Waits until there is room again, or `stop`: for a door that can let its sender wait.
  bool wait_for_room(std::stop_token stop);
  /// No more will come (stdin's end): what is there is taken, then the source is finished.
  void close();

  /// Whole deliveries, at least one, at most `records` records if there are more than one; empty
  /// after `wait`, or when it is closed.
  std::deque<Delivery> take(std::size_t records, std::chrono::milliseconds wait,
                            std::stop_token stop);
  /// What was taken is settled: its room is free.
  void settled(std::size_t bytes, std::size_t deliveries);
  bool closed() const;
  /// From here on offers are taken, or refused with kUnavailable and what waits is told so.
  void open(bool on);
  /// Bytes that wait or are under way.
  std::size_t bytes() const;

 private:
  bool has_room(std::size_t bytes) const;

  const Limits limits_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Delivery> waiting_;
  std::size_t bytes_ = 0;
  std::size_t deliveries_ = 0;
  bool open_ = false;
  bool closed_ = false;
};

/// What a delivery counts against the limit.
std::size_t size_of(const Delivery& delivery);

}  // namespace tailrace::connect
