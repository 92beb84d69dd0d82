// Group commit: answers to acks=all wait here until their records are on disk. All that was
// appended to a partition while one sync runs is made durable by the next one.
//
// Threads: when_durable() from any thread; callbacks run on the committer's own thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "log/log.h"

namespace tailrace::kafka {

class Committer {
 public:
  explicit Committer(log::Log& log);
  ~Committer();

  /// Calls `done` once everything appended to the partition before this call is on disk, or with
  /// the Error of its sync.
  void when_durable(std::shared_ptr<log::Partition> partition,
                    std::move_only_function<void(Status)> done);
  /// Finishes what waits and ends the threads.
  void stop();

 private:
  using Waiting = std::unordered_map<std::shared_ptr<log::Partition>,
                                     std::vector<std::move_only_function<void(Status)>>>;
  void work();

  log::Log& log_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Waiting waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tailrace::kafka
