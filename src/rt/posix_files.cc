// The machine's files: every call maps errno to an Error with operation and path.
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <thread>

#include "rt/file.h"

namespace tailrace::rt {
namespace {

Code code_of(int error_number) {
  switch (error_number) {
    case ENOENT:
      return Code::kNotFound;
    case ENOSPC:
    case EDQUOT:
      return Code::kResourceExhausted;
    case EACCES:
    case EPERM:
    case EROFS:
      return Code::kPermissionDenied;
    default:
      return Code::kUnavailable;
  }
}

std::unexpected<Error> failed(std::string_view operation, const std::string& path,
                              int error_number) {
  const Code code = code_of(error_number);
  if (code == Code::kResourceExhausted) {
    return error(code, fmt::format("no space left on the disk of {}: {} failed; free some space, "
                                   "writing resumes by itself",
                                   path, operation));
  }
  std::string why = std::generic_category().message(error_number);
  if (error_number == EMFILE) {
    why += fmt::format("; this process may have {}, more with `ulimit -n` or LimitNOFILE=",
                       sysconf(_SC_OPEN_MAX));
  }
  return error(code, fmt::format("{} {}: {}", operation, path, why));
}

/// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

Result<Descriptor> open_path(const std::string& path, int flags) {
  int fd;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return failed("open", path, errno);
  return Descriptor(fd);
}

class PosixWritable final : public WritableFile {
 public:
  PosixWritable(Descriptor fd, std::string path, std::uint64_t size)
      : fd_(std::move(fd)), path_(std::move(path)), size_(size) {}

  Status append(std::string_view data) override {
    std::uint64_t at = size_;
    while (!data.empty()) {
      const ssize_t n = ::pwrite(fd_.get(), data.data(), data.size(), static_cast<off_t>(at));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return failed("write", path_, errno);
      at += static_cast<std::uint64_t>(n);
      data.remove_prefix(static_cast<std::size_t>(n));
    }
    size_ = at;
    return {};
  }

  Status sync() override {
    if (::fdatasync(fd_.get()) != 0) return failed("fdatasync", path_, errno);
    return {};
  }

  Status truncate(std::uint64_t size) override {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) {
      return failed("truncate", path_, errno);
    }
    size_ = size;
    return {};
  }

  Status close() override {
    const int fd = fd_.release();
    if (fd >= 0 && ::close(fd) != 0) return failed("close", path_, errno);
    return {};
  }

  std::uint64_t size() const override { return size_; }

 private:
  Descriptor fd_;
  const std::string path_;
  std::uint64_t size_;
};

class PosixDisk final : public Disk {
 public:
  PosixDisk(Descriptor fd, std::string folder) : fd_(std::move(fd)), folder_(std::move(folder)) {}

  Status sync() override {
    if (::syncfs(fd_.get()) != 0) return failed("syncfs", folder_, errno);
    return {};
  }

 private:
  Descriptor fd_;
  const std::string folder_;
};

class PosixReadable final : public ReadableFile {
 public:
  PosixReadable(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<std::size_t> read_at(std::uint64_t offset, char* to, std::size_t length) const override {
    std::size_t got = 0;
    while (got < length) {
      const ssize_t n =
          ::pread(fd_.get(), to + got, length - got, static_cast<off_t>(offset + got));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return failed("read", path_, errno);
      if (n == 0) break;
      got += static_cast<std::size_t>(n);
    }
    return got;
  }

  Result<std::uint64_t> size() const override {
    struct stat found;
    if (::fstat(fd_.get(), &found) != 0) return failed("stat", path_, errno);
    return static_cast<std::uint64_t>(found.st_size);
  }

  void will_read(std::uint64_t offset, std::size_t length) const override {
    ::posix_fadvise(fd_.get(), static_cast<off_t>(offset), static_cast<off_t>(length),
                    POSIX_FADV_WILLNEED);
  }

 private:
  Descriptor fd_;
  const std::string path_;
};

class PosixLock final : public FileLock {
 public:
  explicit PosixLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  Descriptor fd_;
};

/// The process that a lock's file names; 0 when it names none.
pid_t holder_of(int fd) {
  char text[24] = {};
  const ssize_t n = ::pread(fd, text, sizeof text - 1, 0);
  return n > 0 ? static_cast<pid_t>(std::strtol(text, nullptr, 10)) : 0;
}

/// flock() without waiting for a living holder. A child that a killed one was about to start has
/// its lock until it has become another program: that is waited for. Errno, or 0.
int lock_now(int fd) {
  constexpr auto kPause = std::chrono::milliseconds(5);
  for (auto left = std::chrono::milliseconds(5000);; left -= kPause) {
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return 0;
    const int failure = errno;
    const pid_t holder = holder_of(fd);
    const bool is_gone = holder > 0 && ::kill(holder, 0) != 0 && errno == ESRCH;
    if (failure != EWOULDBLOCK || !is_gone || left.count() <= 0) return failure;
    std::this_thread::sleep_for(kPause);
  }
}

class PosixFiles final : public FileSystem {
 public:
  Result<std::unique_ptr<WritableFile>> open_writable(const std::string& path) override {
    ASSIGN(auto fd, open_path(path, O_WRONLY | O_CREAT));
    struct stat found;
    if (::fstat(fd.get(), &found) != 0) return failed("stat", path, errno);
    return std::make_unique<PosixWritable>(std::move(fd), path,
                                           static_cast<std::uint64_t>(found.st_size));
  }

  Result<std::unique_ptr<ReadableFile>> open_readable(const std::string& path) override {
    ASSIGN(auto fd, open_path(path, O_RDONLY));
    return std::make_unique<PosixReadable>(std::move(fd), path);
  }

  Result<bool> exists(const std::string& path) override {
    struct stat found;
    if (::stat(path.c_str(), &found) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return failed("stat", path, errno);
  }

  Result<std::vector<std::string>> list(const std::string& folder) override {
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(folder.c_str()), ::closedir);
    if (!dir) return failed("list", folder, errno);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(dir.get())) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(name);
    }
    if (errno != 0) return failed("list", folder, errno);
    std::ranges::sort(names);
    return names;
  }

  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return failed("rename", from, errno);
    const auto parent = std::filesystem::path(to).parent_path();
    return sync_folder(parent.empty() ? "." : parent.string());
  }

  Status remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return failed("remove", path, errno);
    return {};
  }

  Status remove_folder(const std::string& folder) override {
    std::error_code failure;
    std::filesystem::remove_all(folder, failure);
    if (failure) return failed("remove", folder, failure.value());
    return {};
  }

  Status make_folder(const std::string& folder) override {
    std::error_code failure;
    std::filesystem::create_directories(folder, failure);
    if (failure) return failed("create folder", folder, failure.value());
    return {};
  }

  Result<std::unique_ptr<Disk>> open_disk(const std::string& folder) override {
    ASSIGN(auto fd, open_path(folder, O_RDONLY | O_DIRECTORY));
    return std::make_unique<PosixDisk>(std::move(fd), folder);
  }

  Status sync_folder(const std::string& folder) override {
    ASSIGN(const auto fd, open_path(folder, O_RDONLY | O_DIRECTORY));
    if (::fsync(fd.get()) != 0) return failed("fsync", folder, errno);
    return {};
  }

  Result<std::unique_ptr<FileLock>> lock_folder(const std::string& folder) override {
    const std::string path = folder + "/.lock";
    ASSIGN(auto fd, open_path(path, O_RDWR | O_CREAT));
    if (const int failure = lock_now(fd.get()); failure != 0) {
      if (failure != EWOULDBLOCK) return failed("lock", path, failure);
      const pid_t holder = holder_of(fd.get());
      return error(Code::kFailedPrecondition,
                   fmt::format("data folder {} is in use by {}", folder,
                               holder > 0 ? fmt::format("process {}", holder) : "another process"));
    }
    const std::string pid = fmt::format("{}\n", ::getpid());
    if (::ftruncate(fd.get(), 0) != 0 || ::pwrite(fd.get(), pid.data(), pid.size(), 0) < 0) {
      return failed("write", path, errno);
    }
    return std::make_unique<PosixLock>(std::move(fd));
  }
};

}  // namespace

FileSystem& posix_files() {
  static PosixFiles files;
  return files;
}

}  // namespace tailrace::rt
