// A database of a connection, as operators of SQL use it: PostgreSQL, SQLite, the project's own
// tables.
#pragma once

#include <memory>

#include "tasks/operator.h"

namespace tailrace::tasks {

struct SqlAnswer {
  bool has_rows = false;  ///< a query, though it may have given no row
  jinja::List rows;       ///< tuples
};

class SqlClient {
 public:
  /// By the connection's type: postgres, sqlite, tailrace. `database` goes over the connection's.
  static Result<std::unique_ptr<SqlClient>> open(Context& context, const std::string& connection,
                                                 const std::string& database);
  virtual ~SqlClient() = default;

  /// Parameters: None, a list or tuple, or a dict; their places are written as the database's
  /// Python client has them: ? and :name for SQLite, %s and %(name)s for the others.
  virtual Result<SqlAnswer> run(const std::string& sql, const jinja::Value& parameters) = 0;
  /// Of what comes after it: each statement is kept at once. Before the first run().
  virtual Status autocommit() = 0;
  virtual Status commit() = 0;
};

/// Texts of statements between semicolons, without comments; quotes and dollar quotes are whole.
std::vector<std::string> split_statements(std::string_view sql);

/// Python's `sql % parameters`, with values as literals of PostgreSQL; `spark` with those of the
/// project's SQL.
Result<std::string> interpolated(std::string_view sql, const jinja::Value& parameters, bool spark);

}  // namespace tailrace::tasks
