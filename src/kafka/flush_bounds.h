// How much of a topic may be readable and not yet on disk: flush.messages and flush.ms, by Kafka's
// names. Records of acks=all are on disk before they are answered whatever these say; they bound
// those of acks=1 and acks=0.
//
//   due(partition)  after an append: true when it has flush.messages unsynced records or more, and
//                   the answer has to wait for the disk; else a sync is seen to within flush.ms
//
// Unlike in Kafka flush.ms holds without log.flush.scheduler.interval.ms: who waits for a record's
// time is woken then, not at the next look.
//
// Threads: all calls from any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "kafka/committer.h"
#include "log/topic.h"

namespace tailrace::kafka {

class FlushBounds {
 public:
  using Clock = std::chrono::steady_clock;

  explicit FlushBounds(Committer& committer);
  ~FlushBounds();

  /// What a topic's settings say.
  void set(const std::string& topic, const log::TopicSettings& settings);
  void forget(const std::string& topic);
  bool due(const std::shared_ptr<log::Partition>& partition);
  void stop();

 private:
  struct Bounds {
    std::int64_t messages = INT64_MAX;
    std::int64_t ms = INT64_MAX;
  };
  std::vector<std::shared_ptr<log::Partition>> take_due(Clock::time_point now);
  void run();

  Committer& committer_;
  std::atomic<bool> any_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Bounds, std::less<>> topics_;  // that have bounds
  std::unordered_map<std::shared_ptr<log::Partition>, Clock::time_point> at_;
  std::multimap<Clock::time_point, std::shared_ptr<log::Partition>> queue_;
  bool stopping_ = false;
  std::thread thread_;  // once a topic has flush.ms
};

}  // namespace tailrace::kafka
