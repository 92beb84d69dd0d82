// One statement of pipeline SQL as open Spark takes it: spark_project.h says what is rewritten, and
// into what.
#pragma once

#include <string>

#include "base/result.h"
#include "sql/ast.h"

namespace tailrace::pipeline {

/// The text, without a final semicolon; it may be several statements. `target` is the table a
/// CREATE FLOW writes into when that table has expectations, else null. kUnimplemented with the
/// place: no form in open Spark.
Result<std::string> spark_statement(const sql::Statement& statement, const sql::Statement* target);

/// The condition of the rows that `name` takes; it raises an error for the first that breaks a FAIL
/// UPDATE expectation.
std::string kept_rows(const std::vector<sql::ExpectationClause>& expectations,
                      const std::string& name);
/// The condition of the rows that broke a DROP ROW expectation; "" without such.
std::string dropped_rows(const std::vector<sql::ExpectationClause>& expectations);
/// `… AS reason`: the names of what such a row broke.
std::string reason_column(const std::vector<sql::ExpectationClause>& expectations);

}  // namespace tailrace::pipeline
