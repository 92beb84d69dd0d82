// The partition of partition.h on segments: append, group commit, read, retention, recovery.
//
// Locks, in this order: append_mutex_ (one appender, roller or remover at a time), then mutex_
// (what readers see; held
// shortly). The owner's calls are made without mutex_.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>

#include "log/partition.h"
#include "log/producers.h"
#include "log/segment.h"
#include "rt/clock.h"
#include "rt/file.h"

namespace tailrace::log {

/// What a partition tells the log it belongs to.
class PartitionOwner {
 public:
  virtual ~PartitionOwner() = default;
  /// Writes the checkpoint files from recovery_point() and log_start() of all partitions.
  virtual Status note_progress() = 0;
  /// Records of `bytes` can be read; called without locks.
  virtual void on_append(const Partition& partition, std::uint64_t bytes) = 0;
};

/// What open() knows of a partition before it looks at its files.
struct PartitionStart {
  std::string topic;
  PartitionId id;
  std::string folder;
  TopicSettings settings;
  Offset recovery_point;
  Offset log_start;
};

class PartitionLog final : public Partition {
 public:
  static Result<std::shared_ptr<PartitionLog>> open(const PartitionStart& start,
                                                    std::uint64_t checkpoint_interval_bytes,
                                                    rt::FileSystem& files, rt::Clock& clock,
                                                    PartitionOwner& owner);

  const std::string& topic() const override { return topic_; }
  PartitionId id() const override { return id_; }
  Result<AppendResult> append(std::span<const Record> records, const Producer& producer,
                              Durability durability) override;
  Result<AppendResult> append_batches(std::string_view encoded, Durability durability) override;
  Status sync() override;
  Status read(Offset offset, std::size_t max_bytes, ReadBuffer& buffer) override;
  Offset log_start() const override;
  Offset next_offset() const override;
  Offset high_watermark() const override { return next_offset(); }
  Offset durable_end() const override;
  std::uint64_t size_bytes() const override;
  Result<std::optional<TimedOffset>> offset_for_time(TimestampMs time) override;
  Result<std::optional<TimedOffset>> offset_of_max_timestamp() override;
  bool wait_for(Offset offset, std::chrono::milliseconds timeout) override;
  std::optional<std::int32_t> last_sequence(std::int64_t producer_id) const override;
  Status delete_records(Offset before) override;
  Status skip_to(Offset to) override;
  Result<int> apply_retention(Offset keep_from) override;
  Status checkpoint() override;
  RecoveryReport recovery() const override { return recovery_; }

  Offset recovery_point() const;
  void set_settings(const TopicSettings& settings);
  /// Wakes all waiters; later appends fail with kCancelled. Nothing is told to the owner any more.
  void close();

 private:
  PartitionLog(const PartitionStart& start, std::uint64_t checkpoint_interval_bytes,
               rt::FileSystem& files, rt::Clock& clock, PartitionOwner& owner);

  // Recovery (partition_recovery.cc).
  Status recover(Offset recovery_point);
  Status open_segments(const std::vector<Offset>& bases);
  Result<Offset> load_producers(const std::vector<Offset>& snapshots, Offset at_most);
  Status replay_sealed(Offset from);
  Status recover_active(Offset from, Offset recovery_point);
  Result<SegmentPlace> place_of(const Segment& segment, Offset offset) const;

  // Appending; append_mutex_ is held.
  Status check_writable() const;
  Result<AppendResult> append_locked(std::span<const Record> records, const Producer& producer);
  Status encode(std::span<const Record> records, const Producer& producer, std::int64_t position,
                Offset base);
  /// Completes a batch; moves sequence and offset on.
  Status finish_batch(Producer& producer, Offset& base);
  Status check_batch(const BatchView& batch) const;
  /// How many of the batch's first records are here or come earlier in this call.
  Result<std::int64_t> known_prefix(const BatchView& batch, const Producers& earlier) const;
  Status take_batch(const BatchView& batch, Producers& earlier, Offset& base, AppendResult& result);
  Status take_rest(const BatchView& batch, std::int64_t known, Offset& base);
  Status write_out();
  Status roll_if_needed();
  Status roll();
  Status write_snapshot(Offset at);
  Status checkpoint_locked();
  Status commit(Durability durability, std::unique_lock<std::mutex>& append_lock);
  Status sync_to(Offset end);

  // Reading.
  struct Found {
    std::shared_ptr<Segment> segment;
    std::shared_ptr<rt::ReadableFile> data;
    SegmentPlace place;
    std::uint64_t limit = 0;
  };
  Result<Found> find(Offset offset, const ReadBuffer& buffer) const;
  Result<bool> fill(const Found& found, Offset offset, std::size_t max_bytes, ReadBuffer& buffer);
  std::unexpected<Error> corrupt(Offset offset, const Segment& segment, std::uint64_t position,
                                 std::string_view why) const;
  Result<std::optional<TimedOffset>> search_time(Offset from, TimestampMs time);
  Result<int> drop_segments(std::size_t count);
  std::string name() const;

  const std::string topic_;
  const PartitionId id_;
  const std::string folder_;
  const std::uint64_t checkpoint_interval_bytes_;
  rt::FileSystem& files_;
  rt::Clock& clock_;
  PartitionOwner& owner_;
  RecoveryReport recovery_;

  mutable std::mutex append_mutex_;
  RecordBatchBuilder builder_;
  std::string write_buffer_;   // batches that came whole
  std::string_view to_write_;  // of builder_ or of write_buffer_
  std::uint64_t since_checkpoint_ = 0;
  TimestampMs segment_since_{0};

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  TopicSettings settings_;
  std::map<Offset, std::shared_ptr<Segment>> segments_;
  std::shared_ptr<Segment> active_;
  Producers producers_;
  Offset log_start_;
  Offset durable_end_;
  Offset recovery_point_;
  bool syncing_ = false;
  bool closed_ = false;
  std::optional<Error> failed_;  // a failed fdatasync: what is on disk is unknown until reopened
};

}  // namespace tailrace::log
