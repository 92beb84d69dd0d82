// What a table has ever had that makes reading it cost more: deletions of partitions and slices,
// counters. Asked at every read, so a look costs nothing; set by the one thread that writes.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "cql_store/store.h"

namespace tailrace::cql_store {

enum class Trait : std::uint8_t { kDeletions = 1, kCounters = 2 };

class Traits {
 public:
  ~Traits() {
    for (auto& block : blocks_) delete block.load();
  }

  bool has(TableNumber table, Trait trait) const {
    return byte(table) & static_cast<std::uint8_t>(trait);
  }
  /// All of a table's, as they are kept.
  std::uint8_t byte(TableNumber table) const {
    if (table >= kTables) return kAll;
    const Block* block = blocks_[table / kBlock].load(std::memory_order_acquire);
    return block ? (*block)[table % kBlock].load(std::memory_order_acquire) : 0;
  }
  void add(TableNumber table, std::uint8_t traits) {
    if (table >= kTables) return;
    std::atomic<Block*>& place = blocks_[table / kBlock];
    if (!place.load(std::memory_order_relaxed)) place.store(new Block{}, std::memory_order_release);
    (*place.load(std::memory_order_relaxed))[table % kBlock].fetch_or(traits);
  }

 private:
  static constexpr TableNumber kTables = 1 << 24;  // tables beyond count as having all
  static constexpr std::uint8_t kAll = 3;
  static constexpr std::size_t kBlock = 1 << 12;
  using Block = std::array<std::atomic<std::uint8_t>, kBlock>;
  std::array<std::atomic<Block*>, kTables / kBlock> blocks_{};
};

}  // namespace tailrace::cql_store
