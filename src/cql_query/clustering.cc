// Clusterings and slices of them.
#include "cql_query/clustering.h"

#include <algorithm>

#include "cql_types/parts.h"
#include "cql_types/sort_key.h"

namespace tailrace::cql_query {
namespace {

using cql_store::Slice;

/// Stands for a column that a row of a COMPACT STORAGE table leaves out: before all values, in
/// either order, as in Cassandra's ClusteringComparator. No reversed sort key begins with it.
constexpr char kLeftOut = 1;

/// Whether an end comes before another; empty is behind all.
bool end_before(const std::string& a, const std::string& b) {
  if (a.empty()) return false;
  return b.empty() || a < b;
}

}  // namespace

std::string after_prefix(std::string_view prefix) {
  std::string key(prefix);
  while (!key.empty() && static_cast<unsigned char>(key.back()) == 0xFF) key.pop_back();
  if (!key.empty()) ++key.back();
  return key;
}

Outcome<void> append_clustering_key(std::string& out, const cql_schema::Column& column,
                                    cql_types::Part value) {
  TRY(cql_types::append_sort_key(out, *column.type, value, column.descending));
  return {};
}

Outcome<Clustering> encode_clustering(const cql_schema::Table& table,
                                      std::span<const std::string_view> values) {
  Clustering made;
  bool kept = true;
  for (int i = 0; const auto value : values) {
    const auto& column = table.clustering_column(i++);
    TRY(append_clustering_key(made.key, column, value));
    kept &= cql_types::keeps_bytes(*column.type);
  }
  const auto left_out = static_cast<std::size_t>(table.clustering_columns) - values.size();
  made.key.append(left_out, kLeftOut);
  if (kept) return made;
  for (const auto value : values) cql_types::append_part(made.raw, value);
  for (std::size_t i = 0; i < left_out; ++i) cql_types::append_part(made.raw, std::nullopt);
  return made;
}

Result<std::vector<cql_types::Part>> decode_clustering(const cql_schema::Table& table,
                                                       std::string_view key, std::string_view raw,
                                                       std::vector<std::string>& buffer) {
  const auto count = static_cast<std::size_t>(table.clustering_columns);
  std::vector<cql_types::Part> values(count);
  if (!raw.empty()) {
    cql_types::TupleReader reader(raw);
    for (auto& value : values)
      if (!reader.next(value)) return error(Code::kDataLoss, "a row's clustering is cut off");
    return values;
  }
  buffer.clear();
  buffer.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto& column = table.clustering_column(static_cast<int>(i));
    if (key.starts_with(kLeftOut)) {
      key.remove_prefix(1);
      continue;
    }
    ASSIGN(auto value, cql_types::take_sort_key(key, *column.type, column.descending));
    if (!value) continue;
    buffer[i] = std::move(*value);
    values[i] = buffer[i];
  }
  return values;
}

Slice slice_of_prefix(std::string_view prefix) {
  return {std::string(prefix), after_prefix(prefix)};
}

Outcome<Slices> slices_of_bound(std::string_view prefix,
                                std::span<const cql_schema::Column* const> columns,
                                const BoundValues& bound) {
  Slices slices;
  std::string key(prefix);
  for (std::size_t i = 0; i < bound.values.size(); ++i) {
    // Equal so far, and beyond the bound in this column: on one side of the value's keys.
    const Slice equal = slice_of_prefix(key);
    const auto& value = bound.values[i];
    TRY(append_clustering_key(key, *columns[i],
                              value ? cql_types::Part(*value) : cql_types::Part()));
    const bool above = bound.lower != columns[i]->descending;
    Slice beyond = above ? Slice{after_prefix(key), equal.end} : Slice{equal.begin, key};
    if (above && beyond.begin.empty()) continue;  // nothing has a greater key
    slices.push_back(std::move(beyond));
  }
  if (bound.inclusive) slices.push_back(slice_of_prefix(key));
  return normalised(std::move(slices));
}

Slices intersection(const Slices& a, const Slices& b) {
  Slices both;
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    Slice slice{std::max(a[i].begin, b[j].begin),
                end_before(a[i].end, b[j].end) ? a[i].end : b[j].end};
    if (slice.end.empty() || slice.begin < slice.end) both.push_back(std::move(slice));
    if (end_before(a[i].end, b[j].end)) {
      ++i;
    } else {
      ++j;
    }
  }
  return both;
}

Slices normalised(Slices slices) {
  std::erase_if(slices, [](const Slice& s) { return !s.end.empty() && s.begin >= s.end; });
  std::ranges::sort(slices, {}, &Slice::begin);
  Slices joined;
  for (auto& slice : slices) {
    if (!joined.empty() && (joined.back().end.empty() || slice.begin <= joined.back().end)) {
      if (end_before(joined.back().end, slice.end)) joined.back().end = std::move(slice.end);
    } else {
      joined.push_back(std::move(slice));
    }
  }
  return joined;
}

}  // namespace tailrace::cql_query
