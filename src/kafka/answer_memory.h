// Bounds the records in answers that their clients have not taken yet: who asks and does not read
// gets small answers, and so does everybody while many do that.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace tailrace::kafka {

class AnswerMemory {
 public:
  explicit AnswerMemory(std::int64_t bytes) : bytes_(bytes) {}

  /// What one more answer may hold: a quarter of what is left, and never less than kLeast.
  std::int64_t room() const { return std::max((bytes_ - *used_) / 4, kLeast); }

  /// Owns `held`, whose bytes count until the last copy of the result is gone.
  std::shared_ptr<const void> hold(std::int64_t bytes, std::shared_ptr<const void> held) {
    *used_ += bytes;
    const void* address = held.get();
    return {address, [used = used_, bytes, held = std::move(held)](const void*) mutable {
              held.reset();
              *used -= bytes;
            }};
  }

  static constexpr std::int64_t kLeast = 64 << 10;

 private:
  const std::int64_t bytes_;
  std::shared_ptr<std::atomic<std::int64_t>> used_ = std::make_shared<std::atomic<std::int64_t>>(0);
};

}  // namespace tailrace::kafka
