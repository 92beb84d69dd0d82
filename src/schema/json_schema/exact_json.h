// The text of a JSON Schema as a tree that keeps every number as it was written, as Jackson reads
// one with exact decimals: NaN and the infinities are the texts of that name, what follows the
// first value is not looked at.
#pragma once

#include "schema/json.h"

namespace tailrace::schema::json_schema {

/// kInvalidArgument when the text is no JSON, has more than kMaxSchemaBytes, or is nested more than
/// kMaxJsonDepth deep.
Result<Json> read_exact_json(std::string_view text);

/// A number of JSON's grammar as a value: an integer when 64 bits hold it and no digit stands after
/// a point, otherwise a decimal. Nothing for exponents beyond 2^31.
Result<Json> exact_number(std::string_view text);

}  // namespace tailrace::schema::json_schema
