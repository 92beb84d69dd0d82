// CAST and TRY_CAST by Spark's ANSI rules.
#pragma once

#include "engine/functions/function.h"

namespace tailrace::engine {

/// call.args[0] as call.type(); a value that has no counterpart is a row error (null under
/// try_cast).
Result<Array> cast_rows(Call& call);

/// Whether CAST(from AS to) is allowed: else [DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION].
bool may_cast(const arrow::DataType& from, const arrow::DataType& to);

}  // namespace tailrace::engine
