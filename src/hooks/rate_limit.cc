// Token buckets.
#include "hooks/rate_limit.h"

#include <algorithm>
#include <utility>

namespace tailrace::hooks {
namespace {

using std::chrono::nanoseconds;
using Seconds = std::chrono::duration<double>;

}  // namespace

double RateLimit::burst_of(double rate) const {
  return config_.burst > 0 ? config_.burst : std::max(1.0, rate);
}

RateLimit::Bucket& RateLimit::bucket_of(std::string_view client, nanoseconds now) {
  if (const auto found = by_address_.find(client); found != by_address_.end()) {
    clients_.splice(clients_.begin(), clients_, found->second);
    return clients_.front().bucket;
  }
  if (clients_.size() >= kMostClients) {
    by_address_.erase(clients_.back().address);
    clients_.pop_back();
  }
  clients_.push_front({std::string(client), {burst_of(config_.client_rate), now}});
  by_address_.emplace(clients_.front().address, clients_.begin());
  return clients_.front().bucket;
}

nanoseconds RateLimit::take(std::string_view client, nanoseconds now) {
  if (config_.rate <= 0 && config_.client_rate <= 0) return nanoseconds(0);
  std::lock_guard lock(mutex_);
  if (!std::exchange(begun_, true)) all_ = {burst_of(config_.rate), now};
  const auto missing = [&](Bucket& bucket, double rate) {
    bucket.tokens =
        std::min(burst_of(rate), bucket.tokens + Seconds(now - bucket.at).count() * rate);
    bucket.at = now;
    if (bucket.tokens >= 1) return nanoseconds(0);
    return std::chrono::ceil<nanoseconds>(Seconds((1 - bucket.tokens) / rate));
  };
  Bucket* const own = config_.client_rate > 0 ? &bucket_of(client, now) : nullptr;
  nanoseconds wait(0);
  if (config_.rate > 0) wait = missing(all_, config_.rate);
  if (own != nullptr) wait = std::max(wait, missing(*own, config_.client_rate));
  if (wait.count() > 0) return wait;
  if (config_.rate > 0) all_.tokens -= 1;
  if (own != nullptr) own->tokens -= 1;
  return wait;
}

}  // namespace tailrace::hooks
