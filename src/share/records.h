// The records of __share_group_state as typed keys and values, fields as Kafka's (KIP-932).
//
//   key type 0, ShareSnapshot   all that is known of a share partition
//   key type 1, ShareUpdate     what changed since the snapshot with the same snapshot epoch
//
// A snapshot without value is a tombstone: the share partition is forgotten. The bytes are another
// floor's work.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/strong.h"

namespace tailrace::share {

using TopicId = std::array<std::uint8_t, 16>;
using SnapshotEpoch = Strong<struct SnapshotEpochTag, std::int32_t>;
using StateEpoch = Strong<struct StateEpochTag, std::int32_t>;

/// Nobody said yet where the group begins.
inline constexpr Offset kNoStart{-1};

/// A partition of a topic as a share group has it.
struct Key {
  std::string group;
  TopicId topic{};
  PartitionId partition;
  auto operator<=>(const Key&) const = default;
};

/// The numbers are the records'.
enum class RecordState : std::int8_t {
  kAvailable = 0,  // for whoever asks first
  kAcquired = 1,   // with a member, until it says what became of it or its lock ends; in no record
  kAcknowledged = 2,  // processed
  kArchived = 4,      // given up: rejected, delivered too often, or no record at all
};

/// What comes never again.
constexpr bool is_final(RecordState state) {
  return state == RecordState::kAcknowledged || state == RecordState::kArchived;
}

struct StateBatch {
  Offset first;
  Offset last;
  RecordState state = RecordState::kAvailable;
  std::int16_t delivery_count = 0;
  auto operator<=>(const StateBatch&) const = default;
};

/// Value of key type 0.
struct Snapshot {
  SnapshotEpoch snapshot_epoch;
  StateEpoch state_epoch;
  Offset start = kNoStart;
  std::int32_t complete = -1;  // records from `start` on that are final; -1: not counted
  TimestampMs created{0};
  TimestampMs written{0};
  std::vector<StateBatch> batches;
  auto operator<=>(const Snapshot&) const = default;
};

/// Value of key type 1.
struct Update {
  SnapshotEpoch snapshot_epoch;
  Offset start = kNoStart;
  std::int32_t complete = -1;
  std::vector<StateBatch> batches;
  auto operator<=>(const Update&) const = default;
};

struct Forgotten {
  auto operator<=>(const Forgotten&) const = default;
};

struct Record {
  Key key;
  std::variant<Snapshot, Update, Forgotten> value;
  bool operator==(const Record&) const = default;
};

}  // namespace tailrace::share
