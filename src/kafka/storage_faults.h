// What the disk or the system refused, said in the log: a client that asks again sees only a
// timeout at its end. The first fault is said at once, then one line in ten seconds for all that
// came.
//
// Threads: all calls from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tailrace::kafka {

class StorageFaults {
 public:
  using Clock = std::chrono::steady_clock;

  /// A partition could not be written or synced; the line to log, if it is time for one.
  std::optional<std::string> line(std::string_view topic, std::int32_t partition,
                                  const Error& fault, Clock::time_point now);
  /// The same, into the log.
  void tell(std::string_view topic, std::int32_t partition, const Error& fault);

 private:
  std::mutex mutex_;
  std::optional<Clock::time_point> said_;
  std::uint64_t unsaid_ = 0;
};

}  // namespace tailrace::kafka
