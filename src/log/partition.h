// One partition: an append-only sequence of records with offsets, kept in segments (segment.h).
//
// Threads: everything may be called from any thread. Appends go one after the other; reads take a
// short lock to find
// the place and read outside it.
//
// Visible and durable: a record can be read as soon as it is appended (high_watermark() =
// next_offset()); it is durable
// below durable_end(). Who keeps an offset elsewhere as "done" calls sync() first. An append with
// Durability::kSync
// returns only when its records are durable; many appenders share one fdatasync.
//
// Exactly once: append() with a Producer compares its first_sequence with the last one stored for
// that producer id and
// drops the prefix that is already there. The memory survives restarts and retention.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "base/strong.h"
#include "log/batch.h"
#include "log/batch_builder.h"
#include "log/record.h"
#include "log/topic.h"

namespace tailrace::log {

enum class Durability { kSync, kNoSync };

struct AppendResult {
  /// Of the first record appended. When all were duplicates: where the first of them lies, or
  /// next_offset() of that moment when that is not remembered.
  Offset base_offset;
  std::int64_t appended = 0;
  std::int64_t duplicates = 0;
};

/// The bytes of a read and where the reader stands; reuse it for the next read of the same
/// partition.
class ReadBuffer {
 public:
  /// Whole batches; the first one may begin below the offset asked for.
  BatchReader batches() const { return BatchReader(bytes()); }
  std::string_view bytes() const { return std::string_view(bytes_).substr(0, size_); }
  bool empty() const { return size_ == 0; }
  std::size_t size_bytes() const { return size_; }

 private:
  friend class PartitionLog;
  std::string bytes_;
  std::size_t size_ = 0;
  // The place after the last batch read: the next sequential read needs no index.
  const void* partition_ = nullptr;
  Offset segment_base_{-1};
  Offset next_offset_;
  std::uint64_t next_position_ = 0;
};

/// How far a recovery had to go; for the start line and for tests.
struct RecoveryReport {
  std::uint64_t scanned_bytes = 0;
  std::uint64_t truncated_bytes = 0;
};

/// A record's offset and timestamp.
struct TimedOffset {
  Offset offset;
  TimestampMs timestamp;
  auto operator<=>(const TimedOffset&) const = default;
};

class Partition {
 public:
  virtual ~Partition() = default;

  virtual const std::string& topic() const = 0;
  virtual PartitionId id() const = 0;

  /// Appends records as one or more batches of at most max.message.bytes, compressed as the topic
  /// says.
  /// kInvalidArgument: a record larger than max.message.bytes (nothing is appended then).
  /// kFailedPrecondition: a gap in the producer's sequence. kAborted: an epoch older than the
  /// stored one. kResourceExhausted: no space; nothing of this call stays, later appends work when
  /// there is room.
  virtual Result<AppendResult> append(std::span<const Record> records,
                                      const Producer& producer = {},
                                      Durability durability = Durability::kSync) = 0;

  /// Appends encoded batches as they are, laid end to end: CRC and lengths are checked, offset and
  /// leader epoch stamped. Producers in the batches are treated as in append(): batches already
  /// here are dropped, an overlapping one is encoded anew without its known prefix.
  /// Errors as append(), but: kDataLoss when bytes are no batch or a CRC does not match,
  /// kOutOfRange for a batch larger than max.message.bytes, kInvalidArgument for offsets with gaps.
  virtual Result<AppendResult> append_batches(std::string_view encoded,
                                              Durability durability = Durability::kSync) = 0;

  /// All that was appended before the call is durable after it.
  virtual Status sync() = 0;

  /// Fills `buffer` with whole batches from the one that holds `offset`: as many as fit into
  /// max_bytes, but at least
  /// one. Empty at next_offset(). kOutOfRange below log_start() and beyond next_offset(), kDataLoss
  /// (topic-partition@offset, file, byte) when a batch on disk does not match its CRC.
  virtual Status read(Offset offset, std::size_t max_bytes, ReadBuffer& buffer) = 0;

  virtual Offset log_start() const = 0;
  virtual Offset next_offset() const = 0;
  virtual Offset high_watermark() const = 0;
  virtual Offset durable_end() const = 0;
  virtual std::uint64_t size_bytes() const = 0;

  /// The first record whose timestamp is ≥ `time`; nothing when there is none.
  virtual Result<std::optional<TimedOffset>> offset_for_time(TimestampMs time) = 0;
  /// The first record with the largest timestamp (KIP-734); nothing in an empty partition.
  virtual Result<std::optional<TimedOffset>> offset_of_max_timestamp() = 0;

  /// Waits until next_offset() > offset (true), or until the timeout or close (false).
  virtual bool wait_for(Offset offset, std::chrono::milliseconds timeout) = 0;

  /// The last sequence stored for a producer id (modulo 2^31), nothing when it is unknown.
  virtual std::optional<std::int32_t> last_sequence(std::int64_t producer_id) const = 0;

  /// Moves the log start to `before`; whole segments below it are removed. kOutOfRange beyond
  /// next_offset().
  virtual Status delete_records(Offset before) = 0;

  /// Moves next_offset() to `to`; an empty batch stands for the offsets between. For offsets that
  /// were given out and whose records a damaged disk took: they are not given out a second time.
  virtual Status skip_to(Offset to) = 0;

  /// Removes the segments that retention.ms and retention.bytes let go, but none with records at or
  /// after `keep_from`; their number.
  virtual Result<int> apply_retention(Offset keep_from = Offset(INT64_MAX)) = 0;

  /// Sync, and note how far recovery may trust the files.
  virtual Status checkpoint() = 0;

  virtual RecoveryReport recovery() const = 0;
};

}  // namespace tailrace::log
