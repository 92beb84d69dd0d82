// The select clause: columns, functions, aggregates, casts, arithmetic, elements, fields, writetime
// and ttl; `*`, DISTINCT's columns, JSON. Checked once, then evaluated for every row.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cql_schema/schema.h"
#include "cql_syntax/data_statements.h"
#include "cql_terms/term.h"
#include "cql_types/parts.h"

namespace tailrace::cql_terms {

/// What selectors need of a column.
struct Fetched {
  int column = 0;      // its place in Table::columns
  bool cells = false;  // writetime or ttl is asked: InputValue::cells
};

/// When a cell was written. Multi-cell columns have one for each cell, in their order.
struct CellTime {
  std::int64_t timestamp = 0;
  std::int32_t ttl_left = 0;  // seconds; 0: none
};

/// A column of the row in hand: its value in the protocol's bytes (collections put together).
struct InputValue {
  cql_types::Part value;
  std::span<const CellTime> cells = {};
};

/// Evaluates rows. One for each execution; not for several threads.
class Evaluation {
 public:
  virtual ~Evaluation() = default;
  /// Once, before the first row: what is refused even where there are no rows (1 / 0 of constants,
  /// null as a key of c[?]).
  virtual Outcome<void> begin() = 0;
  /// A row, by Selection::fetched. Without aggregates appends the result's row to `out` (each
  /// column as [bytes]: a length:i32, -1 for null, and the bytes); with them it adds to the group.
  /// GROUP BY without aggregates is the first row of each group, and the caller gives no other.
  virtual Outcome<void> row(std::span<const InputValue> values, std::string& out) = 0;
  /// Ends a group: appends its row, and starts anew. Columns outside of aggregates are those of the
  /// group's first row. A group without rows gives a row too (count 0, other aggregates null).
  virtual Outcome<void> end_group(std::string& out) = 0;
};

class Selection {
 public:
  virtual ~Selection() = default;
  virtual const std::vector<Fetched>& fetched() const = 0;
  virtual const std::shared_ptr<const std::vector<ColumnSpec>>& columns() const = 0;
  virtual bool has_aggregates() const = 0;
  /// True of columns alone, without functions: result column i is fetched()[i].
  virtual bool plain() const = 0;
  virtual std::unique_ptr<Evaluation> evaluate(const Bindings& bindings) const = 0;
};

/// The selection of a statement on `table`. Where ORDER BY asks for columns that are not selected
/// the caller fetches them itself.
Outcome<std::shared_ptr<const Selection>> select(const cql_syntax::Select& statement,
                                                 const cql_schema::Table& table,
                                                 const Scope& scope);

/// Whether SELECT DISTINCT may have these columns: static ones and those of the partition key, all
/// of it where a range of keys is read.
Outcome<void> check_distinct(const Selection& selection, const cql_schema::Table& table,
                             bool key_range);

/// An expression of GROUP BY: a column of the primary key, or a monotonic function of one
/// clustering column (floor(time, 1h)), evaluated over the fetched column of its own.
Outcome<std::shared_ptr<const Selection>> group_by(const cql_syntax::Expression& expression,
                                                   const cql_schema::Table& table,
                                                   const Scope& scope);

}  // namespace tailrace::cql_terms
