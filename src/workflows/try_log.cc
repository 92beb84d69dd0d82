// Files of lines; a reader waits on one condition for all of them.
#include "workflows/try_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "calendar/zone.h"

namespace tailrace::workflows {
namespace {

constexpr std::size_t kPartBytes = 1 << 20;
constexpr std::size_t kShortestSecret = 5;  ///< Airflow's min_length_masked_secret

std::string file_name(std::string_view name) {
  std::string out;
  for (const char c : name) out += c == '/' ? "%2F" : c == '\0' ? "%00" : std::string(1, c);
  return out == "." || out == ".." ? "%2E" + out.substr(1) : out;
}

}  // namespace

std::string try_log_path(const std::string& folder, const sched::TaskId& task, int try_number) {
  std::string path = fmt::format("{}/{}/{}/{}", folder, file_name(task.run.dag),
                                 file_name(task.run.run), file_name(task.task));
  if (task.map_index >= 0) path += fmt::format("/{}", task.map_index);
  return fmt::format("{}/{}.log", path, try_number);
}

class TryLogs::File final : public tasks::TaskLog {
 public:
  File(TryLogs& logs, std::string path, int fd) : logs_(logs), path_(std::move(path)), fd_(fd) {
    const std::lock_guard lock(logs_.mutex_);
    ++logs_.open_[path_];
  }
  ~File() override {
    ::close(fd_);
    {
      const std::lock_guard lock(logs_.mutex_);
      if (--logs_.open_[path_] == 0) logs_.open_.erase(path_);
      ++logs_.changes_;
    }
    logs_.grown_.notify_all();
  }

  void line(std::string_view text) override {
    const std::lock_guard writing(mutex_);
    out_ = fmt::format("{} ", calendar::isoformat({.instant = logs_.clock_.now().value * 1000,
                                                   .zone = calendar::Zone::utc()}));
    const std::size_t head = out_.size();
    out_ += text;
    blot_out(out_, head);
    out_ += '\n';
    // A log that cannot be written must not stop its task: what is lost is a line.
    [[maybe_unused]] const auto written = ::write(fd_, out_.data(), out_.size());
    {
      const std::lock_guard lock(logs_.mutex_);
      ++logs_.changes_;
    }
    logs_.grown_.notify_all();
  }

  std::string masked(std::string text) const override {
    const std::lock_guard writing(mutex_);
    blot_out(text, 0);
    return text;
  }

  void mask(std::string_view secret) override {
    if (secret.size() < kShortestSecret || secret == "airflow") return;
    const std::lock_guard writing(mutex_);
    if (std::ranges::find(secrets_, secret) != secrets_.end()) return;
    // Longest first: a secret that has another within it is blotted out as a whole.
    const auto shorter = std::ranges::find_if(
        secrets_, [&](const std::string& other) { return other.size() < secret.size(); });
    secrets_.emplace(shorter, secret);
  }

 private:
  /// From `head` on.
  void blot_out(std::string& text, std::size_t head) const {
    for (const auto& secret : secrets_) {
      for (std::size_t at = text.find(secret, head); at != std::string::npos;
           at = text.find(secret, at + 3))
        text.replace(at, secret.size(), "***");
    }
  }

  TryLogs& logs_;
  std::string path_;
  int fd_;
  mutable std::mutex mutex_;
  std::vector<std::string> secrets_;
  std::string out_;
};

Result<std::unique_ptr<tasks::TaskLog>> TryLogs::open(const sched::TaskId& task, int try_number) {
  const std::string path = try_log_path(folder_, task, try_number);
  std::error_code failed;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), failed);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (fd < 0) return error(Code::kUnavailable, fmt::format("{}: {}", path, std::strerror(errno)));
  return std::make_unique<File>(*this, path, fd);
}

Result<TryLogs::Part> TryLogs::read(const sched::TaskId& task, int try_number, std::uint64_t offset,
                                    std::chrono::milliseconds wait) {
  const std::string path = try_log_path(folder_, task, try_number);
  const auto end = std::chrono::steady_clock::now() + wait;
  while (true) {
    bool under_way = false;
    std::uint64_t seen = 0;
    {
      const std::lock_guard lock(mutex_);
      under_way = open_.contains(path);
      seen = changes_;
    }
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return error(Code::kNotFound, "there is no log of this try yet");
    Part part{.text = std::string(kPartBytes, '\0'), .next = offset, .under_way = under_way};
    const ssize_t got = ::pread(fd, part.text.data(), part.text.size(), static_cast<off_t>(offset));
    ::close(fd);
    part.text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, got)));
    part.next += part.text.size();
    if (!part.text.empty() || !under_way || std::chrono::steady_clock::now() >= end) return part;
    std::unique_lock lock(mutex_);
    grown_.wait_until(lock, end, [&] { return changes_ != seen; });
  }
}

}  // namespace tailrace::workflows
