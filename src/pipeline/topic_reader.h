// Reads a topic's partitions from kept positions into deltas of the topic's relation, and takes out
// what cannot be decoded.
//
// Records of a transaction are read when it has committed (read_committed), aborted ones never.
// Where the topic's format has a schema, values are columns (value_reader.h).
//
// A step holds at most `max_records`, from all partitions in turn. The same positions give the same
// records in the same order, whatever the steps. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "columns/types.h"
#include "engine/circuit.h"
#include "engine/functions/json_check.h"
#include "log/log.h"
#include "pipeline/dead_letters.h"
#include "pipeline/graph.h"
#include "pipeline/value_reader.h"
#include "subjects/record_rules.h"
#include "telemetry/span.h"

namespace tailrace::pipeline {

/// The next offset to read of each partition.
using Positions = std::vector<Offset>;

/// Where tracing is on: how a topic was read.
struct ReadTrace {
  std::int64_t begun_ns = 0, ended_ns = 0;
  telemetry::Origins sent_in;  ///< of the records' headers
};

/// What one step takes from a topic.
struct TopicStep {
  Delta delta;                       ///< rows of the relation's schema(), all +1
  std::vector<DeadLetter> rejected;  ///< records that are not of the topic's format
  Positions next;                    ///< positions after this step
  std::int64_t records = 0;          ///< read, rejected ones included
  std::int64_t bytes = 0;
  /// Timestamp of the oldest record of the step, one that `waits` among them; 0: there is none.
  std::int64_t oldest_ms = 0;
  /// To be taken up before the next record can be read.
  std::optional<subjects::RegisteredSchema> next_schema = {};
  std::string waits = {};  ///< why the next record cannot be read now; empty when it can
  /// By TopicRelation::expectations, set by who holds the rows to them.
  std::vector<engine::ExpectationCount> expectations = {};
  std::optional<DeadLetter> broken = {};  ///< of `rejected`, the first that broke a FAIL UPDATE
  std::shared_ptr<ReadTrace> trace = {};  ///< null: tracing is off
};

class TopicReader {
 public:
  /// `values` for a relation that has a type.
  static Result<TopicReader> open(log::Log& log, TopicRelation relation, Positions from,
                                  std::optional<ValueReading> values = {});

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
    bool has_room(const TopicStep& step, std::size_t gathered = 0) const {
      return step.records + static_cast<std::int64_t>(gathered) < records && step.bytes < bytes &&
             step.waits.empty() && !step.next_schema;
    }
  };
  /// Large records make short steps, so that what is under way takes the same memory.
  static constexpr std::int64_t kStepBytes = 16 << 20;
  Status read_partition(std::size_t index, Offset until, Share share, Columns& columns,
                        TopicStep& step);
  void take(const log::RecordView& record, std::size_t partition, Columns& columns,
            TopicStep& step);
  /// Reads the values of the records gathered from one log batch; `position` is where it stopped.
  Status take_gathered(std::size_t partition, Columns& columns, TopicStep& step, Offset& position);
  static void note_age(const log::RecordView& record, TopicStep& step);
  void note(const log::RecordView& record, TopicStep& step) const;
  /// Takes out the rows that break a rule of the schema's.
  Status hold_to_rules(TopicStep& step);
  DeadLetter reject(const log::RecordView& record, std::size_t partition, std::string detail) const;

  TopicRelation relation_;
  std::vector<std::shared_ptr<log::Partition>> partitions_;
  std::vector<log::ReadBuffer> buffers_;
  Positions positions_;
  std::size_t turn_ = 0;
  Sizes last_;  ///< of the step before
  std::string decompressed_;
  std::unique_ptr<engine::JsonChecker> json_;
  std::optional<ValueReader> values_;
  subjects::RecordRules rules_;  ///< of the reader's schema
  log::Log* log_ = nullptr;
  // What take_gathered() works on.
  std::vector<log::RecordView> gathered_;
  std::vector<std::optional<std::string_view>> gathered_values_;
  std::vector<std::optional<std::string_view>> gathered_headers_;  ///< none: empty
  std::vector<ValueReader::Bad> bad_;
};

}  // namespace tailrace::pipeline
