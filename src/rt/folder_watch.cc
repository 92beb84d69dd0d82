// inotify in a thread that waits for events and for the end.
#include "rt/folder_watch.h"

#include <fmt/format.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>

namespace tailrace::rt {
namespace {

constexpr std::uint32_t kWatched = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MODIFY | IN_CREATE |
                                   IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF |
                                   IN_MOVE_SELF | IN_ONLYDIR;
/// A file may be whole now.
constexpr std::uint32_t kWakes = IN_CLOSE_WRITE | IN_MOVED_TO;
constexpr std::size_t kBytes = 64 << 10;
constexpr std::size_t kMostPaths = 100'000;

/// Whether other machines, or processes behind it, change files there that the kernel is not told
/// of.
bool is_silent(const std::string& folder) {
  constexpr std::uint32_t kCifs = 0xFF534D42, kSmb2 = 0xFE534D42, kFuse = 0x65735546,
                          kNineP = 0x01021997, kCeph = 0x00C36400;
  struct statfs info {};
  if (::statfs(folder.c_str(), &info) != 0) return true;
  const auto type = static_cast<std::uint32_t>(info.f_type);
  return type == NFS_SUPER_MAGIC || type == kCifs || type == kSmb2 || type == kFuse ||
         type == kNineP || type == kCeph;
}

class Inotify final : public FolderWatch {
 public:
  Inotify(int events, int end, std::function<void()> wake)
      : events_(events), end_(end), wake_(std::move(wake)), thread_([this] { run(); }) {}
  ~Inotify() override {
    const std::uint64_t one = 1;
    (void)!::write(end_, &one, sizeof one);
    thread_.join();
    ::close(events_);
    ::close(end_);
  }

  Status add(const std::string& folder) override;
  Changes take() override {
    std::lock_guard lock(mutex_);
    return std::exchange(changes_, {});
  }

 private:
  void run();
  bool read_events();
  bool read_event(const inotify_event& event, const char* name);

  const int events_, end_;
  const std::function<void()> wake_;
  std::mutex mutex_;
  std::map<int, std::string> folders_;
  Changes changes_;
  std::thread thread_;
};

Status Inotify::add(const std::string& folder) {
  if (is_silent(folder))
    return error(Code::kUnavailable, folder + " is on a file system that tells of no changes");
  std::lock_guard lock(mutex_);
  const int watch = ::inotify_add_watch(events_, folder.c_str(), kWatched);
  if (watch < 0)
    return error(errno == ENOSPC ? Code::kResourceExhausted : Code::kUnavailable,
                 fmt::format("cannot watch {}: {}", folder, std::strerror(errno)));
  folders_[watch] = folder;
  return {};
}

void Inotify::run() {
  std::array<pollfd, 2> waits{pollfd{events_, POLLIN, 0}, pollfd{end_, POLLIN, 0}};
  while (true) {
    if (::poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR) return;
    if ((waits[1].revents & POLLIN) != 0) return;
    if (read_events()) wake_();
  }
}

bool Inotify::read_events() {
  alignas(inotify_event) std::array<char, kBytes> bytes;
  bool wakes = false;
  while (true) {
    const ssize_t size = ::read(events_, bytes.data(), bytes.size());
    if (size <= 0) return wakes;
    std::lock_guard lock(mutex_);
    for (ssize_t at = 0; at < size;) {
      inotify_event event;
      std::memcpy(&event, bytes.data() + at, sizeof event);
      wakes = read_event(event, bytes.data() + at + sizeof event) || wakes;
      at += static_cast<ssize_t>(sizeof event + event.len);
    }
  }
}

bool Inotify::read_event(const inotify_event& event, const char* name) {
  const bool is_lost = (event.mask & IN_Q_OVERFLOW) != 0;
  const bool is_folder =
      (event.mask & (IN_ISDIR | IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) != 0;
  if ((event.mask & IN_IGNORED) != 0) folders_.erase(event.wd);
  if (is_lost || is_folder || changes_.paths.size() >= kMostPaths) {
    changes_.all = true;
    changes_.paths.clear();
    return true;
  }
  const auto folder = folders_.find(event.wd);
  if (folder == folders_.end() || event.len == 0) return false;
  if (!changes_.all) changes_.paths.insert(folder->second + "/" + name);
  return (event.mask & kWakes) != 0;
}

}  // namespace

Result<std::unique_ptr<FolderWatch>> FolderWatch::start(std::function<void()> wake) {
  const int events = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (events < 0)
    return error(Code::kResourceExhausted,
                 fmt::format("folders cannot be watched (inotify): {}", std::strerror(errno)));
  const int end = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (end < 0) {
    ::close(events);
    return error(Code::kResourceExhausted,
                 fmt::format("folders cannot be watched (eventfd): {}", std::strerror(errno)));
  }
  return std::make_unique<Inotify>(events, end, std::move(wake));
}

}  // namespace tailrace::rt
