#include "cql_query/writes_in_flight.h"

#include <chrono>
#include <thread>

namespace tailrace::cql_query {
namespace {

std::size_t shard_of_this_thread() {
  static std::atomic<std::size_t> next{0};
  thread_local const std::size_t shard = next.fetch_add(1);
  return shard;
}

}  // namespace

std::atomic<std::int64_t>* WritesInFlight::enter() {
  Shard& shard = shards_[shard_of_this_thread() % kShards];
  while (true) {
    const std::size_t phase = phase_.load();
    auto& count = shard.of_phase[phase % 2];
    count.fetch_add(1);
    if (phase_.load() == phase) return &count;
    // wait() may have counted before this: it is of the next phase.
    count.fetch_sub(1);
  }
}

void WritesInFlight::wait() {
  const std::lock_guard lock(waiting_);
  const std::size_t before = phase_.fetch_add(1);
  for (Shard& shard : shards_)
    while (shard.of_phase[before % 2].load() != 0)
      std::this_thread::sleep_for(std::chrono::microseconds(50));
}

}  // namespace tailrace::cql_query
