// How several partitions are made durable at once: each file by itself, or the whole file system by
// one call, which writes what the files share once and not once a file, but waits for what
// other programs have written, too. The times of both tell.
#pragma once

#include <chrono>
#include <cstddef>

namespace tailrace::log {

/// Not for more than one thread at a time.
class SyncChoice {
 public:
  using Time = std::chrono::nanoseconds;  // monotonic

  /// Whether `files` files are synced together now.
  bool together(std::size_t files, Time now) const;
  /// What it took. A call for the whole that took much longer than the files would have had to wait
  /// for others: it is not tried again for a while.
  void took(bool together, std::size_t files, Time duration, Time now);

 private:
  double one_ns_ = 400e3;    // a file by itself, a moving average
  double whole_ns_ = 900e3;  // the file system
  Time not_before_{0};
};

}  // namespace tailrace::log
