// What a partition remembers of idempotent producers, and its snapshot file in Kafka's format.
//
//   <20-digit offset>.snapshot: version i16 = 1 · crc u32 (CRC32C of what follows) · count i32 ·
//   entries entry: producerId i64 · epoch i16 · lastSequence i32 · lastOffset i64 · offsetDelta i32
//   · timestamp i64 ·
//          coordinatorEpoch i32 = -1 · currentTxnFirstOffset i64 = -1
// A snapshot holds the state after all records below its offset.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/strong.h"
#include "log/batch.h"

namespace tailrace::log {

/// A batch that was stored, by its sequences.
struct StoredBatch {
  std::int32_t first_sequence = -1;
  std::int32_t last_sequence = -1;
  Offset base;
};

struct ProducerEntry {
  std::int16_t epoch = 0;
  std::int32_t last_sequence = -1;
  std::int64_t last_offset = -1;
  std::int32_t offset_delta = 0;
  std::int64_t timestamp = -1;
  /// The newest ones, the last at the end; as many as a client may have under way (KIP-98). A
  /// snapshot keeps the last only.
  std::deque<StoredBatch> recent = {};
};

/// One appended batch, as far as producers go.
struct ProducerBatch {
  std::int64_t id = -1;
  std::int16_t epoch = -1;
  std::int32_t first_sequence = -1;
  std::int32_t count = 0;
};

ProducerBatch producer_batch(const BatchView& batch);

class Producers {
 public:
  /// How many of the batch's first records are here already (0 … count). kAborted for an older
  /// epoch, kFailedPrecondition for a gap in the sequence. A new id or a newer epoch may start
  /// anywhere.
  Result<std::int64_t> known_prefix(const ProducerBatch& batch) const;
  /// Where the very batch was stored; nothing when it is not one of the newest.
  std::optional<Offset> stored_at(const ProducerBatch& batch) const;

  /// Remembers a batch that was appended.
  void note(const ProducerBatch& batch, Offset last_offset, TimestampMs timestamp);
  void note(const BatchView& batch);

  std::optional<std::int32_t> last_sequence(std::int64_t id) const;
  const ProducerEntry* find(std::int64_t id) const;
  bool empty() const { return entries_.empty(); }

  std::string encode_snapshot() const;
  static Result<Producers> decode_snapshot(std::string_view bytes);

 private:
  std::map<std::int64_t, ProducerEntry> entries_;
};

}  // namespace tailrace::log
