// Share sessions (KIP-932): the partitions a member fetches from here, so that requests name only
// what changes. With its session, the connection that opened it, or its last request, a member
// gives up the records it has.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "kafka/error_code.h"
#include "share/records.h"

namespace tailrace::kafka {

class ShareSession {
 public:
  using Place = std::pair<share::TopicId, PartitionId>;

  ShareSession(std::string group, std::string member, const void* connection)
      : group(std::move(group)), member(std::move(member)), connection(connection) {}

  const std::string group;
  const std::string member;
  const void* const connection;  ///< who opened it; only compared
  std::mutex mutex;              ///< held while the places are touched

  void add(const Place& place);
  void forget(const Place& place);
  const std::list<Place>& places() const { return places_; }
  share::Key key(const Place& place) const { return {group, place.first, place.second}; }
  /// Moves what gave records to the end, so that all come to be first.
  void served(const Place& place);

 private:
  friend class ShareSessions;
  std::list<Place> places_;
  std::map<Place, std::list<Place>::iterator> where_;
  std::int32_t epoch_ = 0;  // what the next request must say
};

class ShareSessions {
 public:
  static constexpr std::int32_t kOpens = 0;
  static constexpr std::int32_t kCloses = -1;

  explicit ShareSessions(std::size_t most) : most_(most) {}

  struct Found {
    ErrorCode error = ErrorCode::kNone;
    std::shared_ptr<ShareSession> session;
  };
  /// The session of a request, made, continued or taken out as its epoch says.
  Found of(const std::string& group, const std::string& member, std::int32_t epoch,
           const void* connection);
  /// Takes out what the connection opened.
  std::vector<std::shared_ptr<ShareSession>> close_all(const void* connection);

 private:
  using Name = std::pair<std::string, std::string>;  // group, member

  const std::size_t most_;
  std::mutex mutex_;
  std::map<Name, std::shared_ptr<ShareSession>> sessions_;
};

}  // namespace tailrace::kafka
