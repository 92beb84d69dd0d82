// Whole-batch moves of rows: gather, put together, and the sum of a Z-set.
#pragma once

#include <span>
#include <vector>

#include "columns/types.h"

namespace tailrace::engine {

/// The rows at `rows`, in that order.
Result<Batch> take(const Batch& batch, std::span<const std::int64_t> rows);
Result<Delta> take(const Delta& delta, std::span<const std::int64_t> rows);

/// The values at `rows` (an Int64Array); a null place gives a null.
Result<Array> take_nullable(const Array& values, const arrow::Array& rows);

/// A batch of these columns; every array has `rows` values.
Batch batch_of(const Schema& schema, std::vector<Array> columns, std::int64_t rows);

/// All rows of all deltas, with `schema`'s names; the deltas agree on types.
Result<Delta> concat(std::span<const Delta> deltas, const Schema& schema);

/// Each row once with the sum of its weights; rows that sum to nothing leave. Insert-only deltas
/// come back as they are.
Result<Delta> consolidate(Delta delta);

/// NaN of any bits as one NaN and -0.0 as 0.0, as Spark does to what it groups by; other types as
/// they are.
Array normalise_reals(const Array& array);

/// A batch of columns that need no names: to encode them.
Batch unnamed_batch(std::vector<Array> columns, std::int64_t rows);

}  // namespace tailrace::engine
