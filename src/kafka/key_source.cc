#include "kafka/key_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "net/http_client.h"
#include "rt/file.h"

namespace tailrace::kafka {
namespace {

using auth::JsonWebKeys;
using Clock = std::chrono::steady_clock;
using Keys = std::shared_ptr<const JsonWebKeys>;

constexpr std::size_t kMostBytes = 1 << 20;
/// As in Kafka: how many unknown ids are remembered, for how long, and how long they may be.
constexpr std::size_t kMostMissed = 16;
constexpr std::chrono::seconds kMissedFor{60};
constexpr std::size_t kMostIdBytes = 1000;

Result<Keys> read_keys(std::string_view text) {
  ASSIGN(auto keys, JsonWebKeys::parse(text));
  return std::make_shared<const JsonWebKeys>(std::move(keys));
}

class FileKeys final : public KeySource {
 public:
  explicit FileKeys(std::string path) : path_(std::move(path)) {}

  Status read() {
    std::error_code gone;
    const auto changed = std::filesystem::last_write_time(path_, gone);
    ASSIGN(const auto text, rt::read_whole(rt::posix_files(), path_, kMostBytes));
    auto keys = read_keys(text);
    if (!keys) return std::unexpected(keys.error().in(path_));
    keys_ = std::move(*keys);
    changed_ = changed;
    return {};
  }

  Keys keys() override {
    const std::lock_guard lock(mutex_);
    std::error_code gone;
    const auto changed = std::filesystem::last_write_time(path_, gone);
    if (!gone && changed != changed_) {
      changed_ = changed;
      if (auto done = read(); !done) LOG(warn, "kafka: keys of tokens stay: {}", done.error().what);
    }
    return keys_;
  }

  void missed(const std::string&) override {}

 private:
  const std::string path_;
  std::mutex mutex_;
  Keys keys_;
  std::filesystem::file_time_type changed_;
};

class UrlKeys final : public KeySource {
 public:
  UrlKeys(std::string url, KeyRefresh refresh)
      : url_(std::move(url)), refresh_(std::move(refresh)) {}

  Status start() {
    ASSIGN(keys_, fetch({}));
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    return {};
  }

  Keys keys() override {
    const std::lock_guard lock(mutex_);
    return keys_;
  }

  void missed(const std::string& id) override {
    if (id.size() > kMostIdBytes) return;
    const std::lock_guard lock(mutex_);
    const auto now = Clock::now();
    if (const auto known = missed_.find(id); known != missed_.end() && known->second > now) return;
    missed_[id] = now + kMissedFor;
    if (missed_.size() > kMostMissed) {
      missed_.erase(
          std::ranges::min_element(missed_, {}, [](const auto& one) { return one.second; }));
    }
    wanted_ = true;
    changed_.notify_all();
  }

 private:
  Result<Keys> fetch(const std::stop_token& stop) {
    net::HttpOptions options;
    options.headers = {{"Accept", "application/json"}};
    options.max_body_bytes = kMostBytes;
    options.ca_file = refresh_.ca_file;
    options.stop = stop;
    ASSIGN(const auto answer, http_.get(url_, options));
    if (answer.status != 200) {
      return error(Code::kUnavailable, fmt::format("{}: it answers {}", answer.url, answer.status));
    }
    auto keys = read_keys(answer.body);
    if (!keys) return std::unexpected(keys.error().in(answer.url));
    return keys;
  }

  /// Tries again until backoff_most is over.
  void renew(const std::stop_token& stop) {
    const auto end = Clock::now() + refresh_.backoff_most;
    for (auto wait = refresh_.backoff;; wait *= 2) {
      auto keys = fetch(stop);
      std::unique_lock lock(mutex_);
      if (keys) {
        keys_ = std::move(*keys);
        return;
      }
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
      if (stop.stop_requested()) return;
      if (left.count() <= 0) {
        LOG(warn, "kafka: keys of tokens stay as they are: {}", keys.error().what);
        return;
      }
      const auto pause = std::clamp(wait, std::chrono::milliseconds(1), left);
      changed_.wait_for(lock, stop, pause, [] { return false; });
    }
  }

  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, stop, refresh_.interval, [this] { return wanted_; });
        wanted_ = false;
      }
      if (!stop.stop_requested()) renew(stop);
    }
  }

  const std::string url_;
  const KeyRefresh refresh_;
  net::HttpClient http_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  Keys keys_;
  std::map<std::string, Clock::time_point> missed_;  // until when they are not asked for again
  bool wanted_ = false;
  std::jthread thread_;
};

}  // namespace

Result<std::unique_ptr<KeySource>> keys_of_file(std::string path) {
  auto keys = std::make_unique<FileKeys>(std::move(path));
  TRY(keys->read());
  return keys;
}

Result<std::unique_ptr<KeySource>> keys_of_url(std::string url, KeyRefresh refresh) {
  auto keys = std::make_unique<UrlKeys>(std::move(url), std::move(refresh));
  TRY(keys->start());
  return keys;
}

}  // namespace tailrace::kafka
