// Committed offsets of all groups, those of open transactions apart until they end.
//
// State changes only by apply(), with the records that were appended, so replaying them in order
// gives the same offsets. Of a plain and a transactional commit of one partition the later record
// wins, not the later end of transaction.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "groups/events.h"
#include "groups/records.h"
#include "groups/turn.h"

namespace tailrace::groups {

class Offsets {
 public:
  void apply(const OffsetEntry& entry, const std::optional<Producer>& producer);
  /// Of the groups that `ends` picks; of all without it.
  void end_transaction(const Producer& producer, bool committed,
                       const std::function<bool(const std::string& group)>& ends = {});

  /// The answer to an allowed commit; the records it needs go to `out`. Metadata over the limit is
  /// refused partition by partition.
  CommitAnswer commit(const CommitOffsets& request, TimestampMs now, const GroupsConfig& config,
                      std::vector<OffsetEntry>& out) const;
  FetchAnswer fetch(const FetchOffsets& request) const;
  /// `subscribed` tells the topics that are in use and whose offsets stay.
  DeleteOffsetsAnswer remove(const DeleteOffsets& request,
                             const std::function<bool(const std::string&)>& subscribed,
                             std::vector<OffsetEntry>& out) const;

  /// Tombstones for all offsets of a group, pending ones too.
  void remove_all(const std::string& group, std::vector<OffsetEntry>& out) const;
  void remove_topic(const std::string& topic, const TopicId& id,
                    std::vector<OffsetEntry>& out) const;
  /// Tombstones for what is too old; `base` tells from when an offset's age counts (no value: not
  /// now). True when the group has no offset left, committed or pending.
  bool expire(const std::string& group, TimestampMs now, Millis retention_ms,
              const std::function<std::optional<TimestampMs>(const std::string& topic,
                                                             TimestampMs commit)>& base,
              std::vector<OffsetEntry>& out) const;

  /// All committed offsets, for comparison.
  std::map<OffsetCommitKey, OffsetCommitValue> committed() const;

 private:
  struct Stored {
    OffsetCommitValue value;
    std::uint64_t position = 0;  // order of records
  };
  using ByKey = std::map<OffsetCommitKey, Stored>;

  FetchedOffset fetched(const OffsetCommitKey& key, const TopicId& id, bool require_stable) const;
  FetchAnswer fetch_all(const FetchOffsets& request) const;
  bool has_pending(const OffsetCommitKey& key) const { return open_.contains(key); }
  void forget_pending(const OffsetCommitKey& key);

  ByKey committed_;
  std::map<std::int64_t, ByKey> pending_;                   // by producer id
  std::map<OffsetCommitKey, std::set<std::int64_t>> open_;  // producers with pending offsets
  std::uint64_t position_ = 0;
};

/// The same error for every partition of a commit.
CommitAnswer refuse_commit(const CommitOffsets& request, ErrorCode error);

}  // namespace tailrace::groups
