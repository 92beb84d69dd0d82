// A few threads for work that takes its time, and a queue before them that has an end.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tailrace::hooks {

class WorkQueue {
 public:
  WorkQueue(std::size_t threads, std::size_t most) : most_(most) {
    for (std::size_t i = 0; i < threads; ++i)
      threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }

  /// False: too much waits.
  bool put(std::function<void()> one) {
    {
      std::lock_guard lock(mutex_);
      if (waiting_.size() >= most_) return false;
      waiting_.push_back(std::move(one));
    }
    changed_.notify_one();
    return true;
  }

 private:
  void work(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
      const auto one = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      one();
      lock.lock();
    }
  }

  const std::size_t most_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::function<void()>> waiting_;
  std::vector<std::jthread> threads_;  ///< the first to go
};

}  // namespace tailrace::hooks
