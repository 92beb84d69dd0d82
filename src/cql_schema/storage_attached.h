// Storage-attached indexes (SAI): which columns and options Cassandra's take.
#pragma once

#include <string>
#include <vector>

#include "cql_schema/schema.h"
#include "cql_types/failure.h"

namespace tailrace::cql_schema {

/// Of a class name as given, in any case where it is short.
bool is_storage_attached(const std::string& class_name);

/// Of one of the table's indexes. Vectors come with a warning.
cql_types::Outcome<void> check_storage_attached(const Index& index, const Table& table,
                                                std::vector<std::string>& warnings);

}  // namespace tailrace::cql_schema
