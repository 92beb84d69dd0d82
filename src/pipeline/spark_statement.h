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

}  // namespace tailrace::pipeline
