// One RocksDB among those that write_metrics() shows (metrics.h).
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/statistics.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>

#include "base/metrics.h"

namespace tailrace::kv {

/// Of all that RocksDB would tell, what is shown: the rest costs a call that does nothing, and no
/// clock is read for it.
class Ticks final : public rocksdb::Statistics {
 public:
  enum Kind : std::size_t {
    kCacheHits,
    kCacheMisses,
    kFlushed,
    kCompactionRead,
    kCompactionWritten,
    kStalled,
    kKinds
  };
  Ticks() { set_stats_level(rocksdb::StatsLevel::kExceptHistogramOrTimers); }
  std::uint64_t value(Kind kind) const;

  void recordTick(std::uint32_t type, std::uint64_t count) override;
  std::uint64_t getTickerCount(std::uint32_t type) const override;
  void setTickerCount(std::uint32_t, std::uint64_t) override {}
  std::uint64_t getAndResetTickerCount(std::uint32_t type) override { return getTickerCount(type); }
  void recordInHistogram(std::uint32_t, std::uint64_t) override {}
  bool HistEnabledForType(std::uint32_t) const override { return false; }
  void histogramData(std::uint32_t, rocksdb::HistogramData* const) const override {}

 private:
  ByThread<std::array<Counter, kKinds>> counts_;
};

class Measured {
 public:
  explicit Measured(std::string name) : name_(std::move(name)) {}
  ~Measured() { hide(); }
  Measured(const Measured&) = delete;
  Measured& operator=(const Measured&) = delete;

  /// For the options that the store is opened with.
  const std::shared_ptr<Ticks>& ticks() const { return ticks_; }
  /// From when it is open until before it closes.
  void show(rocksdb::DB& db);
  void hide();
  /// A write waited so long on purpose, before RocksDB had it.
  void slowed(std::chrono::nanoseconds time) {
    slowed_ns_.add(static_cast<std::uint64_t>(time.count()));
  }

 private:
  friend void write_metrics(MetricsText& out);

  const std::string name_;
  const std::shared_ptr<Ticks> ticks_ = std::make_shared<Ticks>();
  Counter slowed_ns_;
  rocksdb::DB* db_ = nullptr;
};

}  // namespace tailrace::kv
