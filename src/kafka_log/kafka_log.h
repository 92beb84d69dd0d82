// The log on a Kafka that is somewhere else: log::Log and log::Partition over librdkafka.
//
// What differs from the log on files:
// - Appends are committed in transactions every few milliseconds (writer.h); until then nobody sees
//   them. Partition::sync() waits for the commit; Durability::kSync too.
// - Reads are read_committed and run ahead (stream.h). A small read (a record by its offset) goes
//   beside the stream. Offsets have gaps: what is in them can be read by nobody.
// - Everything that can be read is durable: Log::sync() has nothing to do, durable_end() is
//   high_watermark(), checkpoint() is sync().
// - Retention and compaction are Kafka's own: apply_retention() does nothing, whatever is still to
//   be read. Offsets that were lost cannot be skipped: skip_to() is kDataLoss.
// - A record given without a producer id may be doubled when a broker fails; with one never.
// - size_bytes() is 0: Kafka's clients are not told.
//
// Order of calls: open, topics, begin_writing, append and read, interrupt, close. Threads: all.
#pragma once

#include <memory>
#include <string>

#include "kafka_log/config.h"
#include "log/log.h"

namespace tailrace::kafka_log {

class KafkaLog : public log::Log {
 public:
  /// kUnavailable when no broker answers in config.start_patience, kPermissionDenied when it lets
  /// us not in, kInvalidArgument for settings.
  static Result<std::unique_ptr<KafkaLog>> open(KafkaLogConfig config);

  /// Shuts out an earlier writer of the same id and learns how far it came. Call it when the topics
  /// are there.
  virtual Status begin_writing() = 0;
  /// Where what is committed ends now, asked of Kafka: what a partition says itself is news of its
  /// last fetch, and has what others have not committed yet.
  virtual Result<Offset> committed_end(std::string_view topic, PartitionId id) = 0;
  /// Reads give what is there and wait no longer, so that who reads can end.
  virtual void interrupt() = 0;
  /// "kafka://… is not reachable: …"; empty while all is well.
  virtual std::string failing() const = 0;
};

}  // namespace tailrace::kafka_log
