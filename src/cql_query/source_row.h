// The row in hand of a SELECT, wherever it comes from: the store's cells, or a virtual table's
// values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cql_query/restrictions.h"
#include "cql_schema/schema.h"
#include "cql_schema/system_tables.h"
#include "cql_store/cells.h"
#include "cql_terms/selection.h"
#include "cql_types/parts.h"

namespace tailrace::cql_query {

/// A row of the store that outlives the callback that gave it.
class KeptRow {
 public:
  void assign(const cql_store::Row& row);
  void clear() { row_.reset(); }
  const cql_store::Row* get() const { return row_ ? &*row_ : nullptr; }

 private:
  std::optional<cql_store::Row> row_;
  std::string bytes_;
};

class SourceRow {
 public:
  SourceRow(const cql_schema::Table& table, std::int64_t now_seconds)
      : table_(table), now_seconds_(now_seconds), buffers_(table.columns.size()) {}

  /// The partition of the rows that follow.
  Result<void> partition(std::string_view key);
  void static_row(const cql_store::Row* row) { static_ = row; }
  /// A row of the store; null: the partition has only its static row.
  Result<void> row(const cql_store::Row* row);
  /// A row of a virtual table, and all of it.
  void values(const cql_schema::Values* values) { values_ = values; }

  /// The value of a column, in the protocol's bytes; a view until the next row.
  cql_types::Part value(int column);
  /// When the cells of a column were written.
  std::span<const cql_terms::CellTime> times(int column);

 private:
  const cql_schema::Table& table_;
  std::int64_t now_seconds_;
  const cql_schema::Values* values_ = nullptr;
  const cql_store::Row *row_ = nullptr, *static_ = nullptr;
  std::vector<cql_types::Part> partition_, clustering_;
  std::vector<std::string> clustering_buffer_, buffers_;
  std::vector<std::vector<cql_terms::CellTime>> times_;
};

/// Whether the row has what the condition asks.
bool satisfies(SourceRow& row, const cql_schema::Table& table, const Condition& condition);

}  // namespace tailrace::cql_query
