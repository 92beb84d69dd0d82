// Arithmetic of JSON's decimal numbers, exact where 38 digits are enough.
#pragma once

#include "schema/json.h"

namespace tailrace::schema::json_schema {

/// Whether `value` is a whole number of `divisor`s; of 0 only 0 is.
bool is_multiple_of(const Json& value, const Json& divisor);

}  // namespace tailrace::schema::json_schema
