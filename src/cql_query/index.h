// Which relations a secondary index can answer.
#pragma once

#include "cql_query/restriction.h"
#include "cql_schema/schema.h"

namespace tailrace::cql_query {

/// The index of the table that supports one of the restriction's relations, or null.
const cql_schema::Index* supporting_index(const cql_schema::Table& table,
                                          const Restriction& restriction);

}  // namespace tailrace::cql_query
