// DESCRIBE: statements that make what is there, in Cassandra's texts.
#pragma once

#include <string>
#include <vector>

#include "cql_schema/schema.h"
#include "cql_schema/system_tables.h"
#include "cql_syntax/access_statements.h"
#include "cql_types/failure.h"

namespace tailrace::cql_schema {

/// A result of texts alone; nullopt is null.
struct Description {
  std::vector<std::string> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;
  std::vector<TypePtr> types;  // of the columns: text, but for DESCRIBE CLUSTER's range_ownership
};

/// `keyspace` is that of USE, or empty.
cql_types::Outcome<Description> describe(const cql_syntax::Describe& statement,
                                         const Schema& schema, const Node& node,
                                         const std::string& keyspace);

/// CREATE TABLE or CREATE MATERIALIZED VIEW, with all options.
std::string create_statement(const Table& table);

}  // namespace tailrace::cql_schema
