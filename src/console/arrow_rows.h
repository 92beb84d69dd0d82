// Arrow rows as the console's cells, so that a Backend hands over what the engine and the store
// give it.
#pragma once

#include "columns/types.h"
#include "console/console.h"

namespace tailrace::console {

/// Columns of a schema with Spark's type names; comments come from the field's "comment" metadata.
std::vector<Column> columns_of(const Schema& schema);

/// Appends the batch's rows to `into`, and its columns when there are none yet.
void append_rows(const Batch& batch, Rows& into);

}  // namespace tailrace::console
