// The option `compaction` of tables: which strategies there are and what each may be told. Nothing
// here compacts that way; the options are checked, kept and shown.
#pragma once

#include "cql_schema/properties.h"

namespace tailrace::cql_schema {

/// As system_schema shows it: the class by its whole name, thresholds filled in.
/// kConfiguration for what Cassandra refuses before it knows the rest of the statement.
cql_types::Outcome<Options> made_compaction(Options given);

/// The rules of the strategy's own options; of one that `made_compaction` gave.
cql_types::Outcome<void> check_compaction(const Options& compaction);

/// Whether it is the strategy of this short name.
bool is_compaction(const Options& compaction, std::string_view name);

}  // namespace tailrace::cql_schema
