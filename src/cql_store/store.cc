#include "cql_store/store.h"

#include <algorithm>

#include "base/bytes.h"
#include "cql_store/committer.h"
#include "cql_store/keys.h"
#include "cql_store/reader.h"
#include "cql_store/rules.h"
#include "cql_store/traits.h"
#include "kv/durable_store.h"

namespace tailrace::cql_store {
namespace {

/// An estimate counts up to here.
constexpr std::int64_t kCountExactly = 4096;

class DurableCells final : public Store {
 public:
  DurableCells(std::unique_ptr<kv::DurableStore> store, std::shared_ptr<DropRules> drop_rules,
               std::unique_ptr<Traits> traits)
      : drop_rules_(std::move(drop_rules)),
        traits_(std::move(traits)),
        store_(std::move(store)),
        committer_(*store_, *traits_) {
    drop_rules_->tell_of_old([this](std::string_view partition, std::int64_t before_seconds) {
      committer_.forget(partition, before_seconds);
    });
  }
  ~DurableCells() override { drop_rules_->tell_of_old(nullptr); }

  std::unique_ptr<Snapshot> snapshot() const override {
    return std::make_unique<Reader>(*store_, *traits_, store_->moment());
  }
  Result<bool> read(TableNumber table, const PartitionKey& partition, const RowKey& key,
                    std::int64_t now_seconds, Row& row, Snapshot::Buffer& buffer) const override {
    return read_latest(*store_, *traits_, table, partition, key, now_seconds, row, buffer);
  }
  void commit(Mutation mutation, Done done) override {
    committer_.commit(std::move(mutation), std::move(done));
  }
  void decide(Decide decide, Done done) override {
    committer_.decide(std::move(decide), std::move(done));
  }
  Result<std::vector<std::pair<std::string, std::string>>> kept(
      std::string_view prefix) const override;
  void set_grace(TableNumber table, std::int64_t seconds) override {
    drop_rules_->set_grace(table, seconds);
  }
  Result<Estimate> estimate(TableNumber table, std::int64_t first_token,
                            std::int64_t last_token) const override;
  Status flush() override { return store_->flush(); }
  Status compact() override { return store_->compact(); }

 private:
  std::shared_ptr<DropRules> drop_rules_;
  std::unique_ptr<Traits> traits_;
  std::unique_ptr<kv::DurableStore> store_;
  Committer committer_;
};

Result<std::vector<std::pair<std::string, std::string>>> DurableCells::kept(
    std::string_view prefix) const {
  const std::string begin = std::string(kOwnKept) + std::string(prefix);
  std::vector<std::pair<std::string, std::string>> all;
  const auto cursor = store_->cursor(begin, kv::prefix_end(begin), false, nullptr);
  for (cursor->seek(begin); cursor->valid(); cursor->next())
    all.emplace_back(cursor->key().substr(kOwnKept.size()), cursor->value());
  TRY(cursor->status());
  return all;
}

Result<Store::Estimate> DurableCells::estimate(TableNumber table, std::int64_t first_token,
                                               std::int64_t last_token) const {
  if (first_token > last_token) return Estimate{};
  std::string begin, end;
  append_token(begin, table, first_token);
  if (last_token == std::numeric_limits<std::int64_t>::max()) {
    append_be(end, table + 1);
  } else {
    append_token(end, table, last_token + 1);
  }
  std::int64_t keys = 0, partitions = 0, bytes = 0;
  std::string partition;
  const auto cursor = store_->cursor(begin, end, false, nullptr);
  for (cursor->seek(begin); cursor->valid() && keys < kCountExactly; cursor->next()) {
    const std::size_t length = partition_length(cursor->key());
    if (cursor->key().substr(0, length) != partition) {
      partition = cursor->key().substr(0, length);
      ++partitions;
    }
    ++keys;
    bytes += static_cast<std::int64_t>(cursor->key().size() + cursor->value().size());
  }
  TRY(cursor->status());
  if (partitions == 0) return Estimate{};
  const std::int64_t mean = std::max<std::int64_t>(1, bytes / partitions);
  if (cursor->valid()) {
    const auto all = static_cast<std::int64_t>(store_->approximate_bytes(begin, end));
    partitions = std::max(partitions, all / mean);
  }
  return Estimate{partitions, mean};
}

Status load_traits(const kv::DurableStore& store, Traits& traits) {
  const std::string begin(kOwnTables);
  const auto cursor = store.cursor(begin, kv::prefix_end(begin), false, nullptr);
  for (cursor->seek(begin); cursor->valid(); cursor->next()) {
    const std::string_view number = cursor->key().substr(kOwnTables.size());
    if (number.size() != sizeof(TableNumber) || cursor->value().size() != 1)
      return error(Code::kDataLoss, "what is kept of a table's traits is damaged");
    traits.add(load_be<TableNumber>(number.data()),
               static_cast<std::uint8_t>(cursor->value().front()));
  }
  return cursor->status();
}

}  // namespace

std::pair<const Cell*, std::size_t> Row::of(std::uint32_t column) const {
  const auto found = std::ranges::equal_range(cells, column, {}, &Cell::column);
  return {found.data(), found.size()};
}

Result<std::unique_ptr<Store>> Store::open(const std::string& folder, Options options) {
  auto drop_rules = std::make_shared<DropRules>();
  kv::DurableOptions durable;
  durable.write_buffer_bytes = options.write_buffer_bytes;
  durable.block_cache_bytes = options.block_cache_bytes;
  durable.sync = options.sync;
  durable.merge = std::make_shared<FoldRules>();
  durable.compaction = drop_rules;
  durable.prefix = partition_length;
  durable.clock = options.clock;
  ASSIGN(auto store, kv::DurableStore::open(folder, std::move(durable)));
  auto traits = std::make_unique<Traits>();
  TRY(load_traits(*store, *traits));
  return std::make_unique<DurableCells>(std::move(store), std::move(drop_rules), std::move(traits));
}

}  // namespace tailrace::cql_store
