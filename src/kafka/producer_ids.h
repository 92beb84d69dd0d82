// Gives out producer ids (KIP-98), each once in the life of a folder: they are taken from the disk
// in blocks, so a crash loses numbers but never gives one twice.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "base/result.h"
#include "rt/file.h"

namespace tailrace::kafka {

class ProducerIds {
 public:
  /// Kept in `path`.
  explicit ProducerIds(std::string path, rt::FileSystem& files = rt::posix_files())
      : path_(std::move(path)), files_(files) {}

  Result<std::int64_t> next();

 private:
  Status take_block();

  const std::string path_;
  rt::FileSystem& files_;
  std::mutex mutex_;
  std::int64_t next_ = 0;
  std::int64_t end_ = 0;
};

}  // namespace tailrace::kafka
