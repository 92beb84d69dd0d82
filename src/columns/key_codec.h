// One value at a time as encode_keys (row_codec.h) writes it.
#pragma once

#include <string>

#include "columns/column_view.h"

namespace tailrace {

/// Ascending, nulls first; no map is in the column.
void append_key(const ColumnView& column, std::int64_t row, std::string& out);

}  // namespace tailrace
