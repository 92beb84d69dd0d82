#include "cql_query/index_writer.h"

#include <algorithm>

#include "cql_query/index_entries.h"
#include "cql_query/nearest.h"
#include "cql_types/token.h"

namespace tailrace::cql_query {

using cql_schema::Column;
using cql_schema::ColumnKind;
using cql_schema::Index;
using cql_schema::Table;
using cql_store::Liveness;

namespace {

/// Of a vector of floats.
bool is_zero(std::string_view vector) {
  for (std::size_t i = 0; i < vector.size(); ++i)
    if ((i % 4 == 0 ? vector[i] & 0x7F : vector[i]) != 0) return false;
  return true;
}

}  // namespace

IndexWriter::IndexWriter(const Table& table, const Index* only) : table_(table) {
  for (const Index& index : table.indexes) {
    if (!is_kept(index) || (only != nullptr && only->number != index.number)) continue;
    const int place = table.find(index.column);
    if (place < 0) continue;
    if (table.columns[static_cast<std::size_t>(place)].type->kind == cql_types::Kind::kVector) {
      // The nearest are found by comparing all (nearest.h); no entry would help.
      if (similarity_of(index) == Nearest::Similarity::kCosine)
        without_zero_.push_back(table.columns[static_cast<std::size_t>(place)].number);
      continue;
    }
    (place < table.key_columns() ? of_key_ : of_others_)
        .push_back({&index, &table.columns[static_cast<std::size_t>(place)]});
  }
}

void IndexWriter::row(const Key& key, const cql_store::RowKey& row) {
  key_ = key;
  clustering_ = row.clustering;
  raw_ = row.raw;
  is_static_ = row.is_static;
  lived_ = {};
}

void IndexWriter::add(const Indexed& one, std::string value, const Liveness& life) {
  const bool of_rows = is_of_rows(*one.column);
  entries_.push_back({one.index->number.value, std::move(value),
                      entry_place(key_, of_rows ? std::string_view(clustering_) : ""), life});
}

Outcome<void> IndexWriter::live(const Liveness& life) {
  if (of_key_.empty() || life.timestamp <= lived_.timestamp) return {};
  lived_ = life;
  std::vector<std::string_view> partition(static_cast<std::size_t>(table_.partition_columns));
  partition[0] = key_.bytes;
  if (partition.size() > 1) TRY(cql_types::split_partition_key(key_.bytes, partition));
  std::vector<cql_types::Part> clustering;
  std::vector<std::string> buffer;
  if (!is_static_ && table_.clustering_columns > 0) {
    ASSIGN(clustering, decode_clustering(table_, clustering_, raw_, buffer));
  }
  for (const Indexed& one : of_key_) {
    const auto at = static_cast<std::size_t>(one.column->position);
    const bool in_partition = one.column->kind == ColumnKind::kPartitionKey;
    if (!in_partition && (clustering.empty() || !clustering[at])) continue;
    ASSIGN(auto value, indexed_value(table_, *one.index, *one.column,
                                     in_partition ? partition[at] : *clustering[at]));
    add(one, std::move(value), life);
  }
  return {};
}

Outcome<void> IndexWriter::put(const Column& column, std::string_view path, std::string_view value,
                               const Liveness& life) {
  TRY(live(life));
  if (std::ranges::find(without_zero_, column.number) != without_zero_.end() && is_zero(value))
    return cql_types::invalid("Zero vectors cannot be indexed or queried with cosine similarity");
  for (const Indexed& one : of_others_) {
    if (one.column->number != column.number) continue;
    ASSIGN(auto indexed, indexed_value(table_, *one.index, *one.column, path, value));
    add(one, std::move(indexed), life);
  }
  return {};
}

void IndexWriter::write_to(cql_store::Mutation& mutation) {
  for (Entry& entry : entries_) {
    const Key partition = partition_of(std::move(entry.value));
    mutation.row(entry.index, partition.view(), {.clustering = entry.place});
    mutation.liveness(entry.life);
  }
  entries_.clear();
}

}  // namespace tailrace::cql_query
