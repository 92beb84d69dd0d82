// Objects of a bucket fetched side by side, each into a file of its own below FOLDER, where it
// stays until all that came from it is noted: what was appended before a crash can be read again to
// the letter, even when the object is gone or another by then.
//
//   FOLDER/NUMBER.part     is being fetched
//   FOLDER/NUMBERSUFFIX    is whole; the suffix is what the key's name says of the format
//
// A large object comes by parts of 8 MiB, each only if the object is still the same: what is in a
// file is one content. Many small ones are fast because their round trips overlap.
//
// Threads: `parallel` of its own; all calls from one other.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "connect/bucket_book.h"
#include "s3/client.h"

namespace tailrace::connect {

using MakeClient = std::function<std::unique_ptr<s3::Client>()>;

class BucketFetcher {
 public:
  BucketFetcher(MakeClient make_client, std::string folder, int parallel);
  ~BucketFetcher();

  /// Takes over what an earlier run left: what is below `n` goes.
  Status start(std::int64_t n);
  /// More may be wanted: neither files nor bytes under way are at their limit.
  bool has_room() const;
  /// Fetches it unless it is there or under way.
  void want(const BookedObject& object);
  /// The file of an object that was wanted, when it is whole, or why it cannot be had; nothing
  /// when that is not known within `wait`.
  std::optional<Result<std::string>> file_of(std::int64_t n, std::chrono::milliseconds wait,
                                             std::stop_token stop);
  /// The object was read (its file is kept until drop_below), or could not be had: want() begins
  /// again.
  void release(std::int64_t n, bool keep);
  /// Files of objects below `n` that were released are no longer needed.
  void drop_below(std::int64_t n);
  /// Objects that were fetched whole, since the start.
  std::int64_t fetched() const;

 private:
  struct Job {
    BookedObject object;
    bool done = false;
    Status how = {};
  };
  void work(std::stop_token stop);
  Status fetch(s3::Client& client, const BookedObject& object, std::stop_token stop);
  std::string path_of(const BookedObject& object) const;

  const MakeClient make_client_;
  const std::string folder_;
  const int parallel_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::int64_t, Job> jobs_;
  std::deque<std::int64_t> waiting_;
  std::map<std::int64_t, std::string> left_;  // of an earlier run, or read and not yet dropped
  std::int64_t bytes_ = 0;                    // of jobs_
  std::int64_t fetched_ = 0;
  std::vector<std::jthread> threads_;
};

/// ".json.gz" of "in/a.json.gz": what record_file.h goes by; "" for a name that says nothing.
std::string format_suffix(std::string_view key);

}  // namespace tailrace::connect
