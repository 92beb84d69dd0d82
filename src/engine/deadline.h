// The time by which the steps of a circuit on this thread are to be over: what answers somebody who
// waits for a while only. A thread without one works as long as it takes.
#pragma once

#include <chrono>
#include <optional>

#include "base/result.h"

namespace tailrace::engine {

/// Holds for its thread while it lives.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Deadline(std::optional<Clock::time_point> until) : before_(current_) {
    current_ = until;
  }
  ~Deadline() { current_ = before_; }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  /// kDeadlineExceeded once it has passed. Operators ask between batches of work, not of each row.
  static Status check() {
    if (!current_ || Clock::now() < *current_) return {};
    return error(Code::kDeadlineExceeded, "it took too long");
  }

 private:
  inline static thread_local std::optional<Clock::time_point> current_;
  const std::optional<Clock::time_point> before_;
};

}  // namespace tailrace::engine
