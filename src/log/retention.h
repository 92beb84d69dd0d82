// Which segments retention lets go: a pure function of what is there, the settings and the time.
#pragma once

#include <cstdint>
#include <span>

#include "base/strong.h"
#include "log/topic.h"

namespace tailrace::log {

/// What retention knows of a segment; the last one of a list is the active one.
struct SegmentFacts {
  Offset base;
  Offset next;
  std::uint64_t size_bytes = 0;
  TimestampMs max_timestamp{-1};
};

/// How many segments go from the front. The active one never goes. As Kafka: a segment goes when
/// its newest record is older
/// than retention.ms, when the partition still has retention.bytes without it, or when it ends at
/// or below the log start. None goes that has records at or after `keep_from`: someone still has to
/// read them.
std::size_t expired_segments(std::span<const SegmentFacts> segments, const TopicSettings& settings,
                             Offset log_start, TimestampMs now,
                             Offset keep_from = Offset(INT64_MAX));

}  // namespace tailrace::log
