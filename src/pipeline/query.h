// One query of the shell over the project's tables: the same circuits as the flows', fed once with
// what the tables hold.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "columns/types.h"
#include "sql/sql.h"

namespace tailrace::pipeline {

/// A relation a query may read.
struct QueryRelation {
  std::string name;  ///< "users", "system.tables"
  Schema schema;
  std::function<Status(const std::function<Status(const Batch&)>&)> scan;
  /// A sentence, asked when the scan gave no row.
  std::function<std::string()> why_empty = {};
};

struct QueryResult {
  Schema schema;
  std::vector<Batch> rows;
  bool truncated = false;               ///< there were more than the limit
  std::vector<std::string> notes = {};  ///< why relations that were read had no row: sentences
};

/// The columns of a SELECT over relations of these names and schemas; nothing is read. `file`
/// begins the places of errors. Nothing where it reads a relation `system.…`: those are there only
/// when a project runs.
Result<std::optional<Schema>> check_query(std::string_view text, const std::string& file,
                                          const std::vector<QueryRelation>& relations);

/// SELECT, SHOW TABLES, DESCRIBE, EXPLAIN. At most `max_rows` rows come back. kDeadlineExceeded: it
/// is not done by `until`.
Result<QueryResult> run_query(std::string_view text, const std::vector<QueryRelation>& relations,
                              std::int64_t now_us, std::int64_t max_rows = 10000,
                              std::optional<std::chrono::steady_clock::time_point> until = {});

}  // namespace tailrace::pipeline
