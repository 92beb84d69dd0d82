// The row in the text of INSERT … JSON, as values of a table's columns.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "cql_query/modification.h"

namespace tailrace::cql_query {

/// Values of all columns in the table's order; columns the text does not name are null or unset.
struct JsonRow {
  std::list<std::string> bytes;
  std::vector<cql_terms::Value> values;  // views into `bytes`
};

/// kInvalid for what is no JSON object of the table's columns, in Cassandra's words where it is
/// about columns and values.
Outcome<std::shared_ptr<const JsonRow>> json_row(const cql_schema::Table& table,
                                                 std::string_view text, bool default_unset,
                                                 std::int64_t now_us);

}  // namespace tailrace::cql_query
