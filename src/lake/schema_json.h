// Schemas as Delta's schemaString: Spark's StructType in JSON.
#pragma once

#include <string>
#include <string_view>

#include "columns/types.h"

namespace tailrace::lake {

/// kUnimplemented for a type Delta does not have (intervals).
Result<std::string> schema_to_json(const arrow::Schema& schema);
Result<Schema> schema_from_json(std::string_view text);
/// Whether a TIMESTAMP_NTZ is anywhere in it: such a table asks its readers for a feature.
bool has_timestamp_ntz(const arrow::Schema& schema);

}  // namespace tailrace::lake
