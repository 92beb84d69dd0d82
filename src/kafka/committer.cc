#include "kafka/committer.h"

#include <utility>

#include "net/answers_together.h"

namespace tailrace::kafka {

Committer::Committer(log::Log& log) : log_(log), thread_([this] { work(); }) {}

Committer::~Committer() {
  stop();
}

void Committer::stop() {
  {
    const std::unique_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Committer::when_durable(std::shared_ptr<log::Partition> partition,
                             std::move_only_function<void(Status)> done) {
  bool first = false;
  {
    const std::unique_lock lock(mutex_);
    first = waiting_.empty();
    waiting_[std::move(partition)].push_back(std::move(done));
  }
  if (first) changed_.notify_one();
}

void Committer::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    // Who comes while these are synced waits for the next round: its records may be younger.
    auto round = std::exchange(waiting_, {});
    lock.unlock();
    std::vector<std::shared_ptr<log::Partition>> partitions;
    for (const auto& [partition, done] : round) partitions.push_back(partition);
    const auto synced = log_.sync(partitions);
    const net::AnswersTogether together;
    for (std::size_t i = 0; i < partitions.size(); ++i) {
      for (auto& done : round.at(partitions[i])) done(synced[i]);
    }
    lock.lock();
  }
}

}  // namespace tailrace::kafka
