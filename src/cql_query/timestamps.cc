#include "cql_query/timestamps.h"

#include <algorithm>

#include "base/check.h"
#include "cql_types/uuid.h"

namespace tailrace::cql_query {
namespace {

constexpr std::int64_t kMirrorMs = 1'262'304'000'000;  // 2010-01-01

}  // namespace

std::int64_t TimestampSource::next(std::int64_t now_us) {
  auto last = last_us_.load(std::memory_order_relaxed);
  std::int64_t next = 0;
  do {
    next = last >= now_us ? last + 1 : now_us;
  } while (!last_us_.compare_exchange_weak(last, next, std::memory_order_relaxed));
  return next;
}

TimestampSource& server_timestamps() {
  static TimestampSource source;
  return source;
}

std::uint64_t PrependSource::take(std::int64_t now_ms, std::int64_t count) {
  CHECK(count >= 1 && count <= kMost);
  const std::lock_guard lock(mutex_);
  const std::int64_t mirrored = kMirrorMs - (now_ms - kMirrorMs);
  if (mirrored < ms_ || ticks_ < count) {
    ms_ = std::min(mirrored, ms_ - 1);
    ticks_ = kMost;
  }
  ticks_ -= count;
  const auto start = cql_types::timeuuid_order(cql_types::min_timeuuid(ms_)).first;
  return start + static_cast<std::uint64_t>(ticks_);
}

PrependSource& prepend_places() {
  static PrependSource source;
  return source;
}

}  // namespace tailrace::cql_query
