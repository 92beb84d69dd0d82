// A thread that waits as long as the operator may take.
#include "workflows/time_limit.h"

#include <algorithm>

namespace tailrace::workflows {
namespace {

/// More than this is no limit, and too much for a clock's nanoseconds.
constexpr std::chrono::microseconds kLongest = std::chrono::years(100);

}  // namespace

TimeLimit::TimeLimit(const std::stop_token& outer, std::optional<std::chrono::microseconds> time)
    : linked_(outer, [this] { stop_.request_stop(); }) {
  if (!time) return;
  waits_ = std::jthread([this, time = std::min(*time, kLongest)](const std::stop_token& ended) {
    wait(ended, time);
  });
}

bool TimeLimit::end() {
  if (waits_.joinable()) {
    waits_.request_stop();
    waits_.join();
  }
  return over_;
}

void TimeLimit::wait(const std::stop_token& ended, std::chrono::microseconds time) {
  {
    std::unique_lock lock(mutex_);
    ended_.wait_for(lock, ended, time, [] { return false; });
  }
  if (ended.stop_requested()) return;
  over_ = true;
  stop_.request_stop();
}

}  // namespace tailrace::workflows
