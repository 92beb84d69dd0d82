// A thread for work that waits for the disk, so that connections do not: topics made and deleted.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace tailrace::kafka {

class Worker {
 public:
  Worker();
  ~Worker();

  /// In the order of the calls; dropped after stop().
  void post(std::move_only_function<void()> work);
  /// Finishes what is under way, drops the rest.
  void stop();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::move_only_function<void()>> posted_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tailrace::kafka
