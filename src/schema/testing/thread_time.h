// How long a thread has worked: what a bound in a test may be put to, since waiting for a busy
// machine does not count.
#pragma once

#include <ctime>

namespace tailrace::schema {

/// Seconds of processor time of this thread.
inline double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// What takes longer than this exploded; the bound is a second on a machine that does nothing else,
/// and slow builds and slow hours are given thirty.
inline constexpr double kExploded = 30;

}  // namespace tailrace::schema
