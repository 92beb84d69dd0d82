// The options of tables and views, from a WITH clause.
#pragma once

#include "cql_schema/properties.h"
#include "cql_schema/schema.h"

namespace tailrace::cql_schema {

/// Those of a table made without a WITH clause.
const TableOptions& default_options();

/// `before` with what is given. Forms and words are checked; numbers may still be out of range.
cql_types::Outcome<TableOptions> built_options(const Properties& given, const TableOptions& before);

/// The names and the ranges of what is given, as by Cassandra's TableAttributes.validate.
cql_types::Outcome<void> check_options(const Properties& given);

/// Ranges of all options together.
cql_types::Outcome<void> check_ranges(const TableOptions& options);

/// The 16 bytes of the option `id`, where it is given.
cql_types::Outcome<std::optional<std::string>> given_id(const Properties& given);

}  // namespace tailrace::cql_schema
