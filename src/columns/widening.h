// How a column's type may grow when its source's schema does, and how values follow.
//
//   TINYINT → SMALLINT → INT → BIGINT · FLOAT → DOUBLE · any of these with FLOAT or DOUBLE → DOUBLE
//   DECIMAL(p, s) → as many digits before and behind the point as either has, up to 38
//   STRUCT: fields of the same name widened, new ones at the end · ARRAY, MAP: element, value
//
// Names of fields are compared as they are written. Every field may be null.
#pragma once

#include "columns/types.h"

namespace tailrace {

/// The type that holds the values of both, fields of `before` first; kFailedPrecondition with the
/// field's path when there is none.
Result<Type> widened_type(const Type& before, const Type& next);

/// As widened_type, over columns: those of `before`, then those that only `next` has.
Result<Schema> widened_schema(const Schema& before, const Schema& next);

/// Values as `wide`, a widened_type of theirs: fields that they lack are null. kInvalidArgument for
/// another type.
Result<Array> widened(const Array& values, const Type& wide);

/// Rows with exactly the columns of `wide`, by name; those that they lack are null.
Result<Batch> widened_rows(const Batch& rows, const Schema& wide);

}  // namespace tailrace
