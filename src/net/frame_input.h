// The bytes of a connection that were read and not yet served. For the files of this room that
// already know Asio.
#pragma once

#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace tailrace::net {

/// What was read and not yet served.
class FrameInput {
 public:
  std::string_view bytes() const { return {data_.get() + begin_, end_ - begin_}; }
  void drop(std::size_t size) { begin_ += size; }
  void add(std::size_t size) { end_ += size; }

  /// Free memory behind the bytes; it grows only when it is full of one unfinished frame.
  boost::asio::mutable_buffer space() {
    const std::size_t held = end_ - begin_;
    if (held == 0 && capacity_ > kUsual) resize(kUsual, 0);
    if (end_ == capacity_ && begin_ > 0) {
      std::memmove(data_.get(), data_.get() + begin_, held);
    } else if (end_ == capacity_) {
      resize(capacity_ == 0 ? kUsual : 2 * capacity_, held);
    } else if (held > 0) {
      return {data_.get() + end_, capacity_ - end_};
    }
    begin_ = 0;
    end_ = held;
    return {data_.get() + end_, capacity_ - end_};
  }

 private:
  static constexpr std::size_t kUsual = 64 << 10;

  void resize(std::size_t capacity, std::size_t held) {
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    if (held > 0) std::memcpy(larger.get(), data_.get() + begin_, held);
    data_ = std::move(larger);
    capacity_ = capacity;
    begin_ = 0;
    end_ = held;
  }

  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace tailrace::net
