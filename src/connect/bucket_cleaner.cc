// Threads that delete or move.
#include "connect/bucket_cleaner.h"

#include <algorithm>

#include "base/log.h"

namespace tailrace::connect {
namespace {

constexpr int kTries = 5;
constexpr std::chrono::seconds kWait{2};

}  // namespace

BucketCleaner::BucketCleaner(MakeClient make_client, std::string base, std::string move_to,
                             int parallel, std::int64_t done)
    : make_client_(std::move(make_client)),
      base_(std::move(base)),
      move_to_(std::move(move_to)),
      added_(done),
      end_(done) {
  for (int i = 0; i < parallel; ++i)
    threads_.emplace_back([this](std::stop_token stop) { work(std::move(stop)); });
}

BucketCleaner::~BucketCleaner() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

std::size_t BucketCleaner::waiting() const {
  std::lock_guard lock(mutex_);
  return waiting_.size();
}

void BucketCleaner::add(const std::vector<BookedObject>& objects) {
  std::lock_guard lock(mutex_);
  for (const BookedObject& object : objects) {
    waiting_.push_back(object);
    open_.insert(object.n);
    end_ = added_ = std::max(added_, object.n + 1);
  }
  changed_.notify_all();
}

std::int64_t BucketCleaner::done() const {
  std::lock_guard lock(mutex_);
  return open_.empty() ? end_ : *open_.begin();
}

std::string BucketCleaner::trouble() const {
  std::lock_guard lock(mutex_);
  return trouble_;
}

void BucketCleaner::work(std::stop_token stop) {
  const auto client = make_client_();
  while (true) {
    BookedObject object;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) return;
      object = std::move(waiting_.front());
      waiting_.pop_front();
    }
    for (int left = kTries; left > 0; --left) {
      const Status how = clean(*client, object, stop);
      if (stop.stop_requested()) return;
      std::unique_lock lock(mutex_);
      trouble_ = how ? "" : how.error().what;
      if (how) break;
      if (left == 1) {
        LOG(warn, "{}; it stays where it is", how.error().what);
        break;
      }
      changed_.wait_for(lock, stop, kWait, [] { return false; });
    }
    std::lock_guard lock(mutex_);
    open_.erase(object.n);
  }
}

Status BucketCleaner::clean(s3::Client& client, const BookedObject& object,
                            std::stop_token stop) const {
  if (!move_to_.empty()) {
    const std::string to = move_to_ + object.key.substr(std::min(base_.size(), object.key.size()));
    auto copied = client.copy(object.key, object.etag, to, stop);
    const bool is_another = !copied && (copied.error().code == Code::kAborted ||
                                        copied.error().code == Code::kNotFound);
    if (is_another) return {};
    if (!copied) return copied;
  }
  ASSIGN(const auto there, client.head(object.key, stop));
  if (!there || there->etag != object.etag) return {};
  return client.remove(object.key, stop);
}

}  // namespace tailrace::connect
