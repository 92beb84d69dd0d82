#include "rt/clock.h"

namespace tailrace::rt {

TimestampMs SystemClock::now() const {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return TimestampMs(std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
}

std::chrono::nanoseconds SystemClock::monotonic() const {
  return std::chrono::steady_clock::now().time_since_epoch();
}

SystemClock& system_clock() {
  static SystemClock clock;
  return clock;
}

}  // namespace tailrace::rt
