// The time of day in microseconds.
#include "rt/wall_time.h"

#include <chrono>

namespace tailrace::rt {

std::int64_t wall_microseconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

}  // namespace tailrace::rt
