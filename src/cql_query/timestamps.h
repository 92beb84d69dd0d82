// The times that the server itself gives: write timestamps, and the order of elements put before a
// list. One source of each for the process, as clients compare what all its statements wrote.
//
// Threads: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <mutex>

namespace tailrace::cql_query {

/// Microseconds since 1970, each later than the ones before.
class TimestampSource {
 public:
  std::int64_t next(std::int64_t now_us);

 private:
  std::atomic<std::int64_t> last_us_{std::numeric_limits<std::int64_t>::min()};
};

/// Of requests without a timestamp of their own, and of lightweight transactions.
TimestampSource& server_timestamps();

/// Places before all elements that lists have, and before each place it gave. They are times that
/// run backwards from 2010 as the clock runs forwards, in ticks of 100 ns since 1582, as Cassandra
/// takes them: a place that is appended is always later.
class PrependSource {
 public:
  /// At most this many places at once.
  static constexpr std::int64_t kMost = 9'999;

  /// The first of `count` places in a row; `count` is 1 to kMost.
  std::uint64_t take(std::int64_t now_ms, std::int64_t count);

 private:
  std::mutex mutex_;
  std::int64_t ms_ = std::numeric_limits<std::int64_t>::max();
  std::int64_t ticks_ = 0;  // within the millisecond: what is left before those given
};
PrependSource& prepend_places();

}  // namespace tailrace::cql_query
