// Deletes or moves objects whose records are durable, side by side with reading.
//
// An object that was overwritten meanwhile is left: a move is refused by the server then; before a
// deletion the object is looked at, so a content that comes within that moment can be lost.
//
// Threads: `parallel` of its own; all calls from one other.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "connect/bucket_fetcher.h"

namespace tailrace::connect {

class BucketCleaner {
 public:
  /// `move_to`: the prefix that goes before the rest of the key behind `base`; "": it is deleted.
  /// `done`: below it all is clean.
  BucketCleaner(MakeClient make_client, std::string base, std::string move_to, int parallel,
                std::int64_t done);
  ~BucketCleaner();

  /// How many wait: more than a page of them need not.
  std::size_t waiting() const;
  void add(const std::vector<BookedObject>& objects);
  /// The greatest number that was added, or what was done at first.
  std::int64_t added() const { return added_; }
  /// Below it all is clean.
  std::int64_t done() const;
  /// The last trouble, "" after a success.
  std::string trouble() const;

 private:
  void work(std::stop_token stop);
  Status clean(s3::Client& client, const BookedObject& object, std::stop_token stop) const;

  const MakeClient make_client_;
  const std::string base_, move_to_;
  std::int64_t added_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<BookedObject> waiting_;
  std::set<std::int64_t> open_;  // waiting or under way
  std::int64_t end_ = 0;         // behind all that were added
  std::string trouble_;
  std::vector<std::jthread> threads_;
};

}  // namespace tailrace::connect
