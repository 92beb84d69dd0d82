#include "kafka/connection_rates.h"

#include <algorithm>

namespace tailrace::kafka {
namespace {

using auth::Rate;

/// Nothing waits longer than what is measured reaches back.
constexpr auto kLongest = Rate::kWindow * static_cast<int>(Rate::kSamples);

Rate::Millis count(Rate& rate, std::int64_t most, Rate::Millis now) {
  if (most >= INT32_MAX) return Rate::Millis(0);
  rate.record(1, now);
  return std::min(rate.throttle(static_cast<double>(most), now), kLongest);
}

}  // namespace

void ConnectionRates::set_most(std::int64_t a_second) {
  const std::unique_lock lock(mutex_);
  most_ = a_second;
}

net::Admission ConnectionRates::admit(const Listener& listener, const std::string& address,
                                      Millis now) {
  const auto refused = quotas_.take_connection(address, now);
  if (refused.count() > 0) return {.refused = refused};
  const std::unique_lock lock(mutex_);
  const auto own = count(of_listeners_[listener.name], listener.connections_a_second, now);
  return {.wait = std::max(own, count(rate_, most_, now))};
}

}  // namespace tailrace::kafka
