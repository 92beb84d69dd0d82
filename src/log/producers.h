// What a partition remembers of idempotent and transactional producers (KIP-98, 360, 890), and its
// snapshot file in Kafka's format.
//
//   <20-digit offset>.snapshot: version i16 = 1 · crc u32 (CRC32C of what follows) · count i32 ·
//   entries entry: producerId i64 · epoch i16 · lastSequence i32 · lastOffset i64 · offsetDelta i32
//   · timestamp i64 · coordinatorEpoch i32 · currentTxnFirstOffset i64
// Numbers that are not known are -1. A snapshot holds the state after all records below its offset.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/strong.h"
#include "log/batch.h"
#include "log/transactions.h"

namespace tailrace::log {

/// A producer as DescribeProducers shows it; numbers that are not known are -1.
struct ProducerState {
  std::int64_t id = -1;
  std::int16_t epoch = -1;
  std::int32_t last_sequence = -1;
  TimestampMs last_timestamp{-1};
  std::int32_t coordinator_epoch = -1;
  Offset transaction_start{-1};
  bool operator==(const ProducerState&) const = default;
};

/// A batch that was stored, by its sequences.
struct StoredBatch {
  std::int32_t first_sequence = -1;
  std::int32_t last_sequence = -1;
  Offset base;
};

struct ProducerEntry {
  std::int16_t epoch = -1;
  std::int32_t last_sequence = -1;
  std::int64_t last_offset = -1;
  std::int32_t offset_delta = 0;
  std::int64_t timestamp = -1;
  std::int32_t coordinator_epoch = -1;
  std::int64_t transaction_start = -1;
  /// The newest ones, the last at recent_end - 1 around the ring; as many as a client may have
  /// under way (KIP-98). A snapshot keeps the last only.
  std::array<StoredBatch, 5> recent = {};
  std::uint8_t recent_end = 0;
  std::uint64_t end_markers = 0;  ///< noted since the log was opened; in no snapshot
};

/// One appended batch, as far as producers go.
struct ProducerBatch {
  std::int64_t id = -1;
  std::int16_t epoch = -1;
  std::int32_t first_sequence = -1;
  std::int32_t count = 0;
  bool transactional = false;
};

ProducerBatch producer_batch(const BatchView& batch);

class Producers {
 public:
  /// How many of the batch's first records are here already (0 … count). kAborted for an older
  /// epoch; kFailedPrecondition for a gap in the sequence, a newer epoch that does not start at 0,
  /// or a transactional batch that is known in part; kAlreadyExists for a batch outside the
  /// transaction that its producer has open. A new id may start anywhere.
  Result<std::int64_t> known_prefix(const ProducerBatch& batch) const;
  /// Where the very batch was stored; nothing when it is not one of the newest.
  std::optional<Offset> stored_at(const ProducerBatch& batch) const;
  /// Whether the marker may be written: kAborted for its epoch, kFailedPrecondition when an older
  /// coordinator wrote it.
  Status check_marker(const EndMarker& marker) const;

  /// Remembers a batch that was appended.
  void note(const ProducerBatch& batch, Offset last_offset, TimestampMs timestamp);
  /// A data batch or an end marker; the aborted transaction when that ended one.
  std::optional<AbortedTransaction> note(const BatchView& batch);
  /// What note() would say of a marker at `at`.
  std::optional<AbortedTransaction> aborted_by(const EndMarker& marker, Offset at) const;

  /// Where the oldest open transaction starts.
  std::optional<Offset> first_open() const;
  /// Forgets producers without an open transaction that were last heard of before `before`, as long
  /// as their id is below `below_id`; their number.
  std::size_t expire(TimestampMs before, std::int64_t below_id);

  std::optional<std::int32_t> last_sequence(std::int64_t id) const;
  const ProducerEntry* find(std::int64_t id) const;
  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  /// By id.
  std::vector<ProducerState> states() const;
  const std::map<std::int64_t, ProducerEntry>& entries() const { return entries_; }

  std::string encode_snapshot() const;
  static Result<Producers> decode_snapshot(std::string_view bytes);

 private:
  void end(std::int64_t id, std::int16_t epoch, std::int32_t coordinator_epoch, TimestampMs time);
  Offset stable_after(std::int64_t id, Offset marker) const;

  std::map<std::int64_t, ProducerEntry> entries_;
  std::set<std::pair<Offset, std::int64_t>> open_;  // first offset, producer
};

}  // namespace tailrace::log
