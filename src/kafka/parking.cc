#include "kafka/parking.h"

#include <utility>

namespace tailrace::kafka {

Parking::Parking() : thread_([this] { run(); }) {}

Parking::~Parking() {
  stop();
}

void Parking::stop() {
  {
    const std::unique_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  const std::unique_lock lock(mutex_);
  deadlines_.clear();
  places_.clear();
  by_partition_.clear();
  ready_.clear();
  count_ = 0;
}

void Parking::park(std::shared_ptr<Parked> one) {
  const std::unique_lock lock(mutex_);
  if (stopping_) return;
  for (const auto* partition : one->partitions) by_partition_[partition].push_back(one);
  const auto at = deadlines_.emplace(one->deadline, one);
  places_.emplace(one.get(), at);
  ++count_;
  if (at == deadlines_.begin()) changed_.notify_one();
}

bool Parking::take(const std::shared_ptr<Parked>& one) {
  const auto place = places_.find(one.get());
  if (place == places_.end()) return false;
  deadlines_.erase(place->second);
  places_.erase(place);
  for (const auto* partition : one->partitions) {
    const auto found = by_partition_.find(partition);
    if (found == by_partition_.end()) continue;
    std::erase(found->second, one);
    if (found->second.empty()) by_partition_.erase(found);
  }
  --count_;
  ready_.push_back(one);
  return true;
}

void Parking::wake(const std::shared_ptr<Parked>& one) {
  const std::unique_lock lock(mutex_);
  if (take(one)) changed_.notify_one();
}

void Parking::appended(const log::Partition& partition, std::uint64_t bytes) {
  if (count_ == 0) return;
  const std::unique_lock lock(mutex_);
  const auto found = by_partition_.find(&partition);
  if (found == by_partition_.end()) return;
  std::vector<std::shared_ptr<Parked>> enough;
  for (const auto& one : found->second) {
    one->bytes -= static_cast<std::int64_t>(bytes);
    if (one->bytes <= 0) enough.push_back(one);
  }
  for (const auto& one : enough) take(one);
  if (!enough.empty()) changed_.notify_one();
}

void Parking::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    while (!deadlines_.empty() && deadlines_.begin()->first <= Clock::now()) {
      const auto due = deadlines_.begin()->second;
      take(due);
    }
    if (!ready_.empty()) {
      const auto ready = std::exchange(ready_, {});
      lock.unlock();
      for (const auto& one : ready) one->wake();
      lock.lock();
    } else if (deadlines_.empty()) {
      changed_.wait(lock);
    } else {
      const auto until = deadlines_.begin()->first;
      changed_.wait_until(lock, until);
    }
  }
}

}  // namespace tailrace::kafka
