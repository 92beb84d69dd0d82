// Builds record batches (batch.h has the grammar), one or several laid end to end as a segment
// holds them: a record's bytes are copied once, to where they are written from. Reused: no
// allocation in the steady state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "log/batch.h"
#include "log/record.h"

namespace tailrace::log {

/// Whose records these are; id -1 means no idempotence. `first_sequence` counts the producer's
/// records in a partition
/// from 0 and may be any 64-bit position: it is stored modulo 2^31, as Kafka wraps it. -1: the
/// records are not counted, only the epoch is compared (what a group coordinator writes in a
/// transaction).
struct Producer {
  std::int64_t id = -1;
  std::int16_t epoch = 0;
  std::int64_t first_sequence = 0;
  /// The records belong to the producer's transaction (KIP-98).
  bool transactional = false;
};

/// The i32 sequence of a 64-bit position in a producer's stream; -1 stays.
constexpr std::int32_t wrap_sequence(std::int64_t position) {
  return position < 0 ? -1 : static_cast<std::int32_t>(position & 0x7fffffff);
}

/// How many records `position` lies ahead of `other` (0: at it; negative: behind), where either may
/// have been wrapped. Right for distances below 2^30.
constexpr std::int64_t sequence_ahead(std::int64_t position, std::int64_t other) {
  const std::int64_t ahead = (position - other) & 0x7fffffff;
  return ahead < (std::int64_t{1} << 30) ? ahead : ahead - (std::int64_t{1} << 31);
}

class RecordBatchBuilder {
 public:
  explicit RecordBatchBuilder(Compression compression = Compression::kNone);

  /// Adds a record; its timestamp must be set (≥ 0).
  void add(const Record& record);
  /// The most bytes `record` can add.
  static std::size_t max_bytes(const Record& record);

  std::int32_t count() const { return count_; }
  bool empty() const { return count_ == 0; }
  Compression compression() const { return compression_; }
  /// Bytes of the batch so far, header included, before compression.
  std::size_t size_bytes() const { return used_ - start_; }

  /// Completes the only batch (compression, header, CRC) with base offset 0. The view is valid
  /// until the next call.
  Result<std::string_view> finish(const Producer& producer = {});
  /// Completes the batch with this base offset and leader epoch 0; the next one begins behind it.
  Status finish_and_go_on(const Producer& producer, Offset base);
  /// What finish_and_go_on() has completed since clear().
  std::string_view batches() const;
  /// Starts the first batch.
  void clear();

 private:
  Result<std::string_view> complete(const Producer& producer, Offset base, std::int32_t epoch);
  void write_header(char* batch, std::size_t size_bytes, const Producer& producer, Offset base,
                    std::int32_t epoch) const;

  Compression compression_;
  std::string plain_;      // header room, then records; only used_ bytes of it count
  std::size_t start_ = 0;  // where the batch begins in plain_
  std::size_t used_ = kBatchHeaderBytes;
  std::string compressed_;  // whole batches
  std::int32_t count_ = 0;
  std::int64_t base_timestamp_ = -1;
  std::int64_t max_timestamp_ = -1;
};

/// A batch without records that stands for `last_offset_delta` + 1 offsets, with base offset 0. (As
/// Kafka's cleaner leaves one where all records of a batch went.)
std::string empty_batch(std::int32_t last_offset_delta, TimestampMs time);

}  // namespace tailrace::log
