// Statements that make what is there, piece by piece as Cassandra lays them out.
#pragma once

#include "cql_schema/schema.h"

namespace tailrace::cql_schema {

std::string create_keyspace_text(const Keyspace& keyspace);
std::string create_type_text(const cql_types::Type& type);
std::string create_index_text(const Index& index, const Table& table);
/// Of a table or a view; with internals its id and its dropped columns too.
std::string create_table_text(const Table& table, bool with_internals);

}  // namespace tailrace::cql_schema
