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

nanoseconds RateLimit::take(Bucket& bucket, double rate, nanoseconds now) const {
  bucket.tokens = std::min(burst_of(rate), bucket.tokens + Seconds(now - bucket.at).count() * rate);
  bucket.at = now;
  if (bucket.tokens < 1) return std::chrono::ceil<nanoseconds>(Seconds((1 - bucket.tokens) / rate));
  bucket.tokens -= 1;
  return nanoseconds(0);
}

nanoseconds RateLimit::take_of(std::string_view client, nanoseconds now) {
  if (config_.client_rate <= 0) return nanoseconds(0);
  std::lock_guard lock(mutex_);
  return take(bucket_of(client, now), config_.client_rate, now);
}

nanoseconds RateLimit::take_of_all(nanoseconds now) {
  if (config_.rate <= 0) return nanoseconds(0);
  std::lock_guard lock(mutex_);
  if (!std::exchange(begun_, true)) all_ = {burst_of(config_.rate), now};
  return take(all_, config_.rate, now);
}

}  // namespace tailrace::hooks
