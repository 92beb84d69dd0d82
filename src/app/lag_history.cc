#include "app/lag_history.h"

namespace tailrace::app {

void LagHistory::note(TimestampMs now,
                      const std::vector<std::pair<std::string, std::int64_t>>& lags) {
  const std::unique_lock lock(mutex_);
  std::map<std::string, std::deque<console::LagSample>> kept;
  for (const auto& [group, lag] : lags) {
    if (kept.size() == kGroups) break;
    auto& samples = kept[group];
    if (auto before = samples_.find(group); before != samples_.end())
      samples = std::move(before->second);
    samples.push_back({now.value, lag});
    if (samples.size() > kSamples) samples.pop_front();
  }
  samples_ = std::move(kept);
}

std::vector<console::LagSample> LagHistory::of(const std::string& group) const {
  const std::unique_lock lock(mutex_);
  const auto found = samples_.find(group);
  if (found == samples_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

}  // namespace tailrace::app
