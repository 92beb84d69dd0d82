// The option `compression` of tables: which compressors there are and what each may be told.
#pragma once

#include "cql_schema/properties.h"

namespace tailrace::cql_schema {

/// As system_schema shows it; kConfiguration for what Cassandra refuses.
cql_types::Outcome<Options> made_compression(Options given);

}  // namespace tailrace::cql_schema
