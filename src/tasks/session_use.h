// What the processes of a session use, as /proc says it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>

namespace tailrace::tasks {

struct SessionUse {
  std::uint64_t memory_bytes = 0;  ///< in memory, without what files and shared memory have there
  std::chrono::microseconds processor_time{0};  ///< also of those that have ended
  std::uint64_t processes = 0;
};

/// From any thread. All of them share one look through /proc, which is some 200 ms old at most, and
/// older where looking takes long: it gets a fiftieth of one processor.
SessionUse use_of_session(pid_t session);

/// Kills what is in the session now.
void kill_session(pid_t session);

}  // namespace tailrace::tasks
