// The options of UnifiedCompactionStrategy, and sizes as people write them: "100MiB", "1.5e3 kB".
#pragma once

#include "cql_schema/properties.h"

namespace tailrace::cql_schema {

/// Takes what it knows out of `options`; kConfiguration for a value that Cassandra refuses.
cql_types::Outcome<void> check_unified(Options& options);

}  // namespace tailrace::cql_schema
