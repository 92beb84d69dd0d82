// RocksDB as the header promises: memory is flushed at checkpoints and at no other time.
//
// Every write carries the next step number and every checkpoint repeats the step number it holds;
// at open they must be equal, or something flushed in between. Flushes are watched by their
// sequence numbers (FlushJobInfo::largest_seqno).
#include "kv/store.h"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <mutex>

#include "base/check.h"
#include "kv/folder_owner.h"
#include "kv/hash_memtable.h"
#include "kv/measured.h"
#include "kv/open_to_read.h"
#include "kv/patient_files.h"
#include "kv/rocks.h"
#include "rt/direct_io.h"

namespace tailrace::kv {
namespace {

constexpr std::string_view kReserved = "\xFF\xFF";
constexpr std::string_view kStepKey = "\xFF\xFFstep";
constexpr std::string_view kCheckpointKey =
    "\xFF\xFF"
    "checkpoint";
/// What a key costs in memory besides its bytes.
constexpr std::size_t kEntryOverheadBytes = 48;

}  // namespace

WriteBatch::WriteBatch() : impl_(std::make_unique<Impl>()) {}
WriteBatch::~WriteBatch() = default;
WriteBatch::WriteBatch(WriteBatch&&) noexcept = default;
WriteBatch& WriteBatch::operator=(WriteBatch&&) noexcept = default;
void WriteBatch::put(std::string_view key, std::string_view value) {
  DCHECK(key < kReserved);
  impl_->batch.Put(slice(key), slice(value));
}
void WriteBatch::merge(std::string_view key, std::string_view operand) {
  DCHECK(key < kReserved);
  impl_->batch.Merge(slice(key), slice(operand));
}
void WriteBatch::erase(std::string_view key) {
  impl_->batch.Delete(slice(key));
}
void WriteBatch::erase_range(std::string_view begin, std::string_view end) {
  impl_->batch.DeleteRange(slice(begin), slice(end.empty() ? kReserved : end));
}
std::size_t WriteBatch::size_bytes() const {
  return impl_->batch.GetDataSize();
}
bool WriteBatch::empty() const {
  return impl_->batch.Count() == 0;
}
void WriteBatch::clear() {
  impl_->batch.Clear();
}

void WriteBatch::visit(Visitor& visitor) const {
  struct Handler final : rocksdb::WriteBatch::Handler {
    explicit Handler(Visitor& v) : visitor(v) {}
    rocksdb::Status PutCF(std::uint32_t, const rocksdb::Slice& key,
                          const rocksdb::Slice& value) override {
      visitor.put(key.ToStringView(), value.ToStringView());
      return {};
    }
    rocksdb::Status DeleteCF(std::uint32_t, const rocksdb::Slice& key) override {
      visitor.erase(key.ToStringView());
      return {};
    }
    rocksdb::Status DeleteRangeCF(std::uint32_t, const rocksdb::Slice& begin,
                                  const rocksdb::Slice& end) override {
      visitor.erase_range(begin.ToStringView(), end.ToStringView());
      return {};
    }
    Visitor& visitor;
  } handler(visitor);
  CHECK(impl_->batch.Iterate(&handler).ok());
}

std::string prefix_end(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xFF') end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(end.back() + 1);
  return end;
}

void BulkWriter::put(std::string_view key, std::string_view value) {
  batch_.put(key, value);
  if (batch_.size_bytes() > kBatchBytes) write();
}

void BulkWriter::erase(std::string_view key) {
  batch_.erase(key);
  if (batch_.size_bytes() > kBatchBytes) write();
}

void BulkWriter::write() {
  if (failed_ && !batch_.empty()) failed_ = store_.write(batch_);
  batch_.clear();
}

Status BulkWriter::finish() {
  write();
  return std::exchange(failed_, Status{});
}

Status Store::checkpoint() {
  TRY(begin_checkpoint());
  return finish_checkpoint();
}

/// Hears of finished flushes and of errors in RocksDB's threads.
class FlushListener : public rocksdb::EventListener {
 public:
  /// A flush begins when none is held.
  void OnFlushBegin(rocksdb::DB*, const rocksdb::FlushJobInfo&) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !held_; });
  }
  void hold(bool held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  bool held() {
    const std::lock_guard lock(mutex_);
    return held_;
  }

  void OnFlushCompleted(rocksdb::DB*, const rocksdb::FlushJobInfo& info) override {
    const std::lock_guard lock(mutex_);
    const rocksdb::TableProperties& table = info.table_properties;
    flushed_bytes_ = table.data_size + table.index_size + table.filter_size;
    flushed_ = std::max<std::uint64_t>(flushed_, info.largest_seqno);
    changed_.notify_all();
  }
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
    const std::lock_guard lock(mutex_);
    failure_ = *status;
    changed_.notify_all();
  }
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                            bool* recover) override {
    *recover = false;  // recovery flushes, wherever the writer is
  }

  bool reached(std::uint64_t sequence) {
    const std::lock_guard lock(mutex_);
    return flushed_ >= sequence || !failure_.ok();
  }
  /// Of the file that was flushed last.
  std::uint64_t flushed_bytes() {
    const std::lock_guard lock(mutex_);
    return flushed_bytes_;
  }
  /// Waits for the flush of `sequence`, an error, or a full disk.
  Status wait(std::uint64_t sequence, const rt::RoomWatch& room) {
    std::unique_lock lock(mutex_);
    while (flushed_ < sequence) {
      if (!failure_.ok()) return rocks_error(failure_);
      if (room.waiting()) {
        return error(Code::kResourceExhausted,
                     "disk full: the checkpoint waits and goes on by itself when there is room");
      }
      changed_.wait_for(lock, std::chrono::milliseconds(50));
    }
    return {};
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t flushed_ = 0;
  std::uint64_t flushed_bytes_ = 0;
  bool held_ = false;
  rocksdb::Status failure_;
};

class RocksStore : public Store {
 public:
  /// Without an owner it can only be opened to read.
  RocksStore(std::string folder, Options options, std::optional<FolderOwner> owner)
      : folder_(std::move(folder)), options_(options), owner_(std::move(owner)) {}
  ~RocksStore() override {
    room_->close();
    // A held flush must not reach the disk: it finds no file to write.
    *refuses_files_ = listener_->held();
    log_->be_quiet();
    listener_->hold(false);
    measured_.hide();
    db_.reset();
  }

  Status open();
  Status open_to_read();
  Result<std::optional<std::string>> get(std::string_view key) const override;
  Result<std::vector<std::optional<std::string>>> get_many(
      std::span<const std::string_view> keys) const override;
  Status scan(std::string_view begin, std::string_view end,
              const std::function<bool(std::string_view, std::string_view)>& visit) const override;
  Status scan_back(
      std::string_view begin, std::string_view end,
      const std::function<bool(std::string_view, std::string_view)>& visit) const override;
  Status write(WriteBatch& batch) override;
  bool needs_checkpoint() const override { return memory_bytes_ > options_.write_buffer_bytes; }
  Status begin_checkpoint() override { return begin(false); }
  Status begin_held_checkpoint() override { return begin(true); }
  void release_checkpoint() override { listener_->hold(false); }
  Status finish_checkpoint() override { return listener_->wait(begun_sequence_, *room_); }
  std::uint64_t checkpoint_bytes() const override { return listener_->flushed_bytes(); }
  bool checkpoint_done() const override { return listener_->reached(begun_sequence_); }

 private:
  Status begin(bool held);
  rocksdb::Options rocks_options();
  rocksdb::BlockBasedTableOptions table_options() const;
  Status check_at_checkpoint();
  Result<std::uint64_t> number(std::string_view key) const;

  std::string folder_;
  Options options_;
  std::optional<FolderOwner> owner_;
  std::shared_ptr<rt::RoomWatch> room_ = std::make_shared<rt::RoomWatch>();
  std::shared_ptr<RocksLog> log_ = std::make_shared<RocksLog>("state");
  std::shared_ptr<FlushListener> listener_ = std::make_shared<FlushListener>();
  std::shared_ptr<std::atomic<bool>> refuses_files_ = std::make_shared<std::atomic<bool>>(false);
  Measured measured_{"state"};
  std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<rocksdb::DB> db_;
  std::uint64_t step_ = 0;
  std::uint64_t checkpoint_step_ = 0;
  std::uint64_t begun_sequence_ = 0;
  std::atomic<std::size_t> memory_bytes_ = 0;
};

rocksdb::BlockBasedTableOptions RocksStore::table_options() const {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(options_.block_cache_bytes);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.block_size = 8 << 10;
  table.format_version = 5;
  // Index and filters in parts and in the cache, so that memory stays within it however large the
  // store grows.
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  return table;
}

rocksdb::Options RocksStore::rocks_options() {
  rocksdb::Options rocks;
  rocks.create_if_missing = true;
  rocks.env = env_.get();
  rocks.listeners = {listener_};
  // Never flush by itself: a buffer that is never full, no log that could grow, no flush at the
  // end, no auto resume.
  rocks.write_buffer_size = std::size_t{32} << 30;
  rocks.arena_block_size = 1 << 20;
  rocks.max_write_buffer_number = 4;
  rocks.avoid_flush_during_shutdown = true;
  rocks.max_bgerror_resume_count = 0;
  rocks.memtable_factory = hash_memtable();
  rocks.allow_concurrent_memtable_write = false;
  rocks.max_background_jobs = 2;
  // Each record is rewritten about once while ten times as many come, not at every level.
  rocks.compaction_style = rocksdb::kCompactionStyleUniversal;
  rocks.level0_file_num_compaction_trigger = 12;
  rocks.level0_slowdown_writes_trigger = 40;
  rocks.level0_stop_writes_trigger = 64;
  rocks.target_file_size_base = 64 << 20;
  // Only the oldest run is compressed: a younger one is soon read and written again.
  rocks.compression_per_level.assign(static_cast<std::size_t>(rocks.num_levels),
                                     rocksdb::kNoCompression);
  rocks.compression_per_level.back() = rocksdb::kLZ4Compression;
  rocks.bytes_per_sync = 1 << 20;
  rocks.use_direct_io_for_flush_and_compaction = rt::takes_direct_io(folder_);
  rocks.max_open_files = 1000;
  rocks.stats_dump_period_sec = 0;
  rocks.stats_persist_period_sec = 0;
  rocks.info_log = log_;
  rocks.statistics = measured_.ticks();
  rocks.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options()));
  return rocks;
}

Status RocksStore::open() {
  env_ = rocksdb::NewCompositeEnv(patient_files(room_, refuses_files_));
  rocksdb::DB* db = nullptr;
  if (auto status = rocksdb::DB::Open(rocks_options(), folder_, &db); !status.ok()) {
    return rocks_error(status);
  }
  db_.reset(db);
  measured_.show(*db_);
  room_->arm();
  return check_at_checkpoint();
}

Status RocksStore::open_to_read() {
  rocksdb::Options rocks;
  rocks.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options()));
  rocks.max_open_files = 1000;
  rocksdb::DB* db = nullptr;
  if (auto status = rocksdb::DB::OpenForReadOnly(rocks, folder_, &db); !status.ok())
    return rocks_error(status);
  db_.reset(db);
  return check_at_checkpoint();
}

Result<std::uint64_t> RocksStore::number(std::string_view key) const {
  ASSIGN(const std::optional<std::string> text, get(key));
  std::uint64_t value = 0;
  if (!text) return value;
  if (text->size() != sizeof value) return error(Code::kDataLoss, "a step number is damaged");
  std::memcpy(&value, text->data(), sizeof value);
  return value;
}

Status RocksStore::check_at_checkpoint() {
  ASSIGN(step_, number(kStepKey));
  ASSIGN(checkpoint_step_, number(kCheckpointKey));
  if (step_ == checkpoint_step_) return {};
  return error(Code::kDataLoss,
               fmt::format("the store is at step {} but its last checkpoint is of step {}; it was "
                           "written by another "
                           "program or damaged",
                           step_, checkpoint_step_));
}

Result<std::optional<std::string>> RocksStore::get(std::string_view key) const {
  std::string value;
  const auto status = db_->Get(rocksdb::ReadOptions(), slice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return rocks_error(status);
  return value;
}

Result<std::vector<std::optional<std::string>>> RocksStore::get_many(
    std::span<const std::string_view> keys) const {
  constexpr std::size_t kAtOnce = 512;  // pinned blocks are held meanwhile
  std::vector<std::optional<std::string>> found(keys.size());
  std::vector<rocksdb::Slice> slices(kAtOnce);
  std::vector<rocksdb::PinnableSlice> values(kAtOnce);
  std::vector<rocksdb::Status> statuses(kAtOnce);
  for (std::size_t first = 0; first < keys.size(); first += kAtOnce) {
    const std::span<const std::string_view> some =
        keys.subspan(first, std::min(kAtOnce, keys.size() - first));
    for (std::size_t i = 0; i < some.size(); ++i) slices[i] = slice(some[i]);
    db_->MultiGet(rocksdb::ReadOptions(), db_->DefaultColumnFamily(), some.size(), slices.data(),
                  values.data(), statuses.data(), std::is_sorted(some.begin(), some.end()));
    for (std::size_t i = 0; i < some.size(); ++i) {
      if (statuses[i].ok()) {
        found[first + i].emplace(view(values[i]));
      } else if (!statuses[i].IsNotFound()) {
        return rocks_error(statuses[i]);
      }
      values[i].Reset();
    }
  }
  return found;
}

Status RocksStore::scan(
    std::string_view begin, std::string_view end,
    const std::function<bool(std::string_view, std::string_view)>& visit) const {
  const rocksdb::Slice upper = slice(end.empty() ? kReserved : end);
  rocksdb::ReadOptions read;
  read.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(read));
  for (at->Seek(slice(begin)); at->Valid(); at->Next()) {
    if (!visit(view(at->key()), view(at->value()))) return {};
  }
  if (!at->status().ok()) return rocks_error(at->status());
  return {};
}

Status RocksStore::scan_back(
    std::string_view begin, std::string_view end,
    const std::function<bool(std::string_view, std::string_view)>& visit) const {
  const rocksdb::Slice lower = slice(begin);
  const rocksdb::Slice upper = slice(end.empty() ? kReserved : end);
  rocksdb::ReadOptions read;
  read.iterate_lower_bound = &lower;
  read.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(read));
  for (at->SeekToLast(); at->Valid(); at->Prev()) {
    if (!visit(view(at->key()), view(at->value()))) return {};
  }
  if (!at->status().ok()) return rocks_error(at->status());
  return {};
}

Status RocksStore::write(WriteBatch& batch) {
  if (!owner_) return error(Code::kFailedPrecondition, folder_ + " is open to read only");
  if (memory_bytes_ > 4 * options_.write_buffer_bytes && room_->waiting()) {
    return error(Code::kResourceExhausted,
                 "disk full, and memory for writes is used up: make room on " + folder_);
  }
  rocksdb::WriteBatch& rocks = batch.impl_->batch;
  const std::uint64_t step = step_ + 1;
  rocks.SetSavePoint();
  rocks.Put(slice(kStepKey), {reinterpret_cast<const char*>(&step), sizeof step});
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  const auto status = db_->Write(options, &rocks);
  rocks.RollbackToSavePoint();
  if (!status.ok()) return rocks_error(status);
  step_ = step;
  memory_bytes_ +=
      rocks.GetDataSize() + static_cast<std::size_t>(rocks.Count() + 1) * kEntryOverheadBytes;
  return {};
}

Status RocksStore::begin(bool held) {
  TRY(finish_checkpoint());
  if (step_ == checkpoint_step_) return {};  // also when it is open to read
  listener_->hold(held);
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  const rocksdb::Slice step(reinterpret_cast<const char*>(&step_), sizeof step_);
  if (auto status = db_->Put(options, slice(kCheckpointKey), step); !status.ok())
    return rocks_error(status);
  const std::uint64_t sequence = db_->GetLatestSequenceNumber();
  rocksdb::FlushOptions flush;
  flush.wait = false;
  flush.allow_write_stall = true;
  if (auto status = db_->Flush(flush); !status.ok()) return rocks_error(status);
  begun_sequence_ = sequence;
  checkpoint_step_ = step_;
  memory_bytes_ = 0;
  return {};
}

Result<std::unique_ptr<Store>> Store::open(const std::string& folder, Options options) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return error(Code::kUnavailable, fmt::format("{}: {}", folder, failed.message()));
  ASSIGN(FolderOwner owner, FolderOwner::take(folder));
  auto store = std::make_unique<RocksStore>(folder, options, std::move(owner));
  if (auto status = store->open(); !status) return std::unexpected(status.error().in(folder));
  return store;
}

Result<std::unique_ptr<Store>> open_to_read(const std::string& folder, Options options) {
  if (!std::filesystem::exists(folder + "/CURRENT"))
    return error(Code::kNotFound, folder + ": there is no store");
  auto store = std::make_unique<RocksStore>(folder, options, std::nullopt);
  if (auto status = store->open_to_read(); !status)
    return std::unexpected(status.error().in(folder));
  return store;
}

}  // namespace tailrace::kv
