// Rows that the store does not have: of virtual tables and of tables of others.
#include <algorithm>
#include <functional>
#include <tuple>

#include "cql_query/row_reader.h"
#include "cql_types/token.h"

namespace tailrace::cql_query {
namespace {

using cql_types::Failure;

/// A row that is not the store's, with the keys it would have there.
struct LocatedRow {
  Key partition;
  std::string clustering;
  const cql_schema::Values* values = nullptr;
};

Outcome<LocatedRow> located(const cql_schema::Table& table, const cql_schema::Values& values) {
  LocatedRow row;
  std::vector<std::string_view> key;
  for (int i = 0; i < table.partition_columns; ++i) {
    const auto& value = values[static_cast<std::size_t>(i)];
    key.push_back(value ? std::string_view(*value) : std::string_view());
  }
  if (key.size() == 1) {
    row.partition.bytes = key.front();
  } else {
    ASSIGN(row.partition.bytes, cql_types::partition_key(key));
  }
  row.partition.token = cql_types::murmur3_token(row.partition.bytes);
  for (int i = 0; i < table.clustering_columns; ++i) {
    const auto& value = values[static_cast<std::size_t>(table.partition_columns + i)];
    TRY(append_clustering_key(row.clustering, table.clustering_column(i),
                              value ? std::string_view(*value) : std::string_view()));
  }
  row.values = &values;
  return row;
}

/// The rows of a virtual table in the order of their partitions' bytes, as Cassandra keeps its own.
Outcome<std::vector<LocatedRow>> in_order(const cql_schema::Table& table,
                                          const std::vector<cql_schema::Values>& rows) {
  std::vector<LocatedRow> all;
  for (const auto& values : rows) {
    ASSIGN(auto row, located(table, values));
    all.push_back(std::move(row));
  }
  std::ranges::sort(all, [](const LocatedRow& a, const LocatedRow& b) {
    return std::tie(a.partition.bytes, a.clustering) < std::tie(b.partition.bytes, b.clustering);
  });
  return all;
}

/// The columns of a whole key, or of its partition alone.
class KeyValues {
 public:
  KeyValues(const cql_schema::Table& table, std::string_view partition) : table_(table) {
    values_.resize(static_cast<std::size_t>(table.partition_columns));
    if (values_.size() == 1) {
      values_[0] = partition;
    } else if (!cql_types::split_partition_key(partition, values_)) {
      values_.clear();
    }
  }
  Status clustering(std::string_view key, std::string_view raw) {
    ASSIGN(const auto parts, decode_clustering(table_, key, raw, buffer_));
    for (const auto& part : parts) values_.push_back(part.value_or(std::string_view()));
    return {};
  }
  std::span<const std::string_view> all() const { return values_; }

 private:
  const cql_schema::Table& table_;
  std::vector<std::string_view> values_;
  std::vector<std::string> buffer_;
};

/// Gives rows to `take` until it says to stop, or fails.
class Taking {
 public:
  using Take = std::function<Outcome<bool>(const cql_schema::Values&)>;
  explicit Taking(Take take) : take_(std::move(take)) {}

  ForeignTable::Visit visit() {
    return [this](const cql_schema::Values& values) {
      auto on = take_(values);
      if (!on) failed_ = std::move(on.error());
      return on && *on;
    };
  }
  Outcome<void> result() {
    if (failed_) return std::unexpected(std::move(*failed_));
    return {};
  }

 private:
  Take take_;
  std::optional<Failure> failed_;
};

}  // namespace

Outcome<After> RowReader::read_key(const ForeignTable& foreign, const Key& key) {
  TRY(results_.partition(key.bytes));
  const Slices slices = slices_left(key.bytes);
  After next = After::kNextRow;
  Taking taking([&](const cql_schema::Values& values) -> Outcome<bool> {
    ASSIGN(const auto row, located(table_, values));
    if (!by_names_ && !in_slices(slices, row.clustering)) return true;
    ASSIGN(next, results_.values(values, row.clustering));
    return next == After::kNextRow;
  });
  if (!by_names_) {
    const KeyValues partition(table_, key.bytes);
    std::optional<KeyValues> after;
    if (from_ && from_->partition == key.bytes && from_->clustering && !from_->partition_done) {
      after.emplace(table_, key.bytes);
      TRY(after->clustering(*from_->clustering, ""));
    }
    TRY(foreign.rows(partition.all(), after ? after->all() : std::span<const std::string_view>(),
                     plan_.backwards, taking.visit()));
    TRY(taking.result());
    return next;
  }
  for (const auto& clustering : clusterings_) {
    if (given(key.bytes, clustering.key)) continue;
    KeyValues whole(table_, key.bytes);
    TRY(whole.clustering(clustering.key, clustering.raw));
    TRY(foreign.rows(whole.all(), {}, false, taking.visit()));
    TRY(taking.result());
    if (next != After::kNextRow) break;
  }
  return next;
}

Outcome<void> RowReader::read(const ForeignTable& foreign) {
  if (!plan_.restrictions->is_key_range()) {
    for (const Key& key : keys_) {
      ASSIGN(const After after, read_key(foreign, key));
      if (after == After::kStop) break;
    }
    return {};
  }
  if (tokens_.empty) return {};
  std::optional<KeyValues> after;
  std::string current, skipped;
  bool open = false, skip = false;
  if (from_) {
    after.emplace(table_, from_->partition);
    if (from_->clustering) TRY(after->clustering(*from_->clustering, ""));
    if (from_->partition_done) {
      current = from_->partition;
      open = skip = true;
    }
  }
  Taking taking([&](const cql_schema::Values& values) -> Outcome<bool> {
    ASSIGN(const auto row, located(table_, values));
    if (row.partition.token < tokens_.first || row.partition.token > tokens_.last) return true;
    if (!open || row.partition.bytes != current) {
      current = row.partition.bytes;
      open = true;
      skip = false;
      TRY(results_.partition(current));
    }
    if (skip || !wanted(row.clustering)) return true;
    ASSIGN(const After next, results_.values(values, row.clustering));
    skip = next == After::kNextPartition;
    return next != After::kStop;
  });
  TRY(foreign.scan(after ? after->all() : std::span<const std::string_view>(), taking.visit()));
  return taking.result();
}

Outcome<void> RowReader::read(const std::vector<cql_schema::Values>& rows) {
  ASSIGN(auto all, in_order(table_, rows));
  std::erase_if(all, [&](const LocatedRow& row) {
    const bool here =
        plan_.restrictions->is_key_range()
            ? !tokens_.empty && row.partition.token >= tokens_.first &&
                  row.partition.token <= tokens_.last
            : std::ranges::find(keys_, row.partition.bytes, &Key::bytes) != keys_.end();
    return !here || !wanted(row.clustering);
  });
  if (plan_.backwards) {
    std::ranges::reverse(all);
    std::ranges::stable_sort(all, {}, [](const LocatedRow& row) { return row.partition.bytes; });
  }
  if (from_) {
    const auto last = std::ranges::find_if(all, [&](const LocatedRow& row) {
      return row.partition.bytes == from_->partition && row.clustering == from_->clustering;
    });
    if (last != all.end()) all.erase(all.begin(), last + 1);
  }
  const std::string* current = nullptr;
  bool skip = false;
  for (const auto& row : all) {
    if (current == nullptr || *current != row.partition.bytes) {
      current = &row.partition.bytes;
      skip = false;
      TRY(results_.partition(*current));
    }
    if (skip) continue;
    ASSIGN(const After after, results_.values(*row.values, row.clustering));
    if (after == After::kStop) break;
    skip = after == After::kNextPartition;
  }
  return {};
}

}  // namespace tailrace::cql_query
