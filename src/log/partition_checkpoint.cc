// Checkpoints: what the next start need not scan. One partition's files by themselves, or the steps
// of many partitions' together, between which the disk is asked once to take all that they wrote.
//
// A crash between the steps leaves a snapshot above the recovery point, whole or torn, which nobody
// trusts: the recovery point moves only when all of it is durable.
#include "log/partition_log.h"

namespace tailrace::log {
namespace {

/// What the next start may read again rather than that files are made for it now.
constexpr std::uint64_t kLittleBytes = 16 << 10;

}  // namespace

std::string PartitionLog::snapshot_path(Offset at) const {
  return folder_ + "/" + offset_name(at) + ".snapshot";
}

Status PartitionLog::write_snapshot(Offset at) {
  return rt::write_atomically(files_, snapshot_path(at), producers_.encode_snapshot());
}

Status PartitionLog::checkpoint() {
  const std::unique_lock append_lock(append_mutex_);
  return checkpoint_locked();
}

Status PartitionLog::checkpoint_locked() {
  const Offset end = active_->next();
  if (end == recovery_point()) return {};
  TRY(sync_to(end));
  {
    const std::unique_lock lock(mutex_);
    TRY(active_->sync_indexes());
  }
  TRY(write_snapshot(end));
  const Offset before = move_recovery_point(end);
  TRY(owner_.note_progress());
  return drop_snapshot(before);
}

Offset PartitionLog::move_recovery_point(Offset to) {
  const std::unique_lock lock(mutex_);
  since_checkpoint_ = 0;
  return std::exchange(recovery_point_, to);
}

/// That of the checkpoint before; those at the start of a segment stay.
Status PartitionLog::drop_snapshot(Offset at) {
  if (at == recovery_point() || segments_.contains(at)) return {};
  return files_.remove(snapshot_path(at));
}

Result<bool> PartitionLog::write_checkpoint() {
  const std::unique_lock append_lock(append_mutex_);
  const Offset end = active_->next();
  {
    const std::unique_lock lock(mutex_);
    if (failed_) return std::unexpected(*failed_);
    // Counted from the last snapshot: a start that reads it does not make one.
    if (recovery_.scanned_bytes + since_checkpoint_ < kLittleBytes) return false;
    active_->write_out_indexes();
  }
  // Rolling wrote it, durably, and it may be what a start after a crash needs.
  if (end == active_->base() && active_->base() != segments_.begin()->first) return true;
  TRY(files_.remove(snapshot_path(end)));
  ASSIGN(const auto file, files_.open_writable(snapshot_path(end)));
  TRY(file->append(producers_.encode_snapshot()));
  TRY(file->close());
  return true;
}

Offset PartitionLog::checkpoint_written() {
  const std::unique_lock append_lock(append_mutex_);
  const Offset end = active_->next();
  static_cast<void>(note_synced(end, {}));
  return move_recovery_point(end);
}

}  // namespace tailrace::log
