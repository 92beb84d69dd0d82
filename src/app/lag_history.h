// How the lag of groups moved: a sample every few seconds, for as long as the program runs.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/strong.h"
#include "console/log_view.h"

namespace tailrace::app {

/// Any thread. Bounded: kSamples of each of kGroups, those that come first by name.
class LagHistory {
 public:
  static constexpr std::size_t kSamples = 180;
  static constexpr std::size_t kGroups = 1000;

  /// One sample of every group there is; those that are gone are forgotten.
  void note(TimestampMs now, const std::vector<std::pair<std::string, std::int64_t>>& lags);
  /// The oldest first.
  std::vector<console::LagSample> of(const std::string& group) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::deque<console::LagSample>> samples_;
};

}  // namespace tailrace::app
