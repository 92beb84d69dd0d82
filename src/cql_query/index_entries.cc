// Entries of indexes: their values and their places.
#include "cql_query/index_entries.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "cql_query/analyzer.h"
#include "cql_query/cell_path.h"
#include "cql_types/sort_key.h"

namespace tailrace::cql_query {
namespace {

using cql_schema::Column;
using cql_schema::ColumnKind;
using cql_schema::Index;
using cql_schema::Table;
using cql_types::invalid;
using Target = Index::Target;

constexpr std::uint64_t kSign = 1ULL << 63U;

const cql_types::Type& blob() {
  static const cql_types::TypePtr type = cql_types::native_type(cql_types::Kind::kBlob);
  return *type;
}

Outcome<void> append_value(std::string& out, const Table* table, const Index& index,
                           const cql_types::Type& type, std::string_view value) {
  if (value.size() > kMaxIndexed && table != nullptr) {
    return invalid(fmt::format(
        "Cannot index value of size {} for index {} on {}.{}({}) (maximum allowed size={})",
        value.size(), index.name, table->keyspace, table->name, index.column, kMaxIndexed));
  }
  const bool text = type.kind == cql_types::Kind::kText || type.kind == cql_types::Kind::kAscii;
  const auto analysis = text ? analysis_of(index) : Analysis{};
  if (analysis.any()) {
    TRY(cql_types::append_sort_key(out, type, analyzed(value, analysis), false));
  } else {
    TRY(cql_types::append_sort_key(out, type, value, false));
  }
  return {};
}

}  // namespace

bool is_storage_attached(const Index& index) {
  const auto named = index.options.find("class_name");
  if (named == index.options.end()) return false;
  std::string name = named->second.substr(named->second.rfind('.') + 1);
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name == "storageattachedindex" || name == "sai";
}

bool is_kept(const Index& index) {
  return !index.column.empty() && (index.kind != "CUSTOM" || is_storage_attached(index));
}

bool is_of_rows(const Column& column) {
  return column.kind == ColumnKind::kClustering || column.kind == ColumnKind::kRegular;
}

Outcome<std::string> indexed_value(const Table& table, const Index& index, const Column& column,
                                   std::string_view path, std::string_view value) {
  std::string out;
  const auto& type = *column.type;
  if (!type.is_multi_cell()) {
    TRY(append_value(out, &table, index, type, value));
    return out;
  }
  if (type.kind == cql_types::Kind::kList) {
    TRY(append_value(out, &table, index, *type.parameters[0], value));
    return out;
  }
  cql_store::Cell cell;
  cell.path = path;
  cell.value = value;
  std::string buffer;
  ASSIGN(const Element element, element_of(type, cell, buffer));
  const bool map = type.kind == cql_types::Kind::kMap;
  if (!map || index.target != Target::kValues)
    TRY(append_value(out, &table, index, *type.parameters[0], element.key));
  if (map && index.target != Target::kKeys)
    TRY(append_value(out, &table, index, *type.parameters[1], element.value));
  return out;
}

Outcome<std::string> indexed_value(const Table& table, const Index& index, const Column& column,
                                   std::string_view value) {
  std::string out;
  TRY(append_value(out, &table, index, *column.type, value));
  return out;
}

Outcome<std::string> asked_value(const Index& index, const Column& column,
                                 const std::optional<std::string>& key, std::string_view value) {
  std::string out;
  const auto& type = *column.type;
  if (!type.is_multi_cell()) {
    TRY(append_value(out, nullptr, index, type, value));
    return out;
  }
  if (key) {
    TRY(append_value(out, nullptr, index, *type.parameters[0], *key));
    TRY(append_value(out, nullptr, index, *type.parameters[1], value));
    return out;
  }
  const bool of_map_values = type.kind == cql_types::Kind::kMap && index.target == Target::kValues;
  TRY(append_value(out, nullptr, index, *type.parameters[of_map_values ? 1 : 0], value));
  return out;
}

Key partition_of(std::string value) {
  char first[sizeof(std::uint64_t)] = {};
  std::memcpy(first, value.data(), std::min(value.size(), sizeof first));
  Key key;
  key.token = static_cast<std::int64_t>(load_be<std::uint64_t>(first) ^ kSign);
  key.bytes = std::move(value);
  return key;
}

std::string entry_place(const Key& key, std::string_view clustering) {
  std::string place;
  place.reserve(sizeof key.token + key.bytes.size() + 4 + clustering.size());
  append_be(place, static_cast<std::uint64_t>(key.token) ^ kSign);
  // Partition keys are no longer than what can be a sort key.
  (void)cql_types::append_sort_key(place, blob(), key.bytes, false);
  place += clustering;
  return place;
}

Result<EntryPlace> read_place(std::string_view place) {
  if (place.size() < sizeof(std::uint64_t)) return error(Code::kDataLoss, "an entry is cut off");
  EntryPlace read;
  read.key.token = static_cast<std::int64_t>(load_be<std::uint64_t>(place.data()) ^ kSign);
  place.remove_prefix(sizeof(std::uint64_t));
  ASSIGN(auto bytes, cql_types::take_sort_key(place, blob(), false));
  if (!bytes) return error(Code::kDataLoss, "an entry of an index has no key");
  read.key.bytes = std::move(*bytes);
  read.clustering = place;
  return read;
}

bool still_has(const Table& table, const Index& index, const Column& column,
               const cql_store::Row& row, std::string_view value) {
  if (column.kind == ColumnKind::kPartitionKey || column.kind == ColumnKind::kClustering)
    return true;
  const auto [first, count] = row.of(column.number.value);
  return std::any_of(first, first + count, [&](const cql_store::Cell& cell) {
    const auto has = indexed_value(table, index, column, cell.path, cell.value);
    return has && *has == value;
  });
}

}  // namespace tailrace::cql_query
