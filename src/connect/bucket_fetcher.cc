// A pool of threads with a client each.
#include "connect/bucket_fetcher.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "rt/file.h"

namespace tailrace::connect {
namespace {

constexpr std::int64_t kPartBytes = 8 << 20;
constexpr std::int64_t kMostBytes = 64 << 20;  ///< of objects under way; one larger is let in alone
constexpr int kJobsAThread = 4;

Error cannot_write(const std::string& path) {
  const bool full = errno == ENOSPC || errno == EDQUOT;
  return {full ? Code::kResourceExhausted : Code::kUnavailable,
          fmt::format("cannot write {}: {}", path, std::strerror(errno))};
}

class File {
 public:
  explicit File(std::string path)
      : path_(std::move(path)),
        file_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {}
  ~File() {
    if (file_ >= 0) ::close(file_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  Status write(std::string_view bytes) {
    if (file_ < 0) return std::unexpected(cannot_write(path_));
    while (!bytes.empty()) {
      const ssize_t put = ::write(file_, bytes.data(), bytes.size());
      if (put < 0) return std::unexpected(cannot_write(path_));
      bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return {};
  }

 private:
  const std::string path_;
  const int file_;
};

}  // namespace

std::string format_suffix(std::string_view key) {
  std::string_view name = key.substr(key.rfind('/') + 1);
  std::string suffix;
  for (const std::string_view packed : {".gz", ".zst"}) {
    if (!name.ends_with(packed)) continue;
    suffix = packed;
    name.remove_suffix(packed.size());
    break;
  }
  for (const std::string_view format : {".jsonl", ".ndjson", ".json", ".csv", ".parquet"})
    if (name.ends_with(format)) return std::string(format) + suffix;
  return suffix;
}

BucketFetcher::BucketFetcher(MakeClient make_client, std::string folder, int parallel)
    : make_client_(std::move(make_client)), folder_(std::move(folder)), parallel_(parallel) {}

BucketFetcher::~BucketFetcher() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

std::string BucketFetcher::path_of(const BookedObject& object) const {
  return fmt::format("{}/{}{}", folder_, object.n, format_suffix(object.key));
}

Status BucketFetcher::start(std::int64_t n) {
  TRY(rt::posix_files().make_folder(folder_));
  ASSIGN(const auto names, rt::posix_files().list(folder_));
  for (const std::string& name : names) {
    std::int64_t number = -1;
    const auto read = std::from_chars(name.data(), name.data() + name.size(), number);
    const bool whole = read.ec == std::errc() && !name.ends_with(".part");
    if (whole && number >= n)
      left_[number] = folder_ + "/" + name;
    else
      TRY(rt::posix_files().remove(folder_ + "/" + name));
  }
  for (int i = 0; i < parallel_; ++i)
    threads_.emplace_back([this](std::stop_token stop) { work(std::move(stop)); });
  return {};
}

bool BucketFetcher::has_room() const {
  std::lock_guard lock(mutex_);
  return jobs_.size() < static_cast<std::size_t>(parallel_ * kJobsAThread) &&
         (jobs_.empty() || bytes_ < kMostBytes);
}

void BucketFetcher::want(const BookedObject& object) {
  std::lock_guard lock(mutex_);
  if (jobs_.contains(object.n)) return;
  Job job{.object = object, .done = false, .how = {}};
  if (const auto left = left_.find(object.n); left != left_.end()) {
    struct stat file {};
    job.done = ::stat(left->second.c_str(), &file) == 0 && file.st_size == object.size_bytes;
    left_.erase(left);
  }
  if (!job.done) waiting_.push_back(object.n);
  bytes_ += object.size_bytes;
  jobs_.emplace(object.n, std::move(job));
  changed_.notify_all();
}

std::optional<Result<std::string>> BucketFetcher::file_of(std::int64_t n,
                                                          std::chrono::milliseconds wait,
                                                          std::stop_token stop) {
  std::unique_lock lock(mutex_);
  const auto job = jobs_.find(n);
  if (job == jobs_.end()) return std::nullopt;
  if (!changed_.wait_for(lock, stop, wait, [&] { return job->second.done; })) return std::nullopt;
  if (!job->second.how) return Result<std::string>(std::unexpected(job->second.how.error()));
  return Result<std::string>(path_of(job->second.object));
}

void BucketFetcher::release(std::int64_t n, bool keep) {
  std::lock_guard lock(mutex_);
  const auto job = jobs_.find(n);
  if (job == jobs_.end() || !job->second.done) return;
  const BookedObject& object = job->second.object;
  if (keep) left_[n] = path_of(object);
  bytes_ -= object.size_bytes;
  jobs_.erase(job);
}

void BucketFetcher::drop_below(std::int64_t n) {
  std::lock_guard lock(mutex_);
  while (!left_.empty() && left_.begin()->first < n) {
    ::unlink(left_.begin()->second.c_str());
    left_.erase(left_.begin());
  }
}

std::int64_t BucketFetcher::fetched() const {
  std::lock_guard lock(mutex_);
  return fetched_;
}

void BucketFetcher::work(std::stop_token stop) {
  const auto client = make_client_();
  while (true) {
    BookedObject object;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) return;
      object = jobs_.at(waiting_.front()).object;
      waiting_.pop_front();
    }
    Status how = fetch(*client, object, stop);
    {
      std::lock_guard lock(mutex_);
      fetched_ += how ? 1 : 0;
      Job& job = jobs_.at(object.n);
      job.done = true;
      job.how = std::move(how);
    }
    changed_.notify_all();
  }
}

Status BucketFetcher::fetch(s3::Client& client, const BookedObject& object, std::stop_token stop) {
  const std::string path = path_of(object), part = fmt::format("{}/{}.part", folder_, object.n);
  {
    File file(part);
    const bool whole = object.size_bytes <= kPartBytes;
    for (std::int64_t at = 0; at < object.size_bytes || at == 0; at += kPartBytes) {
      ASSIGN(const std::string bytes, client.get({.key = object.key,
                                                  .etag = object.etag,
                                                  .version = object.version,
                                                  .from = at,
                                                  .most = whole ? 0 : kPartBytes},
                                                 stop));
      const std::int64_t expected = std::min(kPartBytes, object.size_bytes - at);
      if (static_cast<std::int64_t>(bytes.size()) != expected)
        return error(Code::kDataLoss,
                     fmt::format("{}: {} bytes came at {}, not {}", client.place(object.key),
                                 bytes.size(), at, expected));
      TRY(file.write(bytes));
    }
  }
  if (::rename(part.c_str(), path.c_str()) != 0) return std::unexpected(cannot_write(path));
  return {};
}

}  // namespace tailrace::connect
