// A file's bytes in order, unpacked when they are gzip or zstd.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace tailrace::connect {

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  /// Replaces `buffer`; empty at the end. kDataLoss when the packing is damaged or cut short.
  virtual Status read(std::string& buffer) = 0;

  /// The whole file, unpacked when its name (.gz, .zst) or its first bytes say that it is packed.
  static Result<std::unique_ptr<ByteStream>> open(const std::string& path);
  /// The bytes from `from` to `to` as they are. kDataLoss when the file ends before `to`.
  static Result<std::unique_ptr<ByteStream>> open_part(const std::string& path, std::int64_t from,
                                                       std::int64_t to);
};

/// Whether the name or the first bytes of a file say that it is gzip or zstd.
bool is_packed(const std::string& path);
/// Up to `most` bytes of the beginning, as they are.
Result<std::string> first_bytes(const std::string& path, std::size_t most);

/// Bytes of a stream, line by line or one by one.
class LineReader {
 public:
  /// `offset` is where the stream begins in its file.
  explicit LineReader(std::unique_ptr<ByteStream> stream, std::int64_t offset = 0)
      : stream_(std::move(stream)), offset_(offset) {}
  /// A line without its '\n'; false at the end. A line over 256 MiB is kResourceExhausted.
  Result<bool> next(std::string& line);
  /// Whether the line that next() gave had its '\n'.
  bool line_was_ended() const { return line_was_ended_; }
  /// After the last byte that was taken.
  std::int64_t offset() const { return offset_ + static_cast<std::int64_t>(at_); }

  /// The bytes at hand, at least one unless the stream is at its end.
  Result<std::string_view> look();
  void take(std::size_t bytes) { at_ += bytes; }
  /// The first byte that is no blank, without taking it; 0 at the end.
  Result<char> peek();

 private:
  Status more();
  std::unique_ptr<ByteStream> stream_;
  std::int64_t offset_;  // of buffer_'s first byte
  std::string buffer_, chunk_;
  std::size_t at_ = 0;
  bool ended_ = false;
  bool line_was_ended_ = false;
};

}  // namespace tailrace::connect
