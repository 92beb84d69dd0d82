// One round of compaction over a partition's sealed segments (KIP-58, 98, 534), as Kafka's cleaner
// does it: first the newest offset of each key in the dirty part, then every segment below the end
// of that is written anew without what is replaced.
//
// What stays: every record above the last mapped offset; the newest of each key; a tombstone until
// the delete horizon its batch got when it was first cleaned; the records of open transactions
// (they lie above the plan's end) and of committed ones like any other. What goes: replaced
// records, records without key, those of aborted transactions at once, and a transaction's marker
// once none of its batches is left and its horizon has passed. Without records stay: the batch with
// the last sequence of each producer, and the last batch of the round, so offsets and sequences
// survive.
//
// Nothing here takes a lock: sealed segments do not change. One thread.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "log/batch_rewriter.h"
#include "log/compaction.h"
#include "log/key_map.h"
#include "log/producers.h"
#include "log/segment.h"

namespace tailrace::log {

/// Which transaction a batch belongs to, while the batches of a round go by in order.
class RoundTransactions {
 public:
  explicit RoundTransactions(std::vector<AbortedTransaction> aborted);

  /// True when the batch may go: data of an aborted transaction, or a marker of which no batch was
  /// seen. `kept` is then what an abort marker still needs in the index.
  bool spent(const BatchView& batch, std::optional<AbortedTransaction>& kept);

 private:
  struct Aborted {
    AbortedTransaction transaction;
    bool has_batches = false;
  };
  std::vector<AbortedTransaction> waiting_;  // by first offset, the next one at the end
  std::map<std::int64_t, Aborted> aborted_;  // by producer
  std::set<std::int64_t> committed_;         // producers with batches of one that will commit
};

/// What a round needs to know.
struct RoundFacts {
  std::string name;  ///< topic-partition, for messages
  CleanPlan plan;
  CompactionSettings settings;
  std::int64_t index_interval_bytes = 4096;
  TimestampMs now;
  std::vector<AbortedTransaction> aborted;  ///< overlapping the segments below plan.to
  std::vector<std::pair<std::int64_t, ProducerEntry>> producers;
  std::uint64_t dedupe_bytes = 128 << 20;
  std::function<bool()> stopped;  ///< asked now and then; true ends the round with kCancelled
};

class CleaningRound {
 public:
  explicit CleaningRound(RoundFacts facts);

  /// Maps the keys of the dirty part of `segments`, all those below plan.to; where it ends:
  /// plan.to, or earlier when the memory for keys is full.
  Result<Offset> map_keys(std::span<const std::shared_ptr<Segment>> segments);
  /// Writes what stays of a group of neighbours, in their order, to `to` and seals it.
  Status clean(std::span<const std::shared_ptr<Segment>> group, Segment& to);

  const RoundCounts& counts() const { return counts_; }

 private:
  Status map_batch(const BatchView& batch, RoundTransactions& transactions);
  Status take(const BatchView& batch, Segment& to);
  /// Reads the next records of a batch, with the digests of their keys, into few_.
  bool read_few(RawRecords& records);
  bool map_few();
  bool keeps(const RawRecord& record, const KeyMap::Digest& key, bool horizon_passed) const;
  Status select(const BatchView& batch, bool horizon_passed);
  bool last_of_producer(const BatchView& batch) const;
  Status flush(Segment& to, std::size_t at_least);
  Status scan(const Segment& segment, Offset from, const BatchSeen& seen);

  const RoundFacts facts_;
  KeyMap keys_;
  bool full_ = false;
  Offset latest_{-1};  // the last one mapped
  RoundTransactions transactions_;
  std::unordered_map<std::int64_t, ProducerEntry> producers_;
  RoundCounts counts_;
  BatchRewriter rewriter_;
  std::vector<std::pair<RawRecord, KeyMap::Digest>> few_;
  std::vector<RawRecord> kept_;  // of the batch at hand
  bool tombstones_ = false;      // among them
  std::string plain_;
  std::string out_;
};

}  // namespace tailrace::log
