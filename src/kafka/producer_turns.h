// The requests of one transactional producer, one after the other: while one waits for the
// coordinator those behind it must not be appended, for their sequences would leave a gap.
//
// Threads: everything from any thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <unordered_map>

namespace tailrace::kafka {

class ProducerTurns {
 public:
  /// Where one whose turn comes goes on.
  using Post = std::function<void(std::move_only_function<void()> work)>;
  explicit ProducerTurns(Post post) : post_(std::move(post)) {}

  /// True when it is the caller's turn. Else what `later` makes is posted when it is. Whose turn it
  /// is leaves.
  bool enter(std::int64_t producer, const std::function<std::move_only_function<void()>()>& later);
  void leave(std::int64_t producer);

 private:
  const Post post_;
  std::mutex mutex_;
  std::unordered_map<std::int64_t, std::deque<std::move_only_function<void()>>>
      waiting_;  // one's turn it is
};

}  // namespace tailrace::kafka
