// How records fold and what compactions drop: the store's rules for room kv.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "cql_store/store.h"
#include "kv/durable_store.h"

namespace tailrace::cql_store {

class FoldRules final : public kv::MergeRules {
 public:
  bool fold(std::string_view key, std::span<const std::string_view> records,
            std::string& out) const override;
};

/// Drops what a partition's deletions delete and the values of expired cells, and, where a
/// compaction has all there is, forgets tombstones older than their table's grace. A partition's
/// deletions may still delete what the compaction does not see: of those that are old it only
/// tells.
class DropRules final : public kv::CompactionRules {
 public:
  /// Tombstones of tables that nobody set a grace for stay.
  void set_grace(TableNumber table, std::int64_t seconds);
  /// Hears of a partition (keys.h) with deletions from before `before_seconds`, which may be
  /// forgotten. From a compaction's thread.
  using Old = std::function<void(std::string_view partition, std::int64_t before_seconds)>;
  /// Null: nobody hears any more, and nobody is hearing when it returns.
  void tell_of_old(Old old);

  std::unique_ptr<kv::CompactionPass> begin(const About& about) override;
  void found_old(std::string_view partition, std::int64_t before_seconds) {
    const std::lock_guard lock(mutex_);
    if (old_) old_(partition, before_seconds);
  }

 private:
  std::mutex mutex_;
  std::map<TableNumber, std::int64_t> grace_;
  Old old_;
};

}  // namespace tailrace::cql_store
