// Rows as JSON, for the HTTP interface and the command line.
//
// As Spark's to_json writes them: timestamps ISO 8601 in UTC with milliseconds or microseconds as
// needed, dates YYYY-MM-DD, decimals as numbers, binary in base64, structs as objects, arrays, maps
// as objects. Unlike to_json a null field is written (`"a":null`), so that every row has every
// column. NaN and the infinities are strings.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "columns/types.h"

namespace tailrace::table {

/// One row: {"id":1,"name":"…"}.
std::string row_to_json(const arrow::RecordBatch& rows, std::int64_t row);

/// An array of every row, appended to `out`.
void rows_to_json(const arrow::RecordBatch& rows, std::string& out);
std::string rows_to_json(const arrow::RecordBatch& rows);

/// One value, as it stands within a row.
void value_to_json(const arrow::Array& values, std::int64_t row, std::string& out);

/// Appends text as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD.
void string_to_json(std::string_view text, std::string& out);

}  // namespace tailrace::table
