// One thread that encodes the lake's files while the steps go on. Tasks run in the order they were
// posted. On a full disk a task waits until there is room; who posts then waits, too.
#pragma once

#include <pthread.h>

#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>

#include "base/result.h"
#include "rt/queue.h"
#include "rt/room_watch.h"

namespace tailrace::pipeline {

class LakeWriter {
 public:
  LakeWriter() : thread_([this] { run(); }) {}
  ~LakeWriter() {
    room_->close();
    tasks_.close();
    thread_.join();
  }

  /// Waits while too much is queued: the steps cannot run away from the disk. `bytes`: of memory
  /// that the task holds.
  void post(std::function<Status()> task, std::int64_t bytes = 0) {
    {
      std::unique_lock lock(mutex_);
      done_.wait(lock, [&] { return open_bytes_ == 0 || open_bytes_ + bytes <= kQueuedBytes; });
      ++open_;
      open_bytes_ += bytes;
    }
    tasks_.push({std::move(task), bytes});
  }

  /// A task whose outcome can be waited for: that of the first task that failed before it, else its
  /// own.
  std::future<Status> post_awaited(std::function<Status()> task) {
    auto outcome = std::make_shared<std::promise<Status>>();
    auto future = outcome->get_future();
    post([this, outcome, task = std::move(task)]() -> Status {
      Status status = failure();
      if (status) status = task();
      outcome->set_value(status);
      return status;
    });
    return future;
  }

  /// Waits for all that was posted; the first Error since the last wait.
  Status wait() {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return open_ == 0; });
    return std::exchange(failed_, Status{});
  }

  /// Where the tasks wait while the disk is full.
  const std::shared_ptr<rt::RoomWatch>& room() const { return room_; }

 private:
  static constexpr std::size_t kQueued = 64;
  static constexpr std::int64_t kQueuedBytes = 64 << 20;

  struct Task {
    std::function<Status()> run;
    std::int64_t bytes;
  };

  Status failure() {
    const std::lock_guard lock(mutex_);
    return failed_;
  }

  void run() {
    pthread_setname_np(pthread_self(), "lake");
    while (auto task = tasks_.pop()) {
      Status status = task->run();
      task->run = nullptr;  // with what it holds
      const std::lock_guard lock(mutex_);
      if (!status && failed_) failed_ = std::move(status);
      --open_;
      open_bytes_ -= task->bytes;
      done_.notify_all();
    }
  }

  std::shared_ptr<rt::RoomWatch> room_ = std::make_shared<rt::RoomWatch>();
  rt::Queue<Task> tasks_{kQueued};
  std::mutex mutex_;
  std::condition_variable done_;
  int open_ = 0;
  std::int64_t open_bytes_ = 0;
  Status failed_;
  std::thread thread_;
};

}  // namespace tailrace::pipeline
