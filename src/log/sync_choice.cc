#include "log/sync_choice.h"

#include <algorithm>

namespace tailrace::log {
namespace {

constexpr std::chrono::seconds kPause{5};
constexpr double kWeight = 0.1;
/// So many times longer than the files by themselves is a wait for others.
constexpr double kTooLong = 4;

}  // namespace

bool SyncChoice::together(std::size_t files, Time now) const {
  return files > 1 && now >= not_before_ && whole_ns_ < one_ns_ * static_cast<double>(files);
}

void SyncChoice::took(bool together, std::size_t files, Time duration, Time now) {
  const auto ns = static_cast<double>(duration.count());
  const double apart = one_ns_ * static_cast<double>(std::max<std::size_t>(1, files));
  if (!together) {
    one_ns_ += kWeight * (ns / static_cast<double>(std::max<std::size_t>(1, files)) - one_ns_);
  } else if (ns > kTooLong * std::max(apart, whole_ns_)) {
    not_before_ = now + kPause;
  } else {
    whole_ns_ += kWeight * (ns - whole_ns_);
  }
}

}  // namespace tailrace::log
