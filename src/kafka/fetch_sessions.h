// Fetch sessions (KIP-227): the broker remembers which partitions a client fetches and what it last
// told of each, so that requests and answers name only what changed.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kafka/error_code.h"
#include "kafka/messages/fetch_request.h"
#include "log/topic.h"

namespace tailrace::kafka {

/// A partition that is fetched, and what its client knows of it.
struct FetchWant {
  std::string topic;  ///< by name up to version 12 of Fetch
  Uuid id{};          ///< by id since version 13
  FetchRequest::FetchPartition request;
  // Of the last answer; -1: none yet.
  std::int64_t told_high_watermark = -1;
  std::int64_t told_log_start = -1;
};

/// The partitions of a session, in the order in which they are served. Clients wait for an answer
/// before they ask again; who does not is made to wait by `mutex`, held while wants() are touched.
class FetchSession {
 public:
  std::mutex mutex;
  /// Adds partitions, or replaces what is asked of them; they keep their place.
  void update(const std::vector<FetchRequest::FetchTopic>& topics);
  void forget(const std::vector<FetchRequest::ForgottenTopic>& topics);
  std::list<FetchWant>& wants() { return wants_; }
  /// Moves a partition that gave records to the end, so that all come to be first.
  void served(std::list<FetchWant>::iterator want) { wants_.splice(wants_.end(), wants_, want); }

  std::int32_t id = 0;     ///< 0: it lives for one request
  std::int32_t epoch = 0;  ///< what the next request must say

 private:
  using Key = std::pair<std::pair<std::string, Uuid>, std::int32_t>;
  std::list<FetchWant> wants_;
  std::map<Key, std::list<FetchWant>::iterator> places_;
};

class FetchSessions {
 public:
  explicit FetchSessions(std::size_t most);

  struct Found {
    ErrorCode error = ErrorCode::kNone;
    std::shared_ptr<FetchSession> session;
    bool incremental = false;  ///< the answer names only what changed
  };
  /// The session of a request, made, continued or ended as its id and epoch say.
  Found of(const FetchRequest& request);

 private:
  std::shared_ptr<FetchSession> make(const FetchRequest& request);

  const std::size_t most_;
  std::mutex mutex_;
  std::uint64_t random_;
  std::list<std::shared_ptr<FetchSession>> by_use_;  // the one used longest ago first
  std::unordered_map<std::int32_t, std::list<std::shared_ptr<FetchSession>>::iterator> sessions_;
};

}  // namespace tailrace::kafka
