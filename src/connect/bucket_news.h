// What a bucket source learns of new objects: pages of a listing, messages of SQS, deliveries of
// MinIO's webhook.
//
// Threads: one.
#pragma once

#include <deque>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "connect/bucket_book.h"
#include "connect/bucket_options.h"
#include "connect/inbox.h"
#include "connect/source.h"
#include "rt/clock.h"
#include "s3/client.h"
#include "s3/queue.h"

namespace tailrace::connect {

class BucketNews {
 public:
  BucketNews(const BucketConfig& config, std::shared_ptr<Inbox> inbox, rt::Clock& clock);
  ~BucketNews();

  /// Asks once of each way; `wait` for news where there is a way that waits. Objects that are the
  /// source's are in the book afterwards; texts that are no news are rejects.
  Status learn(ObjectBook& book, Chunk& chunk, bool wait, std::stop_token stop);
  /// What was learnt is durable: messages are deleted, senders answered.
  void settle(std::stop_token stop);
  /// Whether settle() has something to do.
  bool open() const { return !receipts_.empty() || !under_way_.empty(); }
  /// A listing is under way: there may be more at once.
  bool more() const { return listing_; }
  /// Something came with the last learn().
  bool came() const { return came_; }
  /// Until the next listing begins.
  std::chrono::nanoseconds until_listing() const;

 private:
  Status list(ObjectBook& book, std::stop_token stop);
  Status receive(ObjectBook& book, Chunk& chunk, bool wait, std::stop_token stop);
  Status take(ObjectBook& book, Chunk& chunk, bool wait, std::stop_token stop);
  Result<bool> read(const std::string& text, const std::string& origin,
                    std::vector<BookedObject>& objects, Chunk& chunk, std::stop_token stop);
  bool is_old(const ObjectBook& book, const std::string& modified) const;
  Status enter(ObjectBook& book, const std::vector<BookedObject>& objects);

  const BucketConfig& config_;
  const std::shared_ptr<Inbox> inbox_;
  rt::Clock& clock_;
  s3::Client client_;
  s3::Queue queue_;
  bool listing_ = true;  // from the first call on
  std::string token_;
  std::chrono::nanoseconds list_at_{0};
  bool came_ = false;
  std::vector<std::string> receipts_;  // of messages whose objects are in the book
  std::deque<Delivery> under_way_;
};

}  // namespace tailrace::connect
