// How records fold and what compactions drop: the store's rules for room kv.
#pragma once

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
/// deletions themselves stay.
class DropRules final : public kv::CompactionRules {
 public:
  /// Tombstones of tables that nobody set a grace for stay.
  void set_grace(TableNumber table, std::int64_t seconds);
  std::unique_ptr<kv::CompactionPass> begin(const About& about) override;

 private:
  std::mutex mutex_;
  std::map<TableNumber, std::int64_t> grace_;
};

}  // namespace tailrace::cql_store
