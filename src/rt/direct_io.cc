#include "rt/direct_io.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace tailrace::rt {

bool takes_direct_io(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_DIRECT | O_CLOEXEC, 0600);
  if (fd >= 0) ::close(fd);
  return fd >= 0;
}

int open_direct(const char* path, int flags) {
  const int fd = ::open(path, flags | O_DIRECT, 0644);
  // A file that O_CREAT | O_EXCL has made before O_DIRECT was refused is there: it is ours.
  return fd < 0 && errno == EINVAL ? ::open(path, flags & ~O_EXCL, 0644) : fd;
}

void leave_direct(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags >= 0) ::fcntl(fd, F_SETFL, flags & ~O_DIRECT);
}

}  // namespace tailrace::rt
