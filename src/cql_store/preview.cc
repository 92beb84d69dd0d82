// Rows as a mutation will leave them: its records folded onto those that are there.
#include <map>

#include "cql_store/deletions.h"
#include "cql_store/keys.h"
#include "cql_store/mutation.h"
#include "cql_store/reader.h"
#include "cql_store/record.h"

namespace tailrace::cql_store {
namespace {

class FoldedPreview final : public Preview {
 public:
  FoldedPreview(const kv::DurableStore& store, const kv::DurableStore::Moment* moment,
                Mutation& mutation)
      : store_(store), moment_(moment) {
    for (MutationReader changes(mutation); changes.next();)
      changes_[changes.key()].push_back({changes.op(), changes.value()});
  }

  Result<bool> read(TableNumber table, const PartitionKey& partition, const RowKey& key,
                    std::int64_t now_seconds, Row& row, Buffer& buffer) const override {
    std::string deletions_key;
    append_partition(deletions_key, table, partition);
    append_kind(deletions_key, Kind::kDeletions);
    std::string deletions_record;
    Deletions deletions;
    ASSIGN(const bool deleted, folded(deletions_key, deletions_record));
    if (deleted && !deletions.read(deletions_record)) return damaged();
    buffer.more.clear();
    append_row(buffer.more, table, partition, key);
    ASSIGN(const bool there, folded(buffer.more, buffer.bytes));
    if (!there) return false;
    const Deletion outer = key.is_static ? deletions.partition() : deletions.of(key.clustering);
    bool is_damaged = false;
    const bool visible = read_record(buffer.bytes, outer, now_seconds, row, is_damaged);
    if (is_damaged) return damaged();
    if (!visible) return false;
    buffer.more.assign(partition.bytes);
    if (!key.is_static) buffer.more += key.clustering;
    const std::string_view texts = buffer.more;
    row.partition = texts.substr(0, partition.bytes.size());
    row.clustering = texts.substr(partition.bytes.size());
    row.token = partition.token;
    row.is_static = key.is_static;
    return true;
  }

 private:
  struct Change {
    Op op;
    std::string_view record;
  };

  static std::unexpected<Error> damaged() {
    return error(Code::kDataLoss, "a record that a write folds into is damaged");
  }

  /// The record of a key with what the mutation does to it; false: there is none.
  Result<bool> folded(const std::string& key, std::string& out) const {
    std::string before;
    ASSIGN(bool there, store_.get(key, before, moment_));
    std::vector<std::string_view> records;
    if (there) records.emplace_back(before);
    const auto changes = changes_.find(key);
    if (changes != changes_.end()) {
      for (const Change& change : changes->second) {
        if (change.op == Op::kSetRow || change.op == Op::kForgetRow) records.clear();
        if (change.op != Op::kForgetRow) records.push_back(change.record);
      }
    }
    if (records.empty()) return false;
    if (records.size() == 1) {
      out.assign(records.front());
      return true;
    }
    const bool whole =
        partition_length(key) + 1 == key.size() && key.back() == static_cast<char>(Kind::kDeletions)
            ? fold_deletions(records, out)
            : fold(records, out);
    if (!whole) return damaged();
    return true;
  }

  const kv::DurableStore& store_;
  const kv::DurableStore::Moment* moment_;
  /// By key, in the order in which they are applied; views of the mutation.
  std::map<std::string_view, std::vector<Change>> changes_;
};

}  // namespace

std::unique_ptr<Preview> Reader::with(Mutation& mutation) const {
  return std::make_unique<FoldedPreview>(store_, moment_.get(), mutation);
}

}  // namespace tailrace::cql_store
