// Which columns a JSON Schema is, for documents that conform to it.
//
//   object with properties STRUCT · object with only a schema for the others MAP<STRING, …> ·
//   array with one schema for its items ARRAY · string STRING, or by its format TIMESTAMP
//   (date-time) or DATE · integer BIGINT · number DOUBLE · boolean BOOLEAN · null VOID
//
// What else there is is a STRING that holds the value as JSON: any value at all, several types,
// arrays of different items, a schema that contains itself. `null` as another type or alternative
// makes a column no other; so does a `$ref`, and an `allOf`, `anyOf` or `oneOf` that says one type.
// `enum` and `const` are the type of their values. Every column is nullable, required or not.
#pragma once

#include <string_view>

#include "columns/types.h"
#include "schema/json_schema/json_schema.h"

namespace tailrace::schema::json_schema {

/// How many columns, those within structs counted, a schema may come to.
inline constexpr std::size_t kMaxColumns = 10'000;

/// The columns of an object's properties, in the order of the text; a schema that is no object with
/// properties is one column, "value". kUnimplemented for more than kMaxColumns.
Result<Schema> columns_of(const JsonSchema& schema);
/// STRUCT of these columns, or the type of the one.
Result<Type> type_of(const JsonSchema& schema);

/// The metadata of a field whose STRING holds JSON: `json` is "true".
inline constexpr std::string_view kHoldsJson = "json";

}  // namespace tailrace::schema::json_schema
