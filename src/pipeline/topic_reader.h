// Reads a topic's partitions from kept positions into deltas of the topic's relation, and takes out
// what cannot be decoded.
//
// Records of a transaction are read when it has committed (read_committed), aborted ones never.
//
// A step holds at most `max_records`, from all partitions in turn. The same positions give the same
// records in the same order, whatever the steps. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "columns/types.h"
#include "engine/functions/json_check.h"
#include "log/log.h"
#include "pipeline/dead_letters.h"
#include "pipeline/graph.h"

namespace tailrace::pipeline {

/// The next offset to read of each partition.
using Positions = std::vector<Offset>;

/// What one step takes from a topic.
struct TopicStep {
  Delta delta;                       ///< rows of topic_schema(), all +1
  std::vector<DeadLetter> rejected;  ///< records that are no JSON document
  Positions next;                    ///< positions after this step
  std::int64_t records = 0;          ///< read, rejected ones included
  std::int64_t bytes = 0;
  std::int64_t oldest_ms = 0;  ///< timestamp of the oldest record of the step
};

class TopicReader {
 public:
  static Result<TopicReader> open(log::Log& log, TopicRelation relation, Positions from);

  /// Up to `max_records`, and about 16 MB; records == 0 when there is nothing new. kDataLoss names
  /// topic-partition@offset.
  Result<TopicStep> read(std::int64_t max_records) { return read_until({}, max_records); }
  /// As read(), but no partition beyond its offset in `until`; empty means no bound.
  Result<TopicStep> read_until(const Positions& until, std::int64_t max_records);

  /// Records between the positions and the end of the log, or its first open transaction.
  std::int64_t lag() const;
  const Positions& positions() const { return positions_; }
  const TopicRelation& relation() const { return relation_; }

 private:
  struct Columns;
  struct Sizes {
    std::int64_t key = 0, value = 0;
  };
  /// How far a step may fill: it ends with the record that reaches either.
  struct Share {
    std::int64_t records, bytes;
    bool has_room(const TopicStep& step) const {
      return step.records < records && step.bytes < bytes;
    }
  };
  /// Large records make short steps, so that what is under way takes the same memory.
  static constexpr std::int64_t kStepBytes = 16 << 20;
  Status read_partition(std::size_t index, Offset until, Share share, Columns& columns,
                        TopicStep& step);
  void take(const log::RecordView& record, std::size_t partition, Columns& columns,
            TopicStep& step);

  TopicRelation relation_;
  std::vector<std::shared_ptr<log::Partition>> partitions_;
  std::vector<log::ReadBuffer> buffers_;
  Positions positions_;
  std::size_t turn_ = 0;
  Sizes last_;  ///< of the step before
  std::string decompressed_;
  std::unique_ptr<engine::JsonChecker> json_;
};

}  // namespace tailrace::pipeline
