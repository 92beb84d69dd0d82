// Group commit: answers to acks=all wait here until their records are on disk. All that was
// appended to a partition while one sync runs is made durable by the next one.
//
// Threads: when_durable() from any thread; callbacks run on the committer's own threads.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "log/partition.h"

namespace tailrace::kafka {

class Committer {
 public:
  /// So many partitions are synced at the same time.
  explicit Committer(int threads);
  ~Committer();

  /// Calls `done` once everything appended to the partition before this call is on disk, or with
  /// the Error of its sync.
  void when_durable(std::shared_ptr<log::Partition> partition, std::function<void(Status)> done);
  /// Finishes what waits and ends the threads.
  void stop();

 private:
  struct Waiting {
    std::shared_ptr<log::Partition> partition;
    std::vector<std::function<void(Status)>> done;
  };
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<log::Partition*, Waiting> waiting_;
  std::deque<log::Partition*> ready_;  // of waiting_, those no thread is at
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace tailrace::kafka
