#include "cql_query/prepared_modification.h"

#include <fmt/format.h>

#include <algorithm>

#include "cql_types/token.h"

namespace tailrace::cql_query {

using cql_schema::ColumnKind;
using cql_terms::Value;
using cql_types::invalid;

StatementBindings::StatementBindings(const Bindings& given, std::shared_ptr<const JsonRow> row)
    : given_(&given), row_(std::move(row)), json_(std::make_unique<Bindings>()) {
  json_->values = row_->values;
  json_->now_us = given.now_us;
  json_->timeuuids = given.timeuuids;
}

bool PreparedModification::only_static() const {
  const bool rows = !operations_.regular.empty() || !conditions_.regular.empty() ||
                    (kind_ == StatementKind::kDelete && operations_.of_static.empty());
  return !rows && (!operations_.of_static.empty() || !conditions_.of_static.empty());
}

bool PreparedModification::has_slices() const {
  return kind_ == StatementKind::kDelete && restrictions_->has_clustering() &&
         restrictions_->is_column_range();
}

Outcome<void> PreparedModification::check() const {
  if (table_->counter && options_.sets_timestamp()) {
    return invalid("Cannot provide custom timestamp for counter updates");
  }
  if (table_->counter && options_.sets_ttl()) {
    return invalid("Cannot provide custom TTL for counter updates");
  }
  if (table_->view) return invalid("Cannot directly modify a materialized view");
  if (!table_->virtual_table) return {};
  if (options_.sets_timestamp()) {
    return invalid("Custom timestamp is not supported by virtual tables");
  }
  if (options_.sets_ttl()) return invalid("Expiring columns are not supported by virtual tables");
  if (has_conditions()) return invalid("Conditional updates are not supported by virtual tables");
  return {};
}

Outcome<StatementBindings> PreparedModification::bind(const Bindings& bindings) const {
  if (json_row_ != nullptr) return StatementBindings(bindings, json_row_);
  if (json_ == nullptr) return StatementBindings(bindings);
  ASSIGN(const Value text, json_->bind(bindings));
  if (text.kind != Value::Kind::kBytes) return invalid("Got null for INSERT JSON values");
  ASSIGN(auto row, json_row(*table_, text.bytes, json_default_unset_, bindings.now_us));
  return StatementBindings(bindings, std::move(row));
}

Outcome<std::vector<Key>> PreparedModification::keys(const StatementBindings& bindings) const {
  ASSIGN(auto keys, restrictions_->keys(bindings.columns()));
  for (const Key& key : keys) {
    if (key.bytes.empty()) return invalid("Key may not be empty");
    if (key.bytes.size() > cql_types::kMaxKey) {
      return invalid(fmt::format("Key length of {} is longer than maximum of {}", key.bytes.size(),
                                 cql_types::kMaxKey));
    }
  }
  return keys;
}

Outcome<std::vector<std::optional<Clustering>>> PreparedModification::rows(
    const StatementBindings& bindings) const {
  std::vector<std::optional<Clustering>> rows;
  if (!restrictions_->has_clustering()) {
    rows.emplace_back();
    return rows;
  }
  ASSIGN(auto clusterings, restrictions_->clusterings(bindings.columns()));
  rows.reserve(clusterings.size());
  for (auto& clustering : clusterings) rows.emplace_back(std::move(clustering));
  return rows;
}

Outcome<std::int32_t> PreparedModification::ttl(const StatementBindings& bindings) const {
  return options_.ttl(bindings.given(), *table_);
}

Outcome<void> PreparedModification::apply(const Bindings& bindings, const Moment& moment,
                                          const cql_store::Snapshot* snapshot,
                                          cql_store::Mutation& mutation) const {
  ASSIGN(const StatementBindings bound, bind(bindings));
  return write(bound, moment, snapshot, mutation, nullptr);
}

Outcome<void> PreparedModification::write(const StatementBindings& bindings, const Moment& moment,
                                          const cql_store::Snapshot* snapshot,
                                          cql_store::Mutation& mutation, BatchSize* size) const {
  ASSIGN(const auto keys, keys(bindings));
  std::vector<cql_store::Slice> slices;
  std::vector<std::optional<Clustering>> rows;
  if (has_slices()) {
    ASSIGN(slices, restrictions_->slices(bindings.columns()));
  } else {
    ASSIGN(rows, this->rows(bindings));
  }
  if (slices.empty() && rows.empty()) return {};

  WriteTimes times;
  ASSIGN(times.timestamp, options_.timestamp(bindings.given(), moment.timestamp_us));
  ASSIGN(times.ttl, ttl(bindings));
  if (times.timestamp == cql_store::kNoTimestamp) {
    return invalid(fmt::format("Out of bound timestamp, must be in [{}, {}]",
                               cql_store::kNoTimestamp + 1,
                               std::numeric_limits<std::int64_t>::max()));
  }
  times.deletion = times.timestamp;
  times.now_seconds = moment.now_seconds;
  times.expires = expiry(moment.now_seconds, times.ttl);
  if (table_->virtual_table) {
    return invalid("Modification is not supported by table " + table_text(*table_));
  }

  RowWriter writer(mutation, times, reads_ ? snapshot : nullptr, size);
  for (const Key& key : keys) {
    for (const auto& slice : slices) TRY(write_slice(key, slice, writer));
    for (const auto& row : rows) TRY(write_row(key, row, bindings, writer));
  }
  return writer.finish();
}

Outcome<void> PreparedModification::write_operations(const std::vector<OperationPtr>& operations,
                                                     const StatementBindings& bindings,
                                                     RowWriter& writer) const {
  for (const auto& operation : operations) TRY(operation->execute(bindings.columns(), writer));
  return {};
}

cql_store::RowKey row_key(const std::optional<Clustering>& clustering) {
  cql_store::RowKey row;
  if (clustering) {
    row.clustering = clustering->key;
    row.raw = clustering->raw;
  }
  return row;
}

Outcome<void> PreparedModification::write_row(const Key& key,
                                              const std::optional<Clustering>& clustering,
                                              const StatementBindings& bindings,
                                              RowWriter& writer) const {
  if (kind_ == StatementKind::kDelete && operations_.empty()) {
    if (!clustering) {
      writer.delete_partition(*table_, key);
      return {};
    }
    writer.row(*table_, key, row_key(clustering));
    writer.delete_row();
    return {};
  }
  const bool rows = kind_ == StatementKind::kDelete ? !operations_.regular.empty() : updates_rows_;
  if (rows) {
    if (!updates_rows_) {
      return invalid("Range deletions are not supported for specific columns");
    }
    writer.row(*table_, key, row_key(clustering));
    if (table_->compact && table_->clustering_columns > 0) TRY(check_compact());
    if (kind_ == StatementKind::kInsert && !lives_by_cells()) writer.liveness();
    TRY(write_operations(operations_.regular, bindings, writer));
  }
  if (operations_.of_static.empty()) return {};
  writer.row(*table_, key, {.clustering = {}, .raw = {}, .is_static = true});
  return write_operations(operations_.of_static, bindings, writer);
}

// Rows of compact tables are there as long as they have a cell, where they can have one.
bool PreparedModification::lives_by_cells() const {
  return table_->compact && std::ssize(table_->columns) > table_->key_columns();
}

Outcome<void> PreparedModification::check_compact() const {
  if (kind_ == StatementKind::kDelete || !operations_.regular.empty() || !lives_by_cells()) {
    return {};
  }
  return invalid(fmt::format("Column {} is mandatory for this COMPACT STORAGE table",
                             table_->columns.back().name));
}

Outcome<void> PreparedModification::write_slice(const Key& key, const cql_store::Slice& slice,
                                                RowWriter& writer) const {
  if (!operations_.empty()) {
    return invalid("Range deletions are not supported for specific columns");
  }
  writer.delete_slice(*table_, key, slice);
  return {};
}

}  // namespace tailrace::cql_query
