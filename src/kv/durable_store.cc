// RocksDB without its own log. Each batch carries its record's number in our log under one key, so
// that what a flush has made durable says by itself which records are still to be replayed.
#include "kv/durable_store.h"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/compaction_filter.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/merge_operator.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "kv/commit_log.h"
#include "kv/folder_owner.h"
#include "kv/measured.h"
#include "kv/ordered_memtable.h"
#include "kv/patient_files.h"
#include "kv/rocks.h"

namespace tailrace::kv {
namespace {

constexpr std::string_view kPositionKey = "\xFF\xFFposition";
/// The end of the owner's keys.
constexpr std::string_view kReserved = "\xFF\xFF";
/// Readers may be this much behind the clock.
constexpr std::int64_t kSlackSeconds = 10;
/// More than this replayed at a start is flushed, so that the next start is quick.
constexpr std::size_t kMostReplayed = 8 << 20;
/// With more flushed and not yet merged than the first, writes are slowed down; with the second,
/// they wait.
constexpr int kQuickRuns = 24, kMostRuns = 64;

/// Since when readers have their moments.
class Moments {
 public:
  using Held = std::multiset<std::int64_t>::iterator;
  Held add(std::int64_t seconds) {
    const std::lock_guard lock(mutex_);
    return since_.insert(seconds);
  }
  void remove(Held held) {
    const std::lock_guard lock(mutex_);
    since_.erase(held);
  }
  std::int64_t oldest(std::int64_t now) const {
    const std::lock_guard lock(mutex_);
    return since_.empty() ? now : std::min(now, *since_.begin());
  }

 private:
  mutable std::mutex mutex_;
  std::multiset<std::int64_t> since_;
};

/// From when on writes may be in memory only.
class Unflushed {
 public:
  explicit Unflushed(std::int64_t now) : flushing_since_(now), since_(now) {}
  /// A flush ended: what is in memory came after the flush before it ended.
  void flushed(std::int64_t now) {
    const std::lock_guard lock(mutex_);
    flushing_since_ = std::exchange(since_, now);
  }
  std::int64_t since() const {
    const std::lock_guard lock(mutex_);
    return flushing_since_;
  }

 private:
  mutable std::mutex mutex_;
  std::int64_t flushing_since_, since_;
};

class Merge final : public rocksdb::MergeOperator {
 public:
  explicit Merge(std::shared_ptr<const MergeRules> rules) : rules_(std::move(rules)) {}
  const char* Name() const override { return "Tailrace"; }

  bool FullMergeV2(const MergeOperationInput& in, MergeOperationOutput* out) const override {
    if (!in.existing_value && in.operand_list.size() == 1) {
      out->existing_operand = in.operand_list.front();
      return true;
    }
    std::vector<std::string_view> records;
    records.reserve(in.operand_list.size() + 1);
    if (in.existing_value) records.push_back(view(*in.existing_value));
    for (const rocksdb::Slice& operand : in.operand_list) records.push_back(view(operand));
    return rules_->fold(view(in.key), records, out->new_value);
  }
  bool PartialMergeMulti(const rocksdb::Slice& key, const std::deque<rocksdb::Slice>& operands,
                         std::string* merged, rocksdb::Logger*) const override {
    std::vector<std::string_view> records;
    records.reserve(operands.size());
    for (const rocksdb::Slice& operand : operands) records.push_back(view(operand));
    return rules_->fold(view(key), records, *merged);
  }

 private:
  std::shared_ptr<const MergeRules> rules_;
};

class Filter final : public rocksdb::CompactionFilter {
 public:
  explicit Filter(std::unique_ptr<CompactionPass> pass) : pass_(std::move(pass)) {}
  const char* Name() const override { return "Tailrace"; }
  Decision FilterV2(int, const rocksdb::Slice& key, ValueType type, const rocksdb::Slice& value,
                    std::string* changed, std::string*) const override {
    if (view(key) >= kReserved) return Decision::kKeep;
    if (type != ValueType::kValue) {
      pass_->part(view(key), view(value));
      return Decision::kKeep;
    }
    switch (pass_->whole(view(key), view(value), *changed)) {
      case CompactionPass::Verdict::kKeep:
        return Decision::kKeep;
      case CompactionPass::Verdict::kChange:
        return Decision::kChangeValue;
      case CompactionPass::Verdict::kRemove:
        return Decision::kRemove;
    }
    return Decision::kKeep;
  }

 private:
  std::unique_ptr<CompactionPass> pass_;
};

class Filters final : public rocksdb::CompactionFilterFactory {
 public:
  Filters(std::shared_ptr<CompactionRules> rules, const rt::Clock& clock, const Moments& moments,
          const Unflushed& unflushed)
      : rules_(std::move(rules)), clock_(clock), moments_(moments), unflushed_(unflushed) {}
  const char* Name() const override { return "Tailrace"; }
  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context& context) override {
    const std::int64_t now = clock_.now().value / 1000;
    const std::int64_t settled = std::min(moments_.oldest(now) - kSlackSeconds, unflushed_.since());
    auto pass = rules_->begin({context.is_full_compaction, settled});
    if (!pass) return nullptr;
    return std::make_unique<Filter>(std::move(pass));
  }

 private:
  std::shared_ptr<CompactionRules> rules_;
  const rt::Clock& clock_;
  const Moments& moments_;
  const Unflushed& unflushed_;
};

class Prefix final : public rocksdb::SliceTransform {
 public:
  explicit Prefix(std::size_t (*length)(std::string_view)) : length_(length) {}
  const char* Name() const override { return "Tailrace"; }
  rocksdb::Slice Transform(const rocksdb::Slice& key) const override {
    return {key.data(), length_(view(key))};
  }
  bool InDomain(const rocksdb::Slice& key) const override { return length_(view(key)) > 0; }

 private:
  std::size_t (*length_)(std::string_view);
};

class Listener final : public rocksdb::EventListener {
 public:
  Listener(Unflushed& unflushed, const rt::Clock& clock) : unflushed_(unflushed), clock_(clock) {}
  void OnFlushCompleted(rocksdb::DB* db, const rocksdb::FlushJobInfo&) override {
    unflushed_.flushed(clock_.now().value / 1000);
    flushed_ = true;
    count(*db);
  }
  void OnCompactionCompleted(rocksdb::DB* db, const rocksdb::CompactionJobInfo&) override {
    count(*db);
  }
  bool take_flushed() { return flushed_.exchange(false); }
  /// What was flushed and not yet merged.
  int runs() const { return runs_; }

 private:
  void count(rocksdb::DB& db) {
    std::string text;
    int runs = 0;
    if (db.GetProperty(rocksdb::DB::Properties::kNumFilesAtLevelPrefix + "0", &text) &&
        std::from_chars(text.data(), text.data() + text.size(), runs).ec == std::errc())
      runs_ = runs;
  }

  Unflushed& unflushed_;
  const rt::Clock& clock_;
  std::atomic<bool> flushed_ = true;
  std::atomic<int> runs_ = 0;
};

class RocksMoment final : public DurableStore::Moment {
 public:
  RocksMoment(rocksdb::DB& db, Moments& moments, std::int64_t now)
      : db_(db), moments_(moments), held_(moments.add(now)), snapshot_(db.GetSnapshot()) {}
  ~RocksMoment() override {
    db_.ReleaseSnapshot(snapshot_);
    moments_.remove(held_);
  }
  const rocksdb::Snapshot* snapshot() const { return snapshot_; }

 private:
  rocksdb::DB& db_;
  Moments& moments_;
  Moments::Held held_;
  const rocksdb::Snapshot* snapshot_;
};

const rocksdb::Snapshot* snapshot_of(const DurableStore::Moment* at) {
  return at ? static_cast<const RocksMoment*>(at)->snapshot() : nullptr;
}

class RocksCursor final : public DurableStore::Cursor {
 public:
  RocksCursor(rocksdb::DB& db, std::string_view lower, std::string_view upper, bool one_prefix,
              const rocksdb::Snapshot* snapshot)
      : lower_(lower), upper_(upper.empty() ? kReserved : upper) {
    lower_slice_ = slice(lower_);
    upper_slice_ = slice(upper_);
    rocksdb::ReadOptions options;
    options.snapshot = snapshot;
    options.iterate_lower_bound = &lower_slice_;
    options.iterate_upper_bound = &upper_slice_;
    options.total_order_seek = !one_prefix;
    at_.reset(db.NewIterator(options));
  }
  void seek(std::string_view key) override { at_->Seek(slice(key)); }
  void seek_before(std::string_view key) override {
    at_->SeekForPrev(slice(key));
    if (at_->Valid() && view(at_->key()) == key) at_->Prev();
  }
  void next() override { at_->Next(); }
  void previous() override { at_->Prev(); }
  bool valid() const override { return at_->Valid(); }
  std::string_view key() const override { return view(at_->key()); }
  std::string_view value() const override { return view(at_->value()); }
  Status status() const override {
    if (auto status = at_->status(); !status.ok()) return rocks_error(status);
    return {};
  }

 private:
  std::string lower_, upper_;
  rocksdb::Slice lower_slice_, upper_slice_;
  std::unique_ptr<rocksdb::Iterator> at_;
};

std::shared_ptr<rocksdb::TableFactory> tables(const DurableOptions& options) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(options.block_cache_bytes);
  // What was just written is what is read next.
  table.prepopulate_block_cache =
      rocksdb::BlockBasedTableOptions::PrepopulateBlockCache::kFlushOnly;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.format_version = 5;
  // Index and filters in parts and in the cache, so that memory stays within it however large the
  // store grows.
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  table.block_restart_interval = 4;
  table.metadata_block_size = 16 << 10;
  table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  return std::shared_ptr<rocksdb::TableFactory>(rocksdb::NewBlockBasedTableFactory(table));
}

void set_shape(rocksdb::Options& rocks, const DurableOptions& options) {
  rocks.write_buffer_size = options.write_buffer_bytes;
  rocks.arena_block_size = std::min<std::size_t>(1 << 20, options.write_buffer_bytes / 8);
  rocks.max_write_buffer_number = 4;
  rocks.allow_concurrent_memtable_write = false;
  rocks.max_successive_merges = options.most_unfolded;
  rocks.memtable_factory = ordered_memtable();
  rocks.max_background_jobs = 3;  // a flush, a large merge and a small one
  // Each record is rewritten about once while ten times as many come, not at every level.
  rocks.compaction_style = rocksdb::kCompactionStyleUniversal;
  rocks.level0_file_num_compaction_trigger = 6;
  // RocksDB's own slowing down refuses writes that may not wait, all of them: see pace().
  rocks.level0_slowdown_writes_trigger = kMostRuns;
  rocks.level0_stop_writes_trigger = kMostRuns;
  rocks.target_file_size_base = 64 << 20;
  // Only the oldest run is compressed: a younger one is soon read and written again.
  rocks.compression_per_level.assign(static_cast<std::size_t>(rocks.num_levels),
                                     rocksdb::kNoCompression);
  rocks.compression_per_level.back() = rocksdb::kLZ4Compression;
  // Nor has it filters: most reads are of keys that are there, and nothing is below it to be
  // spared.
  rocks.optimize_filters_for_hits = true;
  rocks.bytes_per_sync = 1 << 20;
  rocks.max_open_files = 1000;
  rocks.skip_stats_update_on_db_open = true;
  rocks.skip_checking_sst_file_sizes_on_db_open = true;
  rocks.stats_dump_period_sec = 0;
  rocks.stats_persist_period_sec = 0;
}

}  // namespace

class RocksDurableStore final : public DurableStore {
 public:
  RocksDurableStore(std::string folder, DurableOptions options, FolderOwner owner)
      : folder_(std::move(folder)),
        options_(std::move(options)),
        owner_(std::move(owner)),
        clock_(options_.clock ? *options_.clock : rt::system_clock()),
        unflushed_(clock_.now().value / 1000) {}
  ~RocksDurableStore() override;

  Status open();
  std::unique_ptr<Moment> moment() const override {
    return std::make_unique<RocksMoment>(*db_, moments_, clock_.now().value / 1000);
  }
  Result<bool> get(std::string_view key, std::string& value, const Moment* at) const override;
  std::unique_ptr<Cursor> cursor(std::string_view lower, std::string_view upper, bool one_prefix,
                                 const Moment* at) const override {
    return std::make_unique<RocksCursor>(*db_, lower, upper, one_prefix && options_.prefix,
                                         snapshot_of(at));
  }
  std::uint64_t approximate_bytes(std::string_view begin, std::string_view end) const override;
  Status write(WriteBatch& batch) override;
  Status sync() override;
  Status flush() override;
  Status compact() override;

 private:
  rocksdb::Options rocks_options();
  Status open_log();
  void end_log();
  Status apply(rocksdb::WriteBatch& batch, std::uint64_t number);
  void pace(std::size_t bytes);
  Result<std::uint64_t> position(rocksdb::ReadTier tier) const;

  std::string folder_;
  DurableOptions options_;
  FolderOwner owner_;
  const rt::Clock& clock_;
  mutable Moments moments_;
  Unflushed unflushed_;
  std::shared_ptr<rt::RoomWatch> room_ = std::make_shared<rt::RoomWatch>();
  std::shared_ptr<RocksLog> log_lines_ = std::make_shared<RocksLog>("cells");
  std::shared_ptr<Listener> listener_ = std::make_shared<Listener>(unflushed_, clock_);
  Measured measured_{"cells"};
  std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<rocksdb::DB> db_;
  std::unique_ptr<CommitLog> log_;
  bool sync_failed_ = false;
  std::chrono::nanoseconds owed_{0};  ///< by writes that were not slowed down yet
};

rocksdb::Options RocksDurableStore::rocks_options() {
  rocksdb::Options rocks;
  rocks.create_if_missing = true;
  rocks.env = env_.get();
  rocks.listeners = {listener_};
  set_shape(rocks, options_);
  rocks.table_factory = tables(options_);
  if (options_.merge) rocks.merge_operator = std::make_shared<Merge>(options_.merge);
  if (options_.prefix) rocks.prefix_extractor = std::make_shared<Prefix>(options_.prefix);
  if (options_.compaction) {
    rocks.compaction_filter_factory =
        std::make_shared<Filters>(options_.compaction, clock_, moments_, unflushed_);
  }
  rocks.info_log = log_lines_;
  rocks.statistics = measured_.ticks();
  return rocks;
}

Status RocksDurableStore::open() {
  env_ = rocksdb::NewCompositeEnv(
      patient_files(room_, std::make_shared<const std::atomic<bool>>(false)));
  // Flushes of all stores share the process's threads, and a store that holds a checkpoint back
  // (kv::Store) keeps one of them waiting.
  env_->IncBackgroundThreadsIfNeeded(2, rocksdb::Env::Priority::HIGH);
  // Merges of everything have a thread of their own: what is flushed meanwhile is merged, too.
  env_->IncBackgroundThreadsIfNeeded(1, rocksdb::Env::Priority::BOTTOM);
  rocksdb::DB* db = nullptr;
  if (auto status = rocksdb::DB::Open(rocks_options(), folder_, &db); !status.ok())
    return rocks_error(status);
  db_.reset(db);
  measured_.show(*db_);
  TRY(open_log());
  room_->arm();
  return {};
}

Status RocksDurableStore::open_log() {
  CommitLog::Options options;
  options.segment_bytes =
      std::clamp<std::size_t>(options_.write_buffer_bytes / 4, 1 << 20, std::size_t{64} << 20);
  options.durable = options_.sync;
  ASSIGN(options.done, position(rocksdb::kReadAllTier));
  std::size_t replayed = 0;
  ASSIGN(log_, CommitLog::open(folder_ + "/log", options,
                               [&](std::uint64_t number, std::string_view record) -> Status {
                                 replayed += record.size();
                                 rocksdb::WriteBatch batch{std::string(record)};
                                 return apply(batch, number);
                               }));
  log_->release(options.done);
  if (replayed > kMostReplayed) {
    rocksdb::FlushOptions flush;
    flush.wait = false;
    flush.allow_write_stall = true;
    if (auto status = db_->Flush(flush); !status.ok()) return rocks_error(status);
  }
  return {};
}

RocksDurableStore::~RocksDurableStore() {
  // A flush that finds no room from here on fails: the log has what it was to write.
  room_->close();
  log_lines_->be_quiet();
  if (log_) {
    if (auto synced = log_->sync(); !synced) {
      LOG(error, "{}: the last writes are not durable: {}", folder_, synced.error().what);
    } else if (!room_->waiting()) {
      end_log();
    }
  }
  log_.reset();
  measured_.hide();
  db_.reset();
}

/// With everything in files the next start replays nothing.
void RocksDurableStore::end_log() {
  if (!flush()) return;
  if (const auto durable = position(rocksdb::kPersistedTier); durable && *durable == log_->last())
    log_->remove();
}

Result<std::uint64_t> RocksDurableStore::position(rocksdb::ReadTier tier) const {
  rocksdb::ReadOptions options;
  options.read_tier = tier;
  std::string text;
  const auto status = db_->Get(options, slice(kPositionKey), &text);
  if (status.IsNotFound()) return 0;
  if (!status.ok()) return rocks_error(status);
  if (text.size() != sizeof(std::uint64_t))
    return error(Code::kDataLoss, "the position of the log is damaged");
  return load_be<std::uint64_t>(text.data());
}

Result<bool> RocksDurableStore::get(std::string_view key, std::string& value,
                                    const Moment* at) const {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot_of(at);
  const auto status = db_->Get(options, slice(key), &value);
  if (status.IsNotFound()) return false;
  if (!status.ok()) return rocks_error(status);
  return true;
}

std::uint64_t RocksDurableStore::approximate_bytes(std::string_view begin,
                                                   std::string_view end) const {
  const rocksdb::Range range(slice(begin), slice(end.empty() ? kReserved : end));
  rocksdb::SizeApproximationOptions options;
  options.include_memtables = true;
  std::uint64_t bytes = 0;
  const auto status =
      db_->GetApproximateSizes(options, db_->DefaultColumnFamily(), &range, 1, &bytes);
  return status.ok() ? bytes : 0;
}

Status RocksDurableStore::apply(rocksdb::WriteBatch& batch, std::uint64_t number) {
  char position[sizeof number];
  store_be(position, number);
  batch.SetSavePoint();
  if (auto status = batch.Put(slice(kPositionKey), {position, sizeof position}); !status.ok())
    return rocks_error(status);
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  options.no_slowdown = true;
  rocksdb::Status status;
  while ((status = db_->Write(options, &batch)).IsIncomplete()) {
    if (room_->waiting()) {
      batch.RollbackToSavePoint();
      return error(Code::kResourceExhausted,
                   "disk full, and memory for writes is used up: make room on " + folder_);
    }
    constexpr std::chrono::milliseconds kWait{1};
    measured_.slowed(kWait);
    std::this_thread::sleep_for(kWait);  // memory is being flushed
  }
  batch.RollbackToSavePoint();
  if (!status.ok()) return rocks_error(status);
  return {};
}

/// Where more is flushed than is merged, writes slow down step by step, so that none waits for
/// long: 18 MB a second with 28 runs, 4 with 32, 1.4 with 38. Those of a merge count until its end.
void RocksDurableStore::pace(std::size_t bytes) {
  constexpr std::chrono::milliseconds kLeast{1};
  constexpr std::chrono::nanoseconds kMost = std::chrono::seconds(1);
  const int over = std::max(0, listener_->runs() - kQuickRuns);
  owed_ += std::chrono::nanoseconds(7LL * over * over * static_cast<long long>(bytes) / 2);
  if (owed_ < kLeast) return;
  measured_.slowed(std::min(owed_, kMost));
  std::this_thread::sleep_for(std::min(owed_, kMost));
  owed_ = {};
}

Status RocksDurableStore::write(WriteBatch& batch) {
  if (batch.empty()) return {};
  if (sync_failed_) TRY(sync());
  rocksdb::WriteBatch& rocks = batch.impl_->batch;
  pace(rocks.GetDataSize());
  TRY(log_->append(rocks.Data()));
  Status applied = apply(rocks, log_->last());
  if (!applied) log_->take_back();
  return applied;
}

Status RocksDurableStore::sync() {
  Status synced = log_->sync();
  sync_failed_ = !synced.has_value();
  if (synced && listener_->take_flushed()) {
    if (const auto durable = position(rocksdb::kPersistedTier)) log_->release(*durable);
  }
  return synced;
}

Status RocksDurableStore::flush() {
  rocksdb::FlushOptions options;
  options.allow_write_stall = true;  // else it waits for merges: who ends has no time for them
  if (auto status = db_->Flush(options); !status.ok()) return rocks_error(status);
  return {};
}

Status RocksDurableStore::compact() {
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  if (auto status = db_->CompactRange(options, nullptr, nullptr); !status.ok())
    return rocks_error(status);
  return {};
}

Result<std::unique_ptr<DurableStore>> DurableStore::open(const std::string& folder,
                                                         DurableOptions options) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return error(Code::kUnavailable, fmt::format("{}: {}", folder, failed.message()));
  ASSIGN(FolderOwner owner, FolderOwner::take(folder));
  auto store = std::make_unique<RocksDurableStore>(folder, std::move(options), std::move(owner));
  if (auto status = store->open(); !status) return std::unexpected(status.error().in(folder));
  return store;
}

}  // namespace tailrace::kv
