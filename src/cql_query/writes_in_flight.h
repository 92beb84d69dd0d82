// Requests between the moment they look at the schema and the moment their writes are in the
// store's queue, so that a change of the schema can wait for those that have not seen it.
//
// Threads: any. Entering and leaving cost a few nanoseconds and share no line of memory between
// threads.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>

namespace tailrace::cql_query {

class WritesInFlight {
 public:
  /// A request, as long as it lives.
  class Flight {
   public:
    explicit Flight(WritesInFlight& all) : count_(all.enter()) {}
    ~Flight() {
      if (count_ != nullptr) count_->fetch_sub(1, std::memory_order_release);
    }
    Flight(const Flight&) = delete;
    Flight& operator=(const Flight&) = delete;

   private:
    std::atomic<std::int64_t>* count_;
  };

  /// Until all that entered before are over. Not from within a flight.
  void wait();

 private:
  static constexpr std::size_t kShards = 16;
  struct alignas(64) Shard {
    std::array<std::atomic<std::int64_t>, 2> of_phase{};
  };

  std::atomic<std::int64_t>* enter();

  std::array<Shard, kShards> shards_;
  std::atomic<std::size_t> phase_{0};
  std::mutex waiting_;
};

}  // namespace tailrace::cql_query
