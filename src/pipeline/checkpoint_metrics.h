// Checkpoints as numbers: how many, how long each took until it was durable, what it wrote.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/metrics.h"

namespace tailrace::pipeline {

/// The thread of the steps tells it; any thread writes it out.
class CheckpointMetrics {
 public:
  using Clock = std::chrono::steady_clock;

  void begun(Clock::time_point now) {
    begun_ = now;
    open_ = true;
  }
  /// It is durable, at `now_ms` of the wall's clock.
  void durable(Clock::time_point now, std::int64_t now_ms, std::uint64_t bytes) {
    open_ = false;
    bytes_.add(bytes);
    last_bytes_ = bytes;
    last_ms_ = now_ms;
    took_.observe(now - begun_);  // last: who sees its count sees the rest of it
  }
  /// It could not be taken, or waits for room; one is counted once however often it is tried.
  void failed() {
    if (open_) failed_.add();
    open_ = false;
  }

  /// tailrace_checkpoint_…
  void write(MetricsText& out) const;

 private:
  Clock::time_point begun_;
  bool open_ = false;  ///< begun, and neither durable nor counted as failed
  DurationHistogram took_;
  Counter failed_, bytes_;
  std::atomic<std::uint64_t> last_bytes_ = 0;
  std::atomic<std::int64_t> last_ms_ = 0;
};

}  // namespace tailrace::pipeline
