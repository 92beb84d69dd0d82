#include "cql_query/batch_size.h"

#include <algorithm>
#include <functional>
#include <ranges>

#include "cql_query/cell_path.h"
#include "cql_types/type.h"

namespace tailrace::cql_query {
namespace {

// Cassandra's sizes of what has no value (5.0: TypeSizes, DeletionTime, LivenessInfo).
constexpr std::size_t kTime = 8, kTtl = 4, kDeletion = 12, kCell = kTime + kTtl + kTime;
constexpr std::size_t kRow = kTime + kDeletion + 1;
constexpr std::size_t kPartition = kRow + kTime;  // its static row, and when it was deleted
constexpr std::size_t kSlice = kTime + 4;
constexpr std::size_t kIncrement = 36;  // what a counter's cell holds of one

// Parts of a row that are no cells.
constexpr std::uint64_t kWhole = 0, kLiveness = 1, kSlices = 2;

std::uint64_t hash(std::string_view bytes, std::uint64_t seed) {
  const std::uint64_t mixed = std::hash<std::string_view>{}(bytes) + 0x9E3779B97F4A7C15;
  return (seed ^ mixed) * 0xFF51AFD7ED558CCD + (seed >> 29);
}

std::size_t clustering_bytes(const cql_schema::Table& table, const cql_store::RowKey& row) {
  if (row.clustering.empty()) return 0;
  std::vector<std::string> buffer;
  const auto values = decode_clustering(table, row.clustering, row.raw, buffer);
  if (!values) return row.clustering.size();
  std::size_t bytes = 0;
  for (const auto& value : *values) bytes += value.value_or("").size();
  return bytes;
}

// Of a cell's path and value, as Cassandra has them.
std::size_t cell_bytes(const cql_types::Type& type, std::string_view path, std::string_view value) {
  const bool by_key = type.kind == cql_types::Kind::kSet || type.kind == cql_types::Kind::kMap;
  if (!type.is_multi_cell() || !by_key) return path.size() + value.size();
  std::string buffer;
  cql_store::Cell cell;
  cell.path = path;
  cell.value = value;
  const auto element = element_of(type, cell, buffer);
  return element ? element->key.size() + element->value.size() : path.size();
}

template <typename Field>
std::size_t count_different(const auto& list, Field field) {
  std::vector<std::uint64_t> found;
  for (const auto& one : list) found.push_back(one.*field);
  std::ranges::sort(found);
  return static_cast<std::size_t>(std::ranges::unique(found).begin() - found.begin());
}

}  // namespace

void BatchSize::add(std::uint64_t part, std::size_t bytes) {
  entries_.push_back({partition_, row_, part, bytes});
}

void BatchSize::partition(const cql_schema::Table& table, const Key& key) {
  const std::uint64_t by_key = hash(key.bytes, 0);
  const std::uint64_t made = hash(key.bytes, table.number.value);
  if (partitions_.empty() || partitions_.back().hash != made) {
    partitions_.push_back({made, hash(table.keyspace, by_key), by_key});
  }
  if (tables_.empty() || tables_.back() != &table) tables_.push_back(&table);
  partition_ = made;
  row_ = kWhole;
  add(kWhole, kPartition);
}

void BatchSize::row(const cql_schema::Table& table, const Key& key, const cql_store::RowKey& row) {
  partition(table, key);
  if (row.is_static) return;
  row_ = hash(row.clustering, 1);
  add(kWhole, kRow + clustering_bytes(table, row));
}

void BatchSize::liveness(bool expires) {
  add(kLiveness, expires ? kTtl + kTime : 0);
}

void BatchSize::cell(const cql_schema::Column& column, std::string_view path,
                     std::string_view value) {
  const std::uint64_t of_column = hash(column.name, 2);
  add(hash(path, of_column), kCell + cell_bytes(*column.type, path, value));
  if (column.type->is_multi_cell()) this->column(column);
}

void BatchSize::column(const cql_schema::Column& column) {
  add(hash(column.name, 2), kDeletion);
}

void BatchSize::counter(const cql_schema::Column& column) {
  add(hash(column.name, 2), kCell + kIncrement);
}

void BatchSize::slice(const cql_schema::Table& table, const Key& key,
                      const cql_store::Slice& slice) {
  partition(table, key);
  add(kSlices, 4);
  add(hash(slice.begin, hash(slice.end, 3)), kSlice + slice.begin.size() + slice.end.size());
}

std::size_t BatchSize::mutations() const {
  return count_different(partitions_, &Partition::in_keyspace);
}

std::size_t BatchSize::keys() const {
  return count_different(partitions_, &Partition::key);
}

std::size_t BatchSize::bytes() const {
  auto entries = entries_;
  std::ranges::stable_sort(entries, {}, &Entry::identity);
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    // Of several writes to one place the last counts.
    const bool last = i + 1 == entries.size() || entries[i].identity() != entries[i + 1].identity();
    if (last) bytes += entries[i].bytes;
  }
  return bytes;
}

std::string BatchSize::tables() const {
  std::vector<std::string> names;
  for (const auto* table : tables_) names.push_back(table_text(*table));
  return hash_set_text(std::move(names));
}

std::string hash_set_text(std::vector<std::string> names) {
  std::vector<std::string> distinct;
  for (auto& name : names) {
    if (std::ranges::find(distinct, name) == distinct.end()) distinct.push_back(std::move(name));
  }
  std::uint32_t buckets = 16;  // doubled when three quarters are full
  while (distinct.size() * 4 > buckets * std::size_t{3}) buckets *= 2;
  std::ranges::stable_sort(distinct, {}, [buckets](const std::string& name) {
    std::uint32_t code = 0;  // String.hashCode; names are ASCII
    for (const char c : name) code = code * 31 + static_cast<unsigned char>(c);
    return (code ^ code >> 16) & (buckets - 1);
  });
  std::string text = "[";
  for (const auto& name : distinct) {
    if (text.size() > 1) text += ", ";
    text += name;
  }
  return text + "]";
}

std::string table_text(const cql_schema::Table& table) {
  return cql_types::quoted_if_needed(table.keyspace) + "." +
         cql_types::quoted_if_needed(table.name);
}

}  // namespace tailrace::cql_query
