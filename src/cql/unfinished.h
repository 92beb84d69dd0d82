// Memory for messages that have come in part: bounded for each connection by the size of a message,
// and here for all connections of a door together. Counted is what has arrived, not what was
// announced.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <utility>

namespace tailrace::cql {

class Unfinished {
 public:
  explicit Unfinished(std::size_t most) : most_(most) {}
  std::size_t most() const { return most_; }

  /// False: there is no room for so many more. Any thread.
  bool take(std::size_t bytes) {
    if (taken_.fetch_add(bytes) + bytes <= most_) return true;
    taken_.fetch_sub(bytes);
    return false;
  }
  void give_back(std::size_t bytes) { taken_.fetch_sub(bytes); }

 private:
  const std::size_t most_;
  std::atomic<std::size_t> taken_ = 0;
};

/// What one connection has of it. So much is free that ordinary messages never ask.
class UnfinishedShare {
 public:
  static constexpr std::size_t kFree = 64 << 10;

  explicit UnfinishedShare(Unfinished& all) : all_(all) {}
  ~UnfinishedShare() { clear(); }
  UnfinishedShare(const UnfinishedShare&) = delete;
  UnfinishedShare& operator=(const UnfinishedShare&) = delete;

  /// Whether the connection may hold so many bytes; if not, it keeps what it had.
  bool grow_to(std::size_t bytes) {
    if (bytes <= std::max(kFree, taken_)) return true;
    const std::size_t wanted = std::bit_ceil(bytes);  // as buffers grow
    if (!all_.take(wanted - taken_)) return false;
    taken_ = wanted;
    return true;
  }
  void clear() {
    if (taken_ > 0) all_.give_back(std::exchange(taken_, 0));
  }

 private:
  Unfinished& all_;
  std::size_t taken_ = 0;
};

}  // namespace tailrace::cql
