// The time that an operator may take: execution_timeout, counted while its code runs.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

namespace tailrace::workflows {

/// Asks an operator to stop when its time is over, or when its try shall stop.
class TimeLimit {
 public:
  /// `time`: from now; none: only `outer` stops it.
  TimeLimit(const std::stop_token& outer, std::optional<std::chrono::microseconds> time);

  std::stop_token token() const { return stop_.get_token(); }
  /// From here on the time does not run; whether it was over before.
  bool end();

 private:
  void wait(const std::stop_token& ended, std::chrono::microseconds time);

  std::stop_source stop_;
  std::stop_callback<std::function<void()>> linked_;
  std::mutex mutex_;
  std::condition_variable_any ended_;
  std::atomic<bool> over_ = false;
  std::jthread waits_;
};

}  // namespace tailrace::workflows
