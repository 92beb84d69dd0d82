// Children by vfork and exec, their pipes and ends by poll().
#include "tasks/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/check.h"
#include "tasks/session_use.h"

namespace tailrace::tasks {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kLineBytes = 64 << 10;
constexpr int kRequestFd = 3, kAnswerFd = 4;
/// So many reads of 16 KB: a child that never stops printing is answered all the same.
constexpr int kOutputFirst = 64;
/// Between two looks at what a session with limits uses.
constexpr auto kLook = std::chrono::milliseconds(250);

/// A file descriptor that is closed when it goes.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() { close(); }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

struct Pipe {
  Fd read, write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0)
    return error(Code::kResourceExhausted, fmt::format("pipe: {}", std::strerror(errno)));
  // Numbers below 5 are the child's own: ours must not be among them when it moves them there.
  for (int& end : ends) {
    if (end > kAnswerFd) continue;
    const int moved = fcntl(end, F_DUPFD_CLOEXEC, kAnswerFd + 1);
    ::close(end);
    end = moved;
  }
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

void do_not_wait(const Fd& fd) {
  fcntl(fd.get(), F_SETFL, O_NONBLOCK);
}

std::string find_program(const Command& command) {
  const std::string& name = command.arguments.front();
  if (name.find('/') != std::string::npos) return name;
  const auto path = command.environment.find("PATH");
  std::string_view folders = "/usr/local/bin:/usr/bin:/bin";
  if (path != command.environment.end()) folders = path->second;
  while (!folders.empty()) {
    const std::size_t end = std::min(folders.find(':'), folders.size());
    const std::string at = std::string(folders.substr(0, end)) + "/" + name;
    if (access(at.c_str(), X_OK) == 0) return at;
    folders.remove_prefix(std::min(end + 1, folders.size()));
  }
  return {};
}

/// All that the child does between vfork() and exec, where nothing may be allocated: it shares our
/// memory.
struct Launch {
  const char* program;
  char* const* arguments;
  char* const* environment;
  const char* folder;
  int input, output, request, answer;  ///< the last two: -1 for none
  const rlimit *memory, *files;
  int failed = 0;  ///< errno of what failed
  const char* what = "";
};

[[noreturn]] void give_up(Launch& launch, const char* what) {
  launch.failed = errno;
  launch.what = what;
  _exit(127);
}

[[noreturn]] void become(Launch& launch, pid_t parent) {
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  sigset_t none;
  sigemptyset(&none);
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    sigaction(signal, &standard, nullptr);
  }
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (dup2(launch.input, STDIN_FILENO) < 0 || dup2(launch.output, STDOUT_FILENO) < 0 ||
      dup2(launch.output, STDERR_FILENO) < 0)
    give_up(launch, "its pipes");
  if (launch.request >= 0 &&
      (dup2(launch.request, kRequestFd) < 0 || dup2(launch.answer, kAnswerFd) < 0))
    give_up(launch, "its pipes");
  if (launch.memory != nullptr && setrlimit(RLIMIT_AS, launch.memory) != 0)
    give_up(launch, "its limit of memory");
  if (launch.files != nullptr && setrlimit(RLIMIT_NOFILE, launch.files) != 0)
    give_up(launch, "its limit of open files");
  if (launch.folder != nullptr && chdir(launch.folder) != 0) give_up(launch, launch.folder);
  execve(launch.program, launch.arguments, launch.environment);
  give_up(launch, launch.program);
}

/// vfork: fork() would copy the page tables of a program that may hold gigabytes. Its caller's
/// frame must not be one that the compiler merges with others.
[[gnu::noinline]] pid_t launch_child(Launch& launch) {
  const pid_t parent = getpid();
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // no handler of ours runs in the child
  const pid_t pid = vfork();
  if (pid == 0) become(launch, parent);
  const int failed = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) {
    launch.failed = failed;
    launch.what = "vfork";
  }
  return pid;
}

/// As many as are wanted, where somebody above us has not allowed less.
rlimit files_limit(std::uint64_t wanted) {
  rlimit limit{};
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_max = std::min<rlim_t>(limit.rlim_max, wanted);
  limit.rlim_cur = limit.rlim_max;
  return limit;
}

/// Bytes to lines.
class Lines {
 public:
  explicit Lines(const std::function<void(std::string_view)>& line) : line_(line) {}
  void add(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::size_t end = bytes.find('\n');
      const std::size_t take = std::min(end, bytes.size());
      rest_.append(bytes.substr(0, take));
      bytes.remove_prefix(std::min(take + 1, bytes.size()));
      if (end != std::string_view::npos || rest_.size() >= kLineBytes) flush();
    }
  }
  void finish() {
    if (!rest_.empty()) flush();
  }

 private:
  void flush() {
    if (!rest_.empty() && rest_.back() == '\r') rest_.pop_back();
    line_(rest_);
    rest_.clear();
  }
  const std::function<void(std::string_view)>& line_;
  std::string rest_;
};

/// One child from its start to its end.
class Child {
 public:
  Child(const Command& command, const std::function<void(std::string_view)>& line)
      : command_(command), lines_(line) {}

  Status start() {
    const std::string program = find_program(command_);
    if (program.empty())
      return error(Code::kNotFound,
                   fmt::format("{}: no such program in PATH", command_.arguments.front()));
    ASSIGN(Pipe input, make_pipe());
    ASSIGN(Pipe output, make_pipe());
    Pipe request, answer;
    if (command_.serve) {
      ASSIGN(request, make_pipe());
      ASSIGN(answer, make_pipe());
    }
    std::vector<std::string> variables;
    for (const auto& [name, value] : command_.environment) variables.push_back(name + "=" + value);
    std::vector<char*> environment, arguments;
    for (auto& one : variables) environment.push_back(one.data());
    auto words = command_.arguments;
    for (auto& one : words) arguments.push_back(one.data());
    environment.push_back(nullptr);
    arguments.push_back(nullptr);
    rlimit memory{};
    if (command_.memory_bytes)
      memory.rlim_cur = memory.rlim_max = static_cast<rlim_t>(*command_.memory_bytes);
    rlimit files{};
    if (command_.limits.open_files) files = files_limit(*command_.limits.open_files);
    Launch launch{.program = program.c_str(),
                  .arguments = arguments.data(),
                  .environment = environment.data(),
                  .folder = command_.folder.empty() ? nullptr : command_.folder.c_str(),
                  .input = input.read.get(),
                  .output = output.write.get(),
                  .request = request.write.get(),
                  .answer = answer.read.get(),
                  .memory = command_.memory_bytes ? &memory : nullptr,
                  .files = command_.limits.open_files ? &files : nullptr};
    pid_ = launch_child(launch);
    if (launch.failed != 0) {
      if (pid_ > 0) waitpid(pid_, nullptr, 0);
      return error(Code::kFailedPrecondition,
                   fmt::format("cannot start {}: {}: {}", program, launch.what,
                               std::strerror(launch.failed)));
    }
    input_ = std::move(input.write);
    output_ = std::move(output.read);
    request_ = std::move(request.read);
    answer_ = std::move(answer.write);
    pidfd_ = Fd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
    CHECK(pidfd_.open());
    for (const Fd* fd : {&input_, &output_, &request_, &answer_}) {
      if (fd->open()) do_not_wait(*fd);
    }
    return {};
  }

  int pid() const { return pid_; }

  Result<Ended> finish(const std::stop_token& stop) {
    const Fd waker(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    const std::stop_callback wake(stop, [&] {
      const std::uint64_t one = 1;
      [[maybe_unused]] const auto written = write(waker.get(), &one, sizeof one);
    });
    const auto begun = Steady::now();
    const Limits& limits = command_.limits;
    if (limits.memory_bytes || limits.processor_time || limits.processes) look_ = begun + kLook;
    while (!gone_) {
      const auto now = Steady::now();
      if (look_ && now >= *look_) look_at_use(now);
      if (!asked_ &&
          (stop.stop_requested() || (command_.timeout && now - begun >= *command_.timeout))) {
        (stop.stop_requested() ? ended_.stopped : ended_.timed_out) = true;
        asked_ = now;
        signal_session(SIGTERM);
      }
      if (asked_ && !killed_ && now - *asked_ >= command_.grace) {
        killed_ = true;
        signal_session(SIGKILL);
      }
      wait(waker, begun, now);
    }
    drain();
    lines_.finish();
    return std::move(ended_);
  }

 private:
  /// Kills the session when it uses more than it may.
  void look_at_use(Steady::time_point now) {
    look_ = now + kLook;
    const SessionUse use = use_of_session(pid_);
    const Limits& limits = command_.limits;
    if (limits.memory_bytes && use.memory_bytes > *limits.memory_bytes) {
      ended_.beyond = Limit::kMemory;
    } else if (limits.processor_time && use.processor_time > *limits.processor_time) {
      ended_.beyond = Limit::kProcessorTime;
    } else if (limits.processes && use.processes > *limits.processes) {
      ended_.beyond = Limit::kProcesses;
    } else {
      return;
    }
    look_.reset();
    signal_session(SIGKILL);  // all of a group at once: nothing of it forks meanwhile
    kill_session(pid_);       // and what has made a group of its own
  }

  /// What it left running goes with it: its session is its process group unless they moved.
  void signal_session(int signal) const { ::kill(-pid_, signal); }

  void wait(const Fd& waker, Steady::time_point begun, Steady::time_point now) {
    std::optional<Steady::time_point> next;
    if (asked_ && !killed_) {
      next = *asked_ + command_.grace;
    } else if (!asked_ && command_.timeout) {
      next = begun + *command_.timeout;
    }
    if (look_) next = std::min(next.value_or(*look_), *look_);
    const auto patience =
        next ? std::chrono::ceil<std::chrono::milliseconds>(*next - now).count() : -1;
    if (input_.open() && sent_ == command_.input.size()) input_.close();
    const auto when = [](const Fd& fd, short events, bool watch = true) {
      return pollfd{watch ? fd.get() : -1, events, 0};
    };
    std::array<pollfd, 6> watched{when(pidfd_, POLLIN),  when(waker, POLLIN, !asked_),
                                  when(output_, POLLIN), when(request_, POLLIN),
                                  when(input_, POLLOUT), when(answer_, POLLOUT, !answers_.empty())};
    if (poll(watched.data(), watched.size(),
             static_cast<int>(std::clamp<std::int64_t>(patience, -1, 1 << 30))) < 0)
      return;
    if (watched[2].revents != 0) read_output();
    if (watched[3].revents != 0) {
      // What it printed before it asked is told before it is answered.
      for (int i = 0; i < kOutputFirst && output_.open() && read_output(); ++i) {
      }
      read_requests();
    }
    if (watched[4].revents != 0)
      write_some(input_, std::string_view(command_.input).substr(sent_), sent_);
    if (watched[5].revents != 0) write_answers();
    if (watched[0].revents != 0) reap();
  }

  void reap() {
    siginfo_t how{};
    if (waitid(P_PID, static_cast<id_t>(pid_), &how, WEXITED) != 0) return;
    gone_ = true;
    ended_.signal = how.si_code == CLD_EXITED ? 0 : how.si_status;
    ended_.code = how.si_code == CLD_EXITED ? how.si_status : 128 + how.si_status;
    signal_session(SIGKILL);
  }

  bool read_output() {
    std::array<char, 16384> bytes{};
    const ssize_t got = read(output_.get(), bytes.data(), bytes.size());
    if (got > 0) lines_.add({bytes.data(), static_cast<std::size_t>(got)});
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) output_.close();
    return got > 0;
  }
  bool read_requests() {
    std::array<char, 65536> bytes{};
    const ssize_t got = read(request_.get(), bytes.data(), bytes.size());
    if (got > 0) serve({bytes.data(), static_cast<std::size_t>(got)});
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) request_.close();
    return got > 0;
  }
  void serve(std::string_view bytes) {
    for (std::size_t end = bytes.find('\n'); end != std::string_view::npos;
         end = bytes.find('\n')) {
      requests_.append(bytes.substr(0, end));
      answers_ += command_.serve(requests_) + "\n";
      requests_.clear();
      bytes.remove_prefix(end + 1);
    }
    requests_.append(bytes);
    if (requests_.size() <= command_.most_request_bytes) return;
    ended_.asked_too_much = true;
    signal_session(SIGKILL);  // first: it would end by the closed pipe otherwise
    requests_.clear();
    request_.close();
  }
  static void write_some(Fd& fd, std::string_view bytes, std::size_t& done) {
    const ssize_t put = write(fd.get(), bytes.data(), bytes.size());
    if (put > 0) done += static_cast<std::size_t>(put);
    if (put < 0 && errno != EAGAIN && errno != EINTR) fd.close();
  }
  void write_answers() {
    std::size_t done = 0;
    write_some(answer_, answers_, done);
    answers_.erase(0, answer_.open() ? done : answers_.size());
  }
  /// What is in the pipes when it has gone. A grandchild that left the session may hold them open:
  /// that is not waited for.
  void drain() {
    while (output_.open() && read_output()) {
    }
    while (request_.open() && read_requests()) {
    }
  }

  const Command& command_;
  Lines lines_;
  pid_t pid_ = -1;
  Fd input_, output_, request_, answer_, pidfd_;
  std::string requests_, answers_;  ///< not whole yet; not sent yet
  std::size_t sent_ = 0;
  std::optional<Steady::time_point> asked_, look_;
  bool killed_ = false, gone_ = false;
  Ended ended_;
};

}  // namespace

Result<Ended> run_process(const Command& command, const std::function<void(std::string_view)>& line,
                          std::stop_token stop, const std::function<void(int pid)>& started) {
  CHECK(!command.arguments.empty());
  Child child(command, line);
  TRY(child.start());
  if (started) started(child.pid());
  return child.finish(stop);
}

int kill_left_behind(std::string_view name, std::string_view value) {
  const std::string wanted = std::string(name) + "=" + std::string(value);
  int killed = 0;
  DIR* processes = opendir("/proc");
  if (processes == nullptr) return 0;
  while (const dirent* entry = readdir(processes)) {
    const std::string_view text = entry->d_name;
    pid_t pid = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), pid);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size() || pid == getpid())
      continue;
    std::ifstream file(fmt::format("/proc/{}/environ", pid), std::ios::binary);
    std::string environment((std::istreambuf_iterator<char>(file)), {});
    environment.insert(0, 1, '\0');
    if (environment.find('\0' + wanted + '\0') == std::string::npos) continue;
    if (::kill(pid, SIGKILL) == 0) ++killed;
  }
  closedir(processes);
  return killed;
}

}  // namespace tailrace::tasks
