// Time behind an interface: SystemClock is the machine's, ManualClock is driven by a test.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/strong.h"

namespace tailrace::rt {

/// Wall time for stamping and retention, and a monotonic time for measuring.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Milliseconds since 1970-01-01 UTC.
  virtual TimestampMs now() const = 0;
  /// Never goes back; its zero means nothing.
  virtual std::chrono::nanoseconds monotonic() const = 0;
};

class SystemClock final : public Clock {
 public:
  TimestampMs now() const override;
  std::chrono::nanoseconds monotonic() const override;
};

/// The one system clock of the process.
SystemClock& system_clock();

/// Stands still until told to move. Safe to move from another thread.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(TimestampMs start = TimestampMs(0)) : now_ms_(start.value) {}
  TimestampMs now() const override { return TimestampMs(now_ms_.load()); }
  std::chrono::nanoseconds monotonic() const override {
    return std::chrono::milliseconds(now_ms_.load());
  }
  void advance(std::chrono::milliseconds by) { now_ms_ += by.count(); }
  void set(TimestampMs to) { now_ms_ = to.value; }

 private:
  std::atomic<std::int64_t> now_ms_;
};

}  // namespace tailrace::rt
