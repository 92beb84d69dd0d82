#include "groups/deadlines.h"

namespace tailrace::groups {

void Deadlines::set(const TimerKey& key, TimestampMs at) {
  cancel(key);
  at_.emplace(key, at);
  order_.emplace(at, key);
}

void Deadlines::cancel(const TimerKey& key) {
  const auto found = at_.find(key);
  if (found == at_.end()) return;
  order_.erase({found->second, key});
  at_.erase(found);
}

std::optional<TimerKey> Deadlines::pop_due(TimestampMs now) {
  if (order_.empty() || order_.begin()->first > now) return std::nullopt;
  TimerKey key = order_.begin()->second;
  cancel(key);
  return key;
}

std::optional<TimestampMs> Deadlines::next() const {
  if (order_.empty()) return std::nullopt;
  return order_.begin()->first;
}

}  // namespace tailrace::groups
