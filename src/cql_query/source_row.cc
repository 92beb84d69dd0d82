// Values of the row in hand, and conditions on them.
#include "cql_query/source_row.h"

#include <algorithm>

#include "cql_query/analyzer.h"
#include "cql_query/modification.h"
#include "cql_types/compare.h"
#include "cql_types/token.h"

namespace tailrace::cql_query {

using Target = cql_schema::Index::Target;
using cql_schema::Column;
using cql_schema::ColumnKind;
using cql_syntax::Operator;
using cql_types::Part;

void KeptRow::assign(const cql_store::Row& row) {
  std::size_t size = row.partition.size() + row.clustering.size() + row.raw_clustering.size();
  for (const auto& cell : row.cells) size += cell.path.size() + cell.value.size();
  bytes_.clear();
  bytes_.reserve(size);
  row_ = row;
  const auto keep = [&](std::string_view& view) {
    const std::size_t at = bytes_.size();
    bytes_.append(view);
    view = std::string_view(bytes_).substr(at);
  };
  keep(row_->partition);
  keep(row_->clustering);
  keep(row_->raw_clustering);
  for (auto& cell : row_->cells) {
    keep(cell.path);
    keep(cell.value);
  }
}

Result<void> SourceRow::partition(std::string_view key) {
  const auto count = static_cast<std::size_t>(table_.partition_columns);
  std::vector<std::string_view> values(count);
  if (count == 1) {
    values[0] = key;
  } else {
    TRY(cql_types::split_partition_key(key, values));
  }
  partition_.assign(values.begin(), values.end());
  row_ = static_ = nullptr;
  return {};
}

Result<void> SourceRow::row(const cql_store::Row* row) {
  row_ = row;
  clustering_.clear();
  if (row == nullptr || table_.clustering_columns == 0) return {};
  ASSIGN(clustering_,
         decode_clustering(table_, row->clustering, row->raw_clustering, clustering_buffer_));
  return {};
}

Part SourceRow::value(int place) {
  const auto at = static_cast<std::size_t>(place);
  if (values_ != nullptr) {
    const auto& value = (*values_)[at];
    return value ? Part(*value) : Part();
  }
  const Column& column = table_.columns[at];
  switch (column.kind) {
    case ColumnKind::kPartitionKey:
      return partition_[at];
    case ColumnKind::kClustering:
      return clustering_.empty() ? Part() : clustering_[static_cast<std::size_t>(column.position)];
    case ColumnKind::kStatic:
      return static_ == nullptr ? Part() : column_value(column, *static_, buffers_[at]);
    case ColumnKind::kRegular:
      return row_ == nullptr ? Part() : column_value(column, *row_, buffers_[at]);
  }
  return {};
}

std::span<const cql_terms::CellTime> SourceRow::times(int place) {
  const auto at = static_cast<std::size_t>(place);
  const Column& column = table_.columns[at];
  const cql_store::Row* from = column.kind == ColumnKind::kStatic ? static_ : row_;
  if (from == nullptr || values_ != nullptr) return {};
  if (times_.empty()) times_.resize(table_.columns.size());
  auto& times = times_[at];
  times.clear();
  const auto [first, count] = from->of(column.number.value);
  for (std::size_t i = 0; i < count; ++i) {
    const auto& cell = first[i];
    const std::int64_t left =
        cell.ttl == 0 ? 0 : std::max<std::int64_t>(0, cell.expires - now_seconds_);
    times.push_back({cell.timestamp, static_cast<std::int32_t>(left)});
  }
  return times;
}

namespace {

bool holds(Operator op, std::weak_ordering order) {
  switch (op) {
    case Operator::kEqual:
      return order == 0;
    case Operator::kNotEqual:
      return order != 0;
    case Operator::kLess:
      return order < 0;
    case Operator::kLessEqual:
      return order <= 0;
    case Operator::kMore:
      return order > 0;
    case Operator::kMoreEqual:
      return order >= 0;
    default:
      return false;
  }
}

/// Whether an element, key or entry of a collection equals what is asked.
/// Whether a query for `asked` finds `value`.
bool is_found(const cql_types::Type& type, std::string_view value, std::string_view asked,
              const Analysis& analysis) {
  if (analysis.any()) return analyzed(value, analysis) == analyzed(asked, analysis);
  return cql_types::compare(type, value, asked) == 0;
}

bool contains(const cql_types::Type& type, std::string_view collection, const Condition& condition,
              const Analysis& analysis) {
  const bool map = type.kind == cql_types::Kind::kMap;
  cql_types::CollectionReader reader(collection, map ? 2 : 1);
  Part key, value;
  while (reader.next(key)) {
    if (map && !reader.next(value)) return false;
    const Part& element = map ? value : key;
    if (condition.element) {
      if (key && value && cql_types::compare(type.key(), *key, *condition.element) == 0)
        return cql_types::compare(type.value(), *value, condition.value) == 0;
      continue;
    }
    const bool by_key = condition.op == Operator::kContainsKey;
    const Part& asked = by_key ? key : element;
    const auto& of = by_key || !map ? *type.parameters[0] : *type.parameters[1];
    if (asked && is_found(of, *asked, condition.value, analysis)) return true;
  }
  return false;
}

}  // namespace

bool satisfies(SourceRow& row, const cql_schema::Table& table, const Condition& condition) {
  const Part value = row.value(condition.column);
  if (!value) return false;
  const auto& column = table.columns[static_cast<std::size_t>(condition.column)];
  const auto& type = *column.type;
  const auto analysis = [&](Target target) {
    return table.indexes.empty() ? Analysis{} : analysis_of(table, column, target);
  };
  if (condition.element) return contains(type, *value, condition, {});
  if (condition.op == Operator::kContains)
    return contains(type, *value, condition, analysis(Target::kValues));
  if (condition.op == Operator::kContainsKey)
    return contains(type, *value, condition, analysis(Target::kKeys));
  if (condition.op == Operator::kIn)
    return std::ranges::any_of(condition.values, [&](const std::string& one) {
      return cql_types::compare(type, *value, one) == 0;
    });
  if (condition.op == Operator::kEqual)
    return is_found(type, *value, condition.value, analysis(Target::kSimple));
  return holds(condition.op, cql_types::compare(type, *value, condition.value));
}

}  // namespace tailrace::cql_query
