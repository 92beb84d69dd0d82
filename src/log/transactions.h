// Transactions in a partition (KIP-98): end markers, aborted transactions, and the read_committed
// view.
//
// An end marker is a control batch (attributes bits 4 and 5) of one record: key version i16 = 0 ·
// type i16 (0 abort, 1 commit); value version i16 = 0 · coordinatorEpoch i32. Its producer id and
// epoch are those of the batch.
//
//   <base>.txnindex   one entry for each transaction whose abort marker lies in the segment:
//   version i16 = 0 · producerId i64 · firstOffset i64 · lastOffset i64 (of the marker) ·
//   lastStableOffset i64 (after the marker)
//
// Unlike the other indexes this one is a truth: without it aborted records would be read as
// committed. An entry is written before its marker, and rebuilt with the producers by recovery.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/strong.h"
#include "log/batch.h"

namespace tailrace::log {

enum class TransactionEnd : std::int16_t { kAbort = 0, kCommit = 1 };

/// What a coordinator writes to end a producer's transaction in a partition.
struct EndMarker {
  std::int64_t producer_id = -1;
  std::int16_t epoch = -1;
  TransactionEnd end = TransactionEnd::kAbort;
  std::int32_t coordinator_epoch = 0;
  /// From 2 on (KIP-890) each transaction has an epoch of its own, so a marker's epoch must be
  /// newer than the one of the records.
  std::int16_t transaction_version = 0;
};

struct AbortedTransaction {
  std::int64_t producer_id = -1;
  Offset first;        ///< of its first record in the partition
  Offset last;         ///< of its marker
  Offset last_stable;  ///< the partition's, right after the marker
  bool operator==(const AbortedTransaction&) const = default;
};

inline constexpr std::size_t kAbortedEntryBytes = 34;
void append_aborted(std::string& out, const AbortedTransaction& transaction);
/// `entry` has kAbortedEntryBytes; kDataLoss when it cannot be one.
Result<AbortedTransaction> parse_aborted(std::string_view entry);

/// The control batch with base offset 0.
std::string marker_batch(const EndMarker& marker, TimestampMs now);

/// What a control batch says; nothing when it has no record (cleaned away) or is of another kind.
struct MarkerFacts {
  TransactionEnd end = TransactionEnd::kAbort;
  std::int32_t coordinator_epoch = -1;
};
std::optional<MarkerFacts> parse_marker(const BatchView& batch);

/// What a read_committed reader does with batches, shown in the order of their offsets.
class CommittedFilter {
 public:
  explicit CommittedFilter(std::vector<AbortedTransaction> aborted);

  /// True for records of an aborted transaction and for control batches.
  bool hides(const BatchView& batch);

 private:
  std::vector<AbortedTransaction> aborted_;  // by first offset
  std::size_t begun_ = 0;
  std::map<std::int64_t, Offset> open_;  // producer → its marker
};

}  // namespace tailrace::log
