// The partitioned log: topics in one folder, in Kafka's own file formats.
//
//   FOLDER/<topic>.meta                       id and settings (topic.h)
//   FOLDER/<topic>-<partition>/<20-digit base offset>.log, .index, .timeindex, .txnindex
//   (segment.h),
//                                             .snapshot (producers.h), .cleaned, .swap (swap.h)
//   FOLDER/recovery-point-offset-checkpoint   how far each partition is durable and checked
//   FOLDER/log-start-offset-checkpoint        where delete_records moved the start to
//   FOLDER/cleaner-offset-checkpoint          how far compaction came
//   FOLDER/.lock                              one process at a time
//
// Order of calls: open, create or find topics, append and read, close (the destructor closes).
// Partitions live as long as
// the Log, or until their topic is deleted (shared_ptr keeps a deleted one usable for reading).
// Threads: all calls from any thread.
//
// After a crash open() checks the tail beyond the recovery point of every partition's last segment.
// A torn tail is cut off with
// one line in the log; a bad batch with good ones after it takes its partition offline: the others
// are served, and partition() says kDataLoss of it, naming topic-partition@offset,
// file and byte.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "log/compaction.h"
#include "log/partition.h"
#include "log/topic.h"
#include "rt/clock.h"
#include "rt/file.h"

namespace tailrace::log {

struct LogConfig {
  /// After so many appended bytes a partition notes a recovery point, which bounds the scan after a
  /// crash.
  std::uint64_t checkpoint_interval_bytes = 64 << 20;
  /// log.cleaner.dedupe.buffer.size: the most memory for the keys of a cleaning.
  std::uint64_t dedupe_buffer_bytes = 128 << 20;
  /// producer.id.expiration.ms: a producer that is silent for so long is forgotten by the next
  /// apply_retention().
  std::int64_t producer_id_expiration_ms = 24 * 3600'000;
  /// Topic ids come from this seed; 0 takes one from the system.
  std::uint64_t seed = 0;
};

class Log {
 public:
  /// kFailedPrecondition when another process holds the folder. Damaged files fail nothing but
  /// their own partition.
  static Result<std::unique_ptr<Log>> open(const std::string& folder, LogConfig config,
                                           rt::FileSystem& files = rt::posix_files(),
                                           rt::Clock& clock = rt::system_clock());
  virtual ~Log() = default;

  /// kAlreadyExists when there is one of that name; kInvalidArgument for a bad name or setting.
  virtual Status create_topic(std::string_view name, const TopicSettings& settings = {}) = 0;
  /// Creates it unless it is there (with whatever settings it has).
  virtual Status ensure_topic(std::string_view name, const TopicSettings& settings = {}) = 0;
  /// Changes settings; partitions may only grow.
  virtual Status alter_topic(std::string_view name, const TopicSettings& settings) = 0;
  virtual Status delete_topic(std::string_view name) = 0;
  /// Sorted by name.
  virtual std::vector<Topic> topics() const = 0;
  virtual std::optional<Topic> topic(std::string_view name) const = 0;
  virtual std::optional<Topic> topic(const TopicId& id) const = 0;
  /// Of topic(id), without its settings.
  virtual std::optional<std::string> topic_name(const TopicId& id) const = 0;

  /// kNotFound names the topic and partition, kDataLoss what is damaged of one that is offline.
  virtual Result<std::shared_ptr<Partition>> partition(std::string_view topic, PartitionId id) = 0;

  /// A number that grows with every append to any partition.
  virtual std::uint64_t appends() const = 0;
  /// Waits until appends() differs from `seen` (true), or until the timeout or close (false).
  virtual bool wait_for_append(std::uint64_t seen, std::chrono::milliseconds timeout) = 0;

  /// Told of every append as soon as its records can be read, on the appender's thread and without
  /// locks. One listener; an empty function ends it, and returns when no call is under way.
  using AppendListener = std::function<void(const Partition&, std::uint64_t bytes)>;
  virtual void listen(AppendListener listener) = 0;

  /// sync() of every partition.
  virtual Status sync() = 0;
  /// sync() of some, at once where that is cheaper (sync_choice.h): how it went for each.
  virtual std::vector<Status> sync(std::span<const std::shared_ptr<Partition>> partitions) = 0;
  /// Retention on every partition; the number of segments removed. Call it now and then. What lies
  /// at or after `keep_from(partition)` stays whatever the settings say: someone has yet to read
  /// it.
  using KeepFrom = std::function<Offset(const Partition&)>;
  virtual Result<int> apply_retention(const KeepFrom& keep_from = {}) = 0;
  /// Cleans the dirtiest partition that is due (cleanup.policy=compact), in one round; nothing when
  /// none is. Long, and beside everything else: a background thread of the owner calls it until
  /// there is nothing, then again a while later. After an Error, which names the partition, that
  /// one is not due for a minute.
  virtual Result<std::optional<CleanReport>> clean() = 0;
  /// Syncs, notes recovery points, wakes all waiters; later appends fail with kCancelled.
  virtual Status close() = 0;

  /// What the partitions of deleted topics had, so that sums over all never go back.
  const Traffic& retired() const { return retired_; }

 protected:
  Traffic retired_;
};

}  // namespace tailrace::log
