#include "kafka/worker.h"

#include <utility>

namespace tailrace::kafka {

Worker::Worker() : thread_([this] { run(); }) {}

Worker::~Worker() {
  stop();
}

void Worker::post(std::move_only_function<void()> work) {
  const std::unique_lock lock(mutex_);
  if (stopping_) return;
  posted_.push_back(std::move(work));
  changed_.notify_one();
}

void Worker::stop() {
  std::deque<std::move_only_function<void()>> dropped;
  {
    const std::unique_lock lock(mutex_);
    stopping_ = true;
    dropped.swap(posted_);
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void Worker::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || !posted_.empty(); });
    if (stopping_) return;
    auto work = std::move(posted_.front());
    posted_.pop_front();
    lock.unlock();
    work();
    lock.lock();
  }
}

}  // namespace tailrace::kafka
