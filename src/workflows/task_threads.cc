// A pool that grows up to its limit.
#include "workflows/task_threads.h"

#include <utility>

namespace tailrace::workflows {

TaskThreads::~TaskThreads() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  some_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void TaskThreads::run(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(job));
    if (idle_ < waiting_.size() && threads_.size() < most_)
      threads_.emplace_back([this] { work(); });
  }
  some_.notify_one();
}

void TaskThreads::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    some_.wait(lock, [&] { return over_ || !waiting_.empty(); });
    --idle_;
    if (waiting_.empty()) return;
    auto job = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
}

}  // namespace tailrace::workflows
