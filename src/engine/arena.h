// Bytes that live until the whole arena is dropped: what a trace keeps its keys and values in.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <string_view>
#include <vector>

namespace tailrace::engine {

class Arena {
 public:
  /// Memory aligned to 8 bytes.
  char* allocate(std::size_t size) {
    size = (size + 7) & ~std::size_t{7};
    if (size > left_) grow(size);
    char* out = next_;
    next_ += size;
    left_ -= size;
    return out;
  }
  std::string_view copy(std::string_view bytes) {
    char* to = allocate(bytes.size());
    bytes.copy(to, bytes.size());
    return {to, bytes.size()};
  }
  std::size_t size_bytes() const { return size_; }

 private:
  void grow(std::size_t size) {
    constexpr std::size_t kFirst = 4 << 10, kLargest = 1 << 20;
    std::size_t chunk = chunks_.empty() ? kFirst : std::min(last_ * 2, kLargest);
    chunk = std::max(chunk, size);
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(chunk));
    next_ = chunks_.back().get();
    left_ = last_ = chunk;
    size_ += chunk;
  }

  std::vector<std::unique_ptr<char[]>> chunks_;
  char* next_ = nullptr;
  std::size_t left_ = 0, last_ = 0, size_ = 0;
};

}  // namespace tailrace::engine
