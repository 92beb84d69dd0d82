#include "kv/measured.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <vector>

#include "kv/metrics.h"

namespace tailrace::kv {
namespace {

/// The stores that are open; held while their numbers are asked for.
struct Shown {
  std::mutex mutex;
  std::vector<const Measured*> all;
};

Shown& shown() {
  static Shown one;
  return one;
}

std::size_t kind_of(std::uint32_t type) {
  switch (type) {
    case rocksdb::BLOCK_CACHE_HIT:
      return Ticks::kCacheHits;
    case rocksdb::BLOCK_CACHE_MISS:
      return Ticks::kCacheMisses;
    case rocksdb::FLUSH_WRITE_BYTES:
      return Ticks::kFlushed;
    case rocksdb::COMPACT_READ_BYTES:
      return Ticks::kCompactionRead;
    case rocksdb::COMPACT_WRITE_BYTES:
      return Ticks::kCompactionWritten;
    case rocksdb::STALL_MICROS:
      return Ticks::kStalled;
    default:
      return Ticks::kKinds;
  }
}

using Properties = rocksdb::DB::Properties;

struct Family {
  const char* name;
  const char* help;
};
constexpr std::array<Family, 6> kGauges = {{
    {"tailrace_rocksdb_files_bytes", "Bytes of the store's table files on disk."},
    {"tailrace_rocksdb_memtables_bytes", "Bytes of writes in memory."},
    {"tailrace_rocksdb_block_cache_bytes", "Bytes in the block cache."},
    {"tailrace_rocksdb_block_cache_capacity_bytes", "The most bytes that the block cache holds."},
    {"tailrace_rocksdb_compaction_pending_bytes", "Bytes that compaction has yet to rewrite."},
    {"tailrace_rocksdb_compactions_running", "Compactions that run now."},
}};
const std::array<std::string, 6>& properties() {
  static const std::array<std::string, 6> names = {Properties::kTotalSstFilesSize,
                                                   Properties::kCurSizeAllMemTables,
                                                   Properties::kBlockCacheUsage,
                                                   Properties::kBlockCacheCapacity,
                                                   Properties::kEstimatePendingCompactionBytes,
                                                   Properties::kNumRunningCompactions};
  return names;
}

constexpr std::array<Family, Ticks::kStalled> kCounters = {{
    {"tailrace_rocksdb_block_cache_hits_total", "Blocks that reads found in the block cache."},
    {"tailrace_rocksdb_block_cache_misses_total", "Blocks that reads fetched from files."},
    {"tailrace_rocksdb_flushed_bytes_total", "Bytes written to files from memory."},
    {"tailrace_rocksdb_compaction_read_bytes_total", "Bytes that compaction read."},
    {"tailrace_rocksdb_compaction_written_bytes_total", "Bytes that compaction wrote."},
}};

/// Of the stores of one name.
struct Sums {
  std::array<std::uint64_t, kGauges.size()> gauges{};
  std::array<std::uint64_t, kCounters.size()> counters{};
  double stalled_s = 0;
};

}  // namespace

std::uint64_t Ticks::value(Kind kind) const {
  std::uint64_t sum = 0;
  counts_.each([&](const auto& counts) { sum += counts[kind].value(); });
  return sum;
}

void Ticks::recordTick(std::uint32_t type, std::uint64_t count) {
  if (const std::size_t kind = kind_of(type); kind < kKinds) counts_.mine()[kind].add(count);
}

std::uint64_t Ticks::getTickerCount(std::uint32_t type) const {
  const std::size_t kind = kind_of(type);
  return kind < kKinds ? value(static_cast<Kind>(kind)) : 0;
}

void Measured::show(rocksdb::DB& db) {
  const std::lock_guard lock(shown().mutex);
  if (db_ == nullptr) shown().all.push_back(this);
  db_ = &db;
}

void Measured::hide() {
  const std::lock_guard lock(shown().mutex);
  std::erase(shown().all, this);
  db_ = nullptr;
}

void write_metrics(MetricsText& out) {
  std::map<std::string, Sums> stores;
  {
    const std::lock_guard lock(shown().mutex);
    for (const Measured* one : shown().all) {
      Sums& sums = stores[one->name_];
      for (std::size_t i = 0; i < kGauges.size(); ++i) {
        std::uint64_t value = 0;
        one->db_->GetIntProperty(properties()[i], &value);
        sums.gauges[i] += value;
      }
      for (std::size_t i = 0; i < kCounters.size(); ++i)
        sums.counters[i] += one->ticks_->value(static_cast<Ticks::Kind>(i));
      sums.stalled_s += static_cast<double>(one->ticks_->value(Ticks::kStalled)) / 1e6 +
                        static_cast<double>(one->slowed_ns_.value()) / 1e9;
    }
  }
  const auto family = [&](const Family& about, MetricType type, auto value) {
    out.family(about.name, type, about.help);
    for (const auto& [store, sums] : stores) out.add({{"store", store}}, value(sums));
  };
  for (std::size_t i = 0; i < kGauges.size(); ++i)
    family(kGauges[i], MetricType::kGauge, [i](const Sums& sums) { return sums.gauges[i]; });
  for (std::size_t i = 0; i < kCounters.size(); ++i)
    family(kCounters[i], MetricType::kCounter, [i](const Sums& sums) { return sums.counters[i]; });
  family({"tailrace_rocksdb_write_stall_seconds_total",
          "How long writes waited for flushes and compaction."},
         MetricType::kCounter, [](const Sums& sums) { return sums.stalled_s; });
}

}  // namespace tailrace::kv
