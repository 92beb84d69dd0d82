// /proc/PID/stat of all processes at once, /proc/PID/statm of those that are asked about.
#include "tasks/session_use.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tailrace::tasks {
namespace {

using Steady = std::chrono::steady_clock;

constexpr auto kFresh = std::chrono::milliseconds(200);
constexpr int kShare = 50;  ///< looking takes at most this part of one processor

/// The numbers that a /proc file of one line begins with; none when the process is gone.
template <std::size_t kCount>
std::optional<std::array<std::uint64_t, kCount>> numbers(const std::string& path, bool stat) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  std::array<char, 1024> bytes{};
  const ssize_t got = ::read(fd, bytes.data(), bytes.size());
  ::close(fd);
  if (got <= 0) return std::nullopt;
  std::string_view text(bytes.data(), static_cast<std::size_t>(got));
  // `PID (NAME) STATE …`: a name may hold brackets and blanks.
  if (stat) text.remove_prefix(std::min(text.rfind(')') + 4, text.size()));
  std::array<std::uint64_t, kCount> found{};
  for (std::uint64_t& number : found) {
    const std::size_t end = std::min(text.find(' '), text.size());
    std::from_chars(text.data(), text.data() + end, number);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return found;
}

struct Session {
  std::vector<pid_t> processes;
  std::uint64_t ticks = 0;
};

std::map<pid_t, Session> all_sessions() {
  // Behind the state: ppid pgrp session tty tpgid flags minflt cminflt majflt cmajflt utime stime
  // cutime cstime (proc(5)).
  constexpr std::size_t kSession = 2, kUserTicks = 10, kCount = 14;
  std::map<pid_t, Session> sessions;
  DIR* processes = opendir("/proc");
  if (processes == nullptr) return sessions;
  while (const dirent* entry = readdir(processes)) {
    const std::string_view text = entry->d_name;
    pid_t pid = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), pid);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) continue;
    const auto stat = numbers<kCount>(fmt::format("/proc/{}/stat", pid), true);
    if (!stat) continue;
    Session& session = sessions[static_cast<pid_t>((*stat)[kSession])];
    session.processes.push_back(pid);
    for (std::size_t i = kUserTicks; i < kCount; ++i) session.ticks += (*stat)[i];
  }
  closedir(processes);
  return sessions;
}

/// Of its own: resident without what is shared with files.
std::uint64_t own_memory(pid_t pid) {
  const auto pages = numbers<3>(fmt::format("/proc/{}/statm", pid), false);  // size resident shared
  if (!pages || (*pages)[1] < (*pages)[2]) return 0;
  return ((*pages)[1] - (*pages)[2]) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

/// The last look, for all threads.
class Looks {
 public:
  Session session(pid_t id) {
    const std::lock_guard lock(mutex_);
    const auto now = Steady::now();
    if (now >= next_) {
      sessions_ = all_sessions();
      const auto done = Steady::now();
      next_ = done + std::max<Steady::duration>(kFresh, (done - now) * kShare);
    }
    const auto at = sessions_.find(id);
    return at == sessions_.end() ? Session() : at->second;
  }

 private:
  std::mutex mutex_;
  std::map<pid_t, Session> sessions_;
  Steady::time_point next_;
};

}  // namespace

SessionUse use_of_session(pid_t session) {
  static Looks looks;
  const Session found = looks.session(session);
  SessionUse use{.processor_time = std::chrono::microseconds(
                     found.ticks * 1'000'000 / static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK))),
                 .processes = found.processes.size()};
  for (const pid_t pid : found.processes) use.memory_bytes += own_memory(pid);
  return use;
}

void kill_session(pid_t session) {
  const auto sessions = all_sessions();
  const auto at = sessions.find(session);
  if (at == sessions.end()) return;
  for (const pid_t pid : at->second.processes) ::kill(pid, SIGKILL);
}

}  // namespace tailrace::tasks
