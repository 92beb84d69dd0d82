// A bounded blocking queue between threads: a full queue pushes back, close() lets both ends
// finish.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "base/check.h"

namespace tailrace::rt {

/// Many producers, many consumers, first in first out. After close() pushes are refused and pops
/// drain
/// what is left, then give nothing.
template <typename T>
class Queue {
 public:
  explicit Queue(std::size_t capacity) : capacity_(capacity) { CHECK(capacity > 0); }
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  /// Waits for room; false when closed (the item is dropped).
  bool push(T item) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return closed_ || items_.size() < capacity_; });
    return put(std::move(item));
  }

  /// Never waits; false when full or closed.
  bool try_push(T item) {
    std::unique_lock lock(mutex_);
    return items_.size() < capacity_ && put(std::move(item));
  }

  /// Waits for an item; nothing when closed and empty.
  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [&] { return closed_ || !items_.empty(); });
    return take();
  }

  /// As pop(), but gives up after `timeout`.
  std::optional<T> pop_for(std::chrono::nanoseconds timeout) {
    std::unique_lock lock(mutex_);
    ready_.wait_for(lock, timeout, [&] { return closed_ || !items_.empty(); });
    return take();
  }

  std::optional<T> try_pop() {
    std::unique_lock lock(mutex_);
    return take();
  }

  void close() {
    std::unique_lock lock(mutex_);
    closed_ = true;
    ready_.notify_all();
    room_.notify_all();
  }

  bool closed() const {
    std::unique_lock lock(mutex_);
    return closed_;
  }

  std::size_t size() const {
    std::unique_lock lock(mutex_);
    return items_.size();
  }

 private:
  bool put(T item) {
    if (closed_) return false;
    items_.push_back(std::move(item));
    ready_.notify_one();
    return true;
  }

  std::optional<T> take() {
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    room_.notify_one();
    return item;
  }

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::condition_variable room_;
  std::deque<T> items_;
  bool closed_ = false;
};

}  // namespace tailrace::rt
