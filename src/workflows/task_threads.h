// Threads that run tries, made as they are needed and kept: a child process dies with the thread
// that started it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tailrace::workflows {

class TaskThreads {
 public:
  explicit TaskThreads(std::size_t most) : most_(most) {}
  /// Waits for what runs.
  ~TaskThreads();
  TaskThreads(const TaskThreads&) = delete;
  TaskThreads& operator=(const TaskThreads&) = delete;

  void run(std::function<void()> job);

 private:
  void work();

  std::size_t most_;
  std::mutex mutex_;
  std::condition_variable some_;
  std::deque<std::function<void()>> waiting_;
  std::size_t idle_ = 0;
  bool over_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace tailrace::workflows
