#include "log/retention.h"

namespace tailrace::log {

std::size_t expired_segments(std::span<const SegmentFacts> segments, const TopicSettings& settings,
                             Offset log_start, TimestampMs now, Offset keep_from) {
  std::uint64_t left = 0;
  for (const auto& segment : segments) left += segment.size_bytes;
  std::size_t gone = 0;
  std::size_t ageless = 0;  // seen since without a time of their own: they go with the next one
  const bool deletes = settings.deletes_old();
  while (gone + ageless + 1 < segments.size()) {
    const auto& segment = segments[gone + ageless];
    if (segment.next > keep_from) break;
    const bool below_start = segment.next <= log_start;
    const bool too_old = deletes && settings.retention_ms >= 0 &&
                         segment.max_timestamp.value >= 0 &&
                         now - segment.max_timestamp > settings.retention_ms;
    const bool too_much =
        deletes && settings.retention_bytes >= 0 &&
        left - segment.size_bytes >= static_cast<std::uint64_t>(settings.retention_bytes);
    left -= segment.size_bytes;
    if (below_start || too_old || too_much) {
      gone += ageless + 1;
      ageless = 0;
    } else if (deletes && segment.max_timestamp.value < 0) {
      ++ageless;
    } else {
      break;
    }
  }
  return gone;
}

}  // namespace tailrace::log
