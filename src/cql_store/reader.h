// Reads of one moment: rows put together from their records and from what deletes them.
#pragma once

#include "cql_store/deletions.h"
#include "cql_store/store.h"
#include "cql_store/traits.h"
#include "kv/durable_store.h"

namespace tailrace::cql_store {

class Reader final : public Snapshot {
 public:
  /// `moment` null: as things are, for the thread that writes.
  Reader(const kv::DurableStore& store, const Traits& traits,
         std::unique_ptr<kv::DurableStore::Moment> moment)
      : store_(store), traits_(traits), moment_(std::move(moment)) {}

  Result<bool> read(TableNumber table, const PartitionKey& partition, const RowKey& key,
                    std::int64_t now_seconds, Row& row, Buffer& buffer) const override;
  Status scan_partition(TableNumber table, const PartitionKey& partition, const PartitionRead& what,
                        std::int64_t now_seconds,
                        const std::function<bool(const Row&)>& visit) const override;
  Status scan(const Range& range, std::int64_t now_seconds,
              const std::function<Next(const Row&)>& visit) const override;
  std::unique_ptr<Preview> with(Mutation& mutation) const override;

 private:
  Status read_deletions(TableNumber table, std::string_view partition_key, std::string& record,
                        Deletions& deletions) const;

  const kv::DurableStore& store_;
  const Traits& traits_;
  std::unique_ptr<kv::DurableStore::Moment> moment_;
};

/// A read of the latest moment, without a Reader's cost where the table has no deletions.
Result<bool> read_latest(const kv::DurableStore& store, const Traits& traits, TableNumber table,
                         const PartitionKey& partition, const RowKey& key, std::int64_t now_seconds,
                         Row& row, Snapshot::Buffer& buffer);

}  // namespace tailrace::cql_store
