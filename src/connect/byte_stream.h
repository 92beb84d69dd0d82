// A file's bytes in order, unpacked when its name ends in .gz or .zst.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace tailrace::connect {

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  /// Replaces `buffer`; empty at the end. kDataLoss when the packing is damaged.
  virtual Status read(std::string& buffer) = 0;

  static Result<std::unique_ptr<ByteStream>> open(const std::string& path);
};

/// Lines of a stream without their ends; the last one may lack it.
class LineReader {
 public:
  explicit LineReader(std::unique_ptr<ByteStream> stream) : stream_(std::move(stream)) {}
  /// False at the end. A line over 256 MiB is kResourceExhausted.
  Result<bool> next(std::string& line);
  /// The first byte that is no blank, without taking it; 0 at the end.
  Result<char> peek();

 private:
  Status more();
  std::unique_ptr<ByteStream> stream_;
  std::string buffer_, chunk_;
  std::size_t at_ = 0;
  bool ended_ = false;
};

}  // namespace tailrace::connect
