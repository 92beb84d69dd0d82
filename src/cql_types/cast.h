// CAST(… AS …) between native types.
#pragma once

#include "base/result.h"
#include "cql_types/parts.h"
#include "cql_types/type.h"

namespace tailrace::cql_types {

/// Whether there is such a cast: numbers into each other, native values but blobs and durations
/// into text and ascii, ascii into text, and timeuuid, timestamp and date into date and timestamp.
bool can_cast(Kind from, Kind to);

/// The bytes after the cast; null of an empty value. can_cast says yes. Whole numbers keep their
/// low bits, floating ones are cut to the nearest that fits, as in Java. kInvalidArgument for bytes
/// that are no value, and for NaN and infinities as decimal.
Result<std::optional<std::string>> cast(Kind from, std::string_view bytes, Kind to);

}  // namespace tailrace::cql_types
