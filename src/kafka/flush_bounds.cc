#include "kafka/flush_bounds.h"

#include <charconv>
#include <vector>

#include "base/log.h"

namespace tailrace::kafka {
namespace {

/// Longer is for ever.
constexpr std::int64_t kLongestMs = std::chrono::milliseconds(std::chrono::years(10)).count();

std::int64_t number(const log::TopicSettings& settings, const char* name) {
  std::int64_t value = INT64_MAX;
  if (const auto found = settings.extra.find(name); found != settings.extra.end()) {
    const auto& text = found->second;
    std::from_chars(text.data(), text.data() + text.size(), value);
  }
  return value;
}

}  // namespace

FlushBounds::FlushBounds(Committer& committer) : committer_(committer) {}

FlushBounds::~FlushBounds() {
  stop();
}

void FlushBounds::stop() {
  {
    const std::unique_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void FlushBounds::set(const std::string& topic, const log::TopicSettings& settings) {
  const Bounds bounds{number(settings, "flush.messages"), number(settings, "flush.ms")};
  const std::unique_lock lock(mutex_);
  if (bounds.messages == INT64_MAX && bounds.ms > kLongestMs) {
    topics_.erase(topic);
  } else {
    topics_[topic] = bounds;
  }
  any_ = !topics_.empty();
  if (bounds.ms > kLongestMs || thread_.joinable() || stopping_) return;
  thread_ = std::thread([this] { run(); });
}

void FlushBounds::forget(const std::string& topic) {
  const std::unique_lock lock(mutex_);
  topics_.erase(topic);
  any_ = !topics_.empty();
}

bool FlushBounds::due(const std::shared_ptr<log::Partition>& partition) {
  if (!any_) return false;
  const std::unique_lock lock(mutex_);
  const auto found = topics_.find(partition->topic());
  if (found == topics_.end()) return false;
  const auto& bounds = found->second;
  const auto unsynced = partition->next_offset() - partition->durable_end();
  if (unsynced >= bounds.messages) return true;
  if (unsynced <= 0 || bounds.ms > kLongestMs) return false;
  const auto at = Clock::now() + std::chrono::milliseconds(bounds.ms);
  if (at_.emplace(partition, at).second) {
    queue_.emplace(at, partition);
    changed_.notify_all();
  }
  return false;
}

/// Those whose time has come; mutex_ is held.
std::vector<std::shared_ptr<log::Partition>> FlushBounds::take_due(Clock::time_point now) {
  std::vector<std::shared_ptr<log::Partition>> due;
  while (!queue_.empty() && queue_.begin()->first <= now) {
    at_.erase(queue_.begin()->second);
    due.push_back(std::move(queue_.begin()->second));
    queue_.erase(queue_.begin());
  }
  return due;
}

void FlushBounds::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (queue_.empty()) {
      changed_.wait(lock);
      continue;
    }
    if (queue_.begin()->first > Clock::now()) {
      changed_.wait_until(lock, queue_.begin()->first);
      continue;
    }
    const auto due = take_due(Clock::now());
    lock.unlock();
    for (const auto& partition : due) {
      committer_.when_durable(partition, [partition](const Status& synced) {
        if (synced) return;
        LOG_OF(warn, log_of("topic", partition->topic(), "partition", partition->id().value),
               "{}-{}: flush.ms: {}", partition->topic(), partition->id().value,
               synced.error().what);
      });
    }
    lock.lock();
  }
}

}  // namespace tailrace::kafka
