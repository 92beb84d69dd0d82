// Which relations a secondary index can answer.
#pragma once

#include "cql_query/restriction.h"
#include "cql_schema/schema.h"

namespace tailrace::cql_query {

/// The index of the table that supports one of the restriction's relations, or null.
const cql_schema::Index* supporting_index(const cql_schema::Table& table,
                                          const Restriction& restriction);

/// Whether one index answers all of them, or the storage-attached ones do together.
bool indexes_answer(const cql_schema::Table& table,
                    const std::vector<const Restriction*>& restrictions);

}  // namespace tailrace::cql_query
