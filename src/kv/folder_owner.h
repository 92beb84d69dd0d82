// One process owns a folder: a file OWNER, locked with flock while the process lives, that holds
// its pid.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"

namespace tailrace::kv {

class FolderOwner {
 public:
  /// kFailedPrecondition names the process that holds the folder.
  static Result<FolderOwner> take(const std::string& folder);
  FolderOwner(FolderOwner&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FolderOwner& operator=(FolderOwner&&) = delete;
  ~FolderOwner();

 private:
  explicit FolderOwner(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace tailrace::kv
