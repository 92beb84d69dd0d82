// Deadlines by name, the earliest first: the timers of the room without a clock.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/strong.h"

namespace tailrace::groups {

enum class TimerKind {
  kJoin,              // a classic group's join phase
  kSync,              // a classic group's sync phase
  kSession,           // a member is lost when it stays silent
  kRevocation,        // a consumer must have given its partitions up
  kRebalance,         // a streams group's first assignment, delayed so that more members join
  kOffsetsRetention,  // of the room
};

struct TimerKey {
  TimerKind kind;
  std::string group;
  std::string member;
  auto operator<=>(const TimerKey&) const = default;
};

inline TimerKey session_of(const std::string& group, const std::string& member) {
  return {TimerKind::kSession, group, member};
}
inline TimerKey revocation_of(const std::string& group, const std::string& member) {
  return {TimerKind::kRevocation, group, member};
}

/// At most one deadline a key. O(log n) each.
class Deadlines {
 public:
  /// Sets or moves a deadline.
  void set(const TimerKey& key, TimestampMs at);
  void cancel(const TimerKey& key);
  /// Takes the earliest deadline at or before `now` out.
  std::optional<TimerKey> pop_due(TimestampMs now);
  std::optional<TimestampMs> next() const;
  bool has(const TimerKey& key) const { return at_.contains(key); }

 private:
  std::map<TimerKey, TimestampMs> at_;
  std::set<std::pair<TimestampMs, TimerKey>> order_;
};

}  // namespace tailrace::groups
