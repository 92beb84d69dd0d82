// Requests that wait for records: a fetch with less than its min.bytes parks here until enough was
// appended to one of its partitions, or until its time is over.
//
// Threads: everything from any thread; what was parked goes on on the parking's own thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "log/partition.h"

namespace tailrace::kafka {

class Parking {
 public:
  using Clock = std::chrono::steady_clock;

  /// One that waits. It is woken once; who still lacks something parks again.
  struct Parked {
    std::vector<const log::Partition*> partitions;
    std::int64_t bytes = 1;  ///< so many more appended wake it
    Clock::time_point deadline;
    std::function<void()> wake;
  };

  Parking();
  ~Parking();

  void park(std::shared_ptr<Parked> one);
  /// Wakes it at once; nothing when it was woken already.
  void wake(const std::shared_ptr<Parked>& one);
  void appended(const log::Partition& partition, std::uint64_t bytes);
  /// Drops all that wait, without waking them.
  void stop();
  std::size_t size() const { return count_; }

 private:
  using Deadlines = std::multimap<Clock::time_point, std::shared_ptr<Parked>>;
  void run();
  bool take(const std::shared_ptr<Parked>& one);

  std::atomic<std::size_t> count_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  Deadlines deadlines_;
  std::unordered_map<const Parked*, Deadlines::iterator> places_;
  std::unordered_map<const log::Partition*, std::vector<std::shared_ptr<Parked>>> by_partition_;
  std::vector<std::shared_ptr<Parked>> ready_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tailrace::kafka
