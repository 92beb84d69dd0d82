// What the cleaner does when: pure functions of settings, segments and time (KIP-58, 354, 534).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/strong.h"
#include "log/retention.h"
#include "log/topic.h"

namespace tailrace::log {

/// A topic's settings that the cleaner heeds, by Kafka's names and with its defaults.
struct CompactionSettings {
  bool on = false;                                   ///< cleanup.policy has compact
  double min_dirty_ratio = 0.5;                      ///< min.cleanable.dirty.ratio
  std::int64_t min_lag_ms = 0;                       ///< min.compaction.lag.ms
  std::int64_t max_lag_ms = INT64_MAX;               ///< max.compaction.lag.ms
  std::int64_t delete_retention_ms = 24 * 3600'000;  ///< delete.retention.ms
  std::int64_t segment_bytes = 0;                    ///< segment.bytes
  /// How old the active segment may grow: segment.ms, or max.compaction.lag.ms when that is less.
  std::int64_t longest_active_ms = 0;
};

/// A round of compaction that was done (cleaner.h).
struct RoundCounts {
  std::uint64_t records_read = 0;
  std::uint64_t records_kept = 0;
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_kept = 0;
};
struct CleanReport {
  std::string topic;
  PartitionId partition;
  Offset from;  ///< keys of [from, to) were compared with all records below `to`
  Offset to;
  int segments_before = 0;
  int segments_after = 0;
  RoundCounts counts;
};

/// A value that is no number counts as its default: what may be set is checked where it is set.
CompactionSettings compaction_settings(const TopicSettings& settings);

/// A partition as the decision sees it.
struct CleanFacts {
  std::span<const SegmentFacts> segments;           ///< the last one is the active one
  std::span<const TimestampMs> first_timestamps{};  ///< of each segment; may be empty
  Offset log_start;
  Offset cleaned_to;   ///< where the last cleaning ended
  Offset last_stable;  ///< the first open transaction
  TimestampMs now;
};

/// What may be cleaned: keys of [from, to) against all records below `to`. Both are segment bases,
/// but for a `from` where the memory for keys was full.
struct CleanPlan {
  Offset from;
  Offset to;
  std::uint64_t clean_bytes = 0;
  std::uint64_t dirty_bytes = 0;
  bool due = false;  ///< dirty enough, or dirty for too long

  double ratio() const {
    const auto all = clean_bytes + dirty_bytes;
    return all == 0 ? 0 : static_cast<double>(dirty_bytes) / static_cast<double>(all);
  }
};
CleanPlan plan_cleaning(const CleanFacts& facts, const CompactionSettings& settings);

/// How many neighbouring segments become one, group by group: as many as fit into segment.bytes and
/// into the 31 bits of an index entry. `next` is where the last one ends.
std::vector<std::size_t> group_segments(std::span<const SegmentFacts> segments,
                                        std::int64_t segment_bytes);

}  // namespace tailrace::log
