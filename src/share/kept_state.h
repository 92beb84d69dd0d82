// What the records of a share partition tell: where the group begins, and what became of offsets
// after that. Changes only by the records that are appended, so a replay gives it again.
#pragma once

#include <utility>

#include "share/records.h"
#include "share/runs.h"

namespace tailrace::share {

class KeptState {
 public:
  using Fate = std::pair<RecordState, std::int16_t>;  // with the delivery count

  void apply(const Snapshot& snapshot);
  /// One of another snapshot epoch is older than the snapshot: it says nothing new.
  void apply(const Update& update);

  Offset start() const { return start_; }
  /// Records from start() on that are final; -1: not counted.
  std::int32_t complete() const { return complete_; }
  StateEpoch state_epoch() const { return state_epoch_; }
  SnapshotEpoch snapshot_epoch() const { return snapshot_epoch_; }
  /// Offsets that no record tells of are in none.
  const Runs<Fate>& fates() const { return fates_; }
  /// Updates since the snapshot.
  int updates() const { return updates_; }

  /// All of it as the next snapshot.
  Snapshot next_snapshot(TimestampMs now) const;

  bool operator==(const KeptState&) const = default;

 private:
  SnapshotEpoch snapshot_epoch_{-1};
  StateEpoch state_epoch_{0};
  Offset start_ = kNoStart;
  std::int32_t complete_ = -1;
  TimestampMs created_{0};
  Runs<Fate> fates_;
  int updates_ = 0;
};

}  // namespace tailrace::share
