#include "log/compaction.h"

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>

#include "log/setting_number.h"

namespace tailrace::log {
namespace {

bool overdue(const CleanFacts& facts, std::size_t first, std::size_t end, std::int64_t max_lag_ms) {
  for (std::size_t i = first; i < std::min(end, facts.first_timestamps.size()); ++i) {
    const TimestampMs since = facts.first_timestamps[i];
    if (since.value > 0 && facts.now - since > max_lag_ms) return true;
  }
  return false;
}

}  // namespace

CompactionSettings compaction_settings(const TopicSettings& settings) {
  CompactionSettings found;
  const auto policy = settings.extra.find("cleanup.policy");
  found.on = policy != settings.extra.end() && policy->second.contains("compact");
  read_number(settings, "min.cleanable.dirty.ratio", found.min_dirty_ratio);
  read_number(settings, "min.compaction.lag.ms", found.min_lag_ms);
  read_number(settings, "max.compaction.lag.ms", found.max_lag_ms);
  read_number(settings, "delete.retention.ms", found.delete_retention_ms);
  found.segment_bytes = settings.segment_bytes;
  found.longest_active_ms = settings.segment_ms;
  if (found.on && found.max_lag_ms > 0) {
    found.longest_active_ms = std::min(found.longest_active_ms, found.max_lag_ms);
  }
  return found;
}

CleanPlan plan_cleaning(const CleanFacts& facts, const CompactionSettings& settings) {
  const auto& segments = facts.segments;
  CleanPlan plan;
  if (segments.empty()) return plan;
  const Offset active = segments.back().base;
  plan.from = std::min(std::max(facts.cleaned_to, facts.log_start), active);
  std::size_t first = 0;
  for (; segments[first].next <= plan.from && first + 1 < segments.size(); ++first) {
    plan.clean_bytes += segments[first].size_bytes;
  }
  std::size_t end = first;
  for (; end + 1 < segments.size(); ++end) {
    const auto& segment = segments[end];
    const bool open = segment.next > facts.last_stable;
    const bool young =
        settings.min_lag_ms > 0 && facts.now - segment.max_timestamp < settings.min_lag_ms;
    if (open || young) break;
    plan.dirty_bytes += segment.size_bytes;
  }
  plan.to = std::max(plan.from, segments[end].base);
  if (!settings.on || plan.dirty_bytes == 0 || plan.to == plan.from) return plan;
  plan.due =
      plan.ratio() > settings.min_dirty_ratio || overdue(facts, first, end, settings.max_lag_ms);
  return plan;
}

std::vector<std::size_t> group_segments(std::span<const SegmentFacts> segments,
                                        std::int64_t segment_bytes) {
  constexpr std::int64_t kMostOffsets = std::numeric_limits<std::int32_t>::max();
  std::vector<std::size_t> groups;
  for (std::size_t first = 0; first < segments.size();) {
    std::uint64_t bytes = segments[first].size_bytes;
    std::size_t end = first + 1;
    for (; end < segments.size(); ++end) {
      bytes += segments[end].size_bytes;
      if (bytes > static_cast<std::uint64_t>(segment_bytes) ||
          segments[end].next - segments[first].base > kMostOffsets) {
        break;
      }
    }
    groups.push_back(end - first);
    first = end;
  }
  return groups;
}

}  // namespace tailrace::log
