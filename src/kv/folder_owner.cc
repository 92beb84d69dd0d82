// flock, not a pid alone, decides: a crash leaves the file but not the lock.
#include "kv/folder_owner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tailrace::kv {
namespace {

std::string holder(int fd) {
  char text[32] = {};
  const ssize_t size = ::pread(fd, text, sizeof text - 1, 0);
  if (size <= 0) return "another process";
  return "process " + std::string(text, std::strcspn(text, "\n"));
}

}  // namespace

Result<FolderOwner> FolderOwner::take(const std::string& folder) {
  const std::string path = folder + "/OWNER";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    const Code code = errno == ENOSPC ? Code::kResourceExhausted : Code::kUnavailable;
    return error(code, fmt::format("{}: {}", path, std::strerror(errno)));
  }
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    std::string who = holder(fd);
    ::close(fd);
    return error(Code::kFailedPrecondition,
                 fmt::format("{} is held by {}; stop it or use another data folder", folder, who));
  }
  // A full disk may keep the pid out; the lock holds all the same.
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd, 0) == 0) (void)!::pwrite(fd, pid.data(), pid.size(), 0);
  return FolderOwner(fd);
}

FolderOwner::~FolderOwner() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace tailrace::kv
