#include "kafka/producer_turns.h"

#include <utility>

namespace tailrace::kafka {

bool ProducerTurns::enter(std::int64_t producer,
                          const std::function<std::move_only_function<void()>()>& later) {
  const std::unique_lock lock(mutex_);
  const auto [found, free] = waiting_.try_emplace(producer);
  if (!free) found->second.push_back(later());
  return free;
}

void ProducerTurns::leave(std::int64_t producer) {
  std::move_only_function<void()> next;
  {
    const std::unique_lock lock(mutex_);
    const auto found = waiting_.find(producer);
    if (found->second.empty()) {
      waiting_.erase(found);
      return;
    }
    next = std::move(found->second.front());
    found->second.pop_front();
  }
  post_(std::move(next));
}

}  // namespace tailrace::kafka
