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
// drops the prefix that is already there. The memory survives restarts and retention. Ids that a
// broker gives out (below kNamedProducers) are forgotten when they are silent for a day.
//
// Transactions (KIP-98): transactional batches open their producer's transaction in the partition,
// end_transaction() ends it with a marker. Below last_stable_offset() every transaction is decided;
// a read_committed reader reads up to it, with what aborted_transactions() says taken out
// (CommittedFilter, transactions.h).
//
// Compaction (KIP-58, 71): where cleanup.policy has compact, records need keys, and Log::clean()
// takes out what a newer record of the same key replaces: offsets stay, but some are missing then,
// within batches and between them. Everywhere else a partition has no gaps.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/strong.h"
#include "log/batch.h"
#include "log/batch_builder.h"
#include "log/producers.h"
#include "log/record.h"
#include "log/topic.h"
#include "log/traffic.h"
#include "log/transactions.h"

namespace tailrace::log {

/// From this producer id on a producer is named by its owner, not by a broker that counts, and
/// never forgotten.
inline constexpr std::int64_t kNamedProducers = 1LL << 48;

enum class Durability { kSync, kNoSync };

struct AppendResult {
  /// Of the first record appended. When all were duplicates: where the first of them lies, or
  /// next_offset() of that moment when that is not remembered.
  Offset base_offset;
  std::int64_t appended = 0;
  std::int64_t duplicates = 0;
  /// The time that the records have, where message.timestamp.type is LogAppendTime.
  std::optional<TimestampMs> log_append_time = {};
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
  /// What a partition that does not lie in files has read: whole batches.
  void assign(std::string_view batches) {
    bytes_.assign(batches);
    size_ = batches.size();
    partition_ = nullptr;
  }

 private:
  friend class PartitionLog;
  std::string bytes_;
  std::size_t size_ = 0;
  // The place after the last batch read: the next sequential read needs no index.
  const void* partition_ = nullptr;
  std::uint64_t segment_id_ = 0;
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
  /// kInvalidArgument: a record larger than max.message.bytes, or without key where the topic is
  /// compacted (nothing is appended then). kFailedPrecondition: a gap in the producer's sequence, a
  /// newer epoch that does not begin at 0. kAborted: an epoch older than the stored one.
  /// kAlreadyExists: records outside the transaction that the producer has open.
  /// kResourceExhausted: no space; nothing of this call stays, later appends work when there is
  /// room.
  virtual Result<AppendResult> append(std::span<const Record> records,
                                      const Producer& producer = {},
                                      Durability durability = Durability::kSync) = 0;

  /// Appends encoded batches, laid end to end, as they are but for what the topic's
  /// compression.type and message.timestamp.type say: CRC, lengths and times are checked, offset
  /// and leader epoch stamped. Producers in the batches are treated as in append(): batches already
  /// here are dropped, an overlapping one is encoded anew without its known prefix.
  /// Errors as append(), but: kDataLoss when bytes are no batch or a CRC does not match,
  /// kOutOfRange for a batch larger than max.message.bytes, kDeadlineExceeded for times that
  /// message.timestamp.*.max.ms keeps out, kInvalidArgument for offsets with gaps,
  /// control batches and transactional ones without producer; kFailedPrecondition for a
  /// transactional batch that is known in part. With `verified`, end_markers() of its producer as
  /// they were before its transaction was verified: kAlreadyExists when that has ended since.
  virtual Result<AppendResult> append_batches(
      std::string_view encoded, Durability durability = Durability::kSync,
      std::optional<std::uint64_t> verified = std::nullopt) = 0;

  /// Ends a producer's transaction here; the offset of the marker. It is written even when there is
  /// no open one, as Kafka does. kAborted: the marker's epoch is fenced off (KIP-890: with
  /// transaction_version ≥ 2 it must be newer than that of the records). kFailedPrecondition: an
  /// older coordinator wrote it.
  virtual Result<Offset> end_transaction(const EndMarker& marker,
                                         Durability durability = Durability::kSync) = 0;

  /// All that was appended before the call is durable after it.
  virtual Status sync() = 0;

  /// Fills `buffer` with whole batches from the one that holds `offset`: as many as fit into
  /// max_bytes, but at least
  /// one. Empty at next_offset(), and where no batch begins below `upto` any more.
  /// kOutOfRange below log_start() and beyond next_offset(), kDataLoss (topic-partition@offset,
  /// file, byte) when a batch on disk does not match its CRC.
  virtual Status read(Offset offset, std::size_t max_bytes, ReadBuffer& buffer,
                      Offset upto = Offset(INT64_MAX)) = 0;

  virtual Offset log_start() const = 0;
  virtual Offset next_offset() const = 0;
  virtual Offset high_watermark() const = 0;
  /// Where the oldest open transaction begins, high_watermark() when none is open.
  virtual Offset last_stable_offset() const = 0;
  virtual Offset durable_end() const = 0;
  virtual std::uint64_t size_bytes() const = 0;

  /// The aborted transactions with records or marker in [from, upto), by the offsets of their
  /// markers; `upto` is at most last_stable_offset().
  virtual Result<std::vector<AbortedTransaction>> aborted_transactions(Offset from,
                                                                       Offset upto) = 0;

  /// The first record whose timestamp is ≥ `time`; nothing when there is none.
  virtual Result<std::optional<TimedOffset>> offset_for_time(TimestampMs time) = 0;
  /// The first record with the largest timestamp (KIP-734); nothing in an empty partition.
  virtual Result<std::optional<TimedOffset>> offset_of_max_timestamp() = 0;

  /// Waits until next_offset() > offset (true), or until the timeout or close (false).
  virtual bool wait_for(Offset offset, std::chrono::milliseconds timeout) = 0;

  /// The last sequence stored for a producer id (modulo 2^31), nothing when it is unknown.
  virtual std::optional<std::int32_t> last_sequence(std::int64_t producer_id) const = 0;

  /// Every producer that is remembered, by id (DescribeProducers, KIP-664).
  virtual std::vector<ProducerState> active_producers() const = 0;
  /// Those with a transaction in which nothing was written since `before`: hung, when that is
  /// further back than any transaction may last.
  virtual std::vector<ProducerState> open_transactions(
      TimestampMs before = TimestampMs(INT64_MAX)) const = 0;
  /// Whether the producer has a transaction open here in this epoch: records that open one have to
  /// be verified with the coordinator first (KIP-890).
  virtual bool in_transaction(std::int64_t producer_id, std::int16_t epoch) const = 0;
  /// How many of the producer's transactions ended here since it was opened: none did between two
  /// calls that say the same.
  virtual std::uint64_t end_markers(std::int64_t producer_id) const = 0;
  /// Forgets the producers below kNamedProducers that were silent since `before`; their number.
  virtual std::size_t expire_producers(TimestampMs before) = 0;

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

  Traffic& traffic() { return traffic_; }

 protected:
  Traffic traffic_;
};

}  // namespace tailrace::log
