// The partition of partition.h on segments: append, group commit, read, retention, recovery.
//
// Locks, in this order: clean_mutex_ (one cleaning at a time), append_mutex_ (one appender, roller
// or remover at a time), then mutex_ (what readers see; held shortly). The owner's calls are made
// without mutex_.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <span>

#include "log/arrival.h"
#include "log/compaction.h"
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
  /// Writes the checkpoint files from recovery_point(), log_start() and cleaned_to() of all
  /// partitions.
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
  Offset cleaned_to;
};

class CleaningRound;

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
  Result<AppendResult> append_batches(std::string_view encoded, Durability durability,
                                      std::optional<std::uint64_t> verified) override;
  Result<Offset> end_transaction(const EndMarker& marker, Durability durability) override;
  Status sync() override;
  Status read(Offset offset, std::size_t max_bytes, ReadBuffer& buffer, Offset upto) override;
  Offset log_start() const override;
  Offset next_offset() const override;
  Offset high_watermark() const override { return next_offset(); }
  Offset last_stable_offset() const override;
  Offset durable_end() const override;
  Result<std::vector<AbortedTransaction>> aborted_transactions(Offset from, Offset upto) override;
  std::uint64_t size_bytes() const override;
  Result<std::optional<TimedOffset>> offset_for_time(TimestampMs time) override;
  Result<std::optional<TimedOffset>> offset_of_max_timestamp() override;
  bool wait_for(Offset offset, std::chrono::milliseconds timeout) override;
  std::optional<std::int32_t> last_sequence(std::int64_t producer_id) const override;
  std::vector<ProducerState> active_producers() const override;
  std::vector<ProducerState> open_transactions(TimestampMs before) const override;
  bool in_transaction(std::int64_t producer_id, std::int16_t epoch) const override;
  std::uint64_t end_markers(std::int64_t producer_id) const override;
  std::size_t expire_producers(TimestampMs before) override;
  Status delete_records(Offset before) override;
  Status skip_to(Offset to) override;
  Result<int> apply_retention(Offset keep_from) override;
  Status checkpoint() override;
  RecoveryReport recovery() const override { return recovery_; }

  Offset recovery_point() const;
  /// A checkpoint in steps (partition_checkpoint.cc), when nobody appends any more: writes what it
  /// needs; false when it needs no file. Once that and the records are durable …
  Result<bool> write_checkpoint();
  /// … its end is the recovery point; what was before. Once that is noted …
  Offset checkpoint_written();
  /// … the snapshot of the one before goes, if there is a new one.
  Status drop_snapshot(Offset at);
  /// Somebody else made durable what lies below `covered`, or failed to.
  Status note_synced(Offset covered, const Status& synced);
  Offset cleaned_to() const;
  /// What a cleaning would do now (partition_clean.cc).
  CleanPlan plan_clean() const;
  /// One round of compaction. kCancelled when the partition is closed or retention comes between;
  /// after another Error the partition is not due again for a minute.
  Result<CleanReport> clean(const CleanPlan& plan, std::uint64_t dedupe_bytes);
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
  Status repair_aborted(const std::vector<Offset>& snapshots);
  Status replay_sealed(Offset from);
  Status replay_segment(const Segment& segment, Offset from, std::vector<AbortedTransaction>& seen);
  Status recover_active(Offset from, Offset recovery_point);
  void replay(const BatchView& batch, std::vector<AbortedTransaction>& seen);
  Gaps gaps() const;
  Result<SegmentPlace> place_of(const Segment& segment, Offset offset) const;

  // Appending; append_mutex_ is held.
  Status check_writable() const;
  Result<AppendResult> append_locked(std::span<const Record> records, const Producer& producer);
  Status encode(std::span<const Record> records, const Producer& producer, std::int64_t position,
                Offset base);
  /// Completes a batch; moves sequence and offset on.
  Status finish_batch(Producer& producer, Offset& base);
  Status check_verified(const BatchView& batch, std::uint64_t verified) const;
  Status check_batch(const BatchView& batch) const;
  Status check_size(std::size_t batch_bytes) const;
  /// How many of the batch's first records are here or come earlier in this call.
  Result<std::int64_t> known_prefix(const BatchView& batch, const Producers& earlier) const;
  Status take_batch(const BatchView& batch, Producers& earlier, Offset& base, AppendResult& result);
  Status take_rest(const BatchView& batch, std::int64_t known, Offset& base);
  Status check_keys(const BatchView& batch) const;
  /// Writes to_write_, rolling before it where due; `marker` is what it holds, if it is one.
  Status write_out(const EndMarker* marker = nullptr);
  std::int64_t longest_active_ms() const;
  Status roll_if_needed();
  Status roll();
  std::string snapshot_path(Offset at) const;
  Status write_snapshot(Offset at);
  Status checkpoint_locked();
  Offset move_recovery_point(Offset to);
  Status commit(Durability durability, std::unique_lock<std::mutex>& append_lock);
  Status sync_to(Offset end);
  Status synced_locked(Offset covered, const Status& synced);  // mutex_ is held

  // Cleaning; clean_mutex_ is held.
  Result<CleanReport> clean_locked(const CleanPlan& plan, std::uint64_t dedupe_bytes);
  Status allow_gaps(Offset from);
  Status clean_group(std::span<const std::shared_ptr<Segment>> group, CleaningRound& round);
  Status exchange(std::span<const std::shared_ptr<Segment>> group, const Segment& cleaned);
  Status open_cleaned(Offset base, Offset next, bool has_aborted, std::shared_ptr<Segment>& fresh);

  // Reading.
  struct Found {
    std::shared_ptr<Segment> segment;
    std::shared_ptr<rt::ReadableFile> data;
    SegmentPlace place;
    std::uint64_t limit = 0;
    Gaps gaps = Gaps::kRefused;
  };
  Result<Found> find(Offset offset, const ReadBuffer& buffer) const;
  Result<bool> fill(const Found& found, Offset offset, std::size_t max_bytes, Offset upto,
                    ReadBuffer& buffer);
  Offset stable_offset_locked() const;
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

  std::mutex clean_mutex_;
  std::atomic<bool> stop_cleaning_ = false;
  mutable std::mutex append_mutex_;
  RecordBatchBuilder builder_;
  std::string write_buffer_;   // batches that came whole
  std::string_view to_write_;  // of builder_ or of write_buffer_
  std::uint64_t since_checkpoint_ = 0;
  TimestampMs segment_since_{0};

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  TopicSettings settings_;
  CompactionSettings compaction_;  // of settings_
  std::int64_t jitter_ms_;         // segment.jitter.ms, of settings_
  ArrivalSettings arrival_;        // of settings_
  std::map<Offset, std::shared_ptr<Segment>> segments_;
  std::shared_ptr<Segment> active_;
  Producers producers_;
  Offset log_start_;
  Offset durable_end_;
  Offset recovery_point_;
  Offset cleaned_to_;  // every record below it was compared with what the log had then
  TimestampMs retry_cleaning_at_{INT64_MIN};
  bool syncing_ = false;
  bool closed_ = false;
  std::optional<Error> failed_;  // a failed fdatasync: what is on disk is unknown until reopened
};

}  // namespace tailrace::log
