#include "kafka/committer.h"

#include <utility>

namespace tailrace::kafka {

Committer::Committer(int threads) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

Committer::~Committer() {
  stop();
}

void Committer::stop() {
  {
    const std::unique_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

void Committer::when_durable(std::shared_ptr<log::Partition> partition,
                             std::function<void(Status)> done) {
  const std::unique_lock lock(mutex_);
  auto* key = partition.get();
  auto& waiting = waiting_[key];
  waiting.done.push_back(std::move(done));
  if (waiting.partition) return;  // queued already
  waiting.partition = std::move(partition);
  ready_.push_back(key);
  changed_.notify_one();
}

void Committer::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || !ready_.empty(); });
    if (ready_.empty()) return;
    auto waiting = std::move(waiting_.extract(ready_.front()).mapped());
    ready_.pop_front();
    lock.unlock();
    // Who comes while this sync runs is queued anew: its records may be younger than the sync.
    const Status synced = waiting.partition->sync();
    for (const auto& done : waiting.done) done(synced);
    lock.lock();
  }
}

}  // namespace tailrace::kafka
