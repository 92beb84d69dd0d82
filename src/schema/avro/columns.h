// Which columns an Avro schema is.
//
//   null VOID · boolean BOOLEAN · int INT · long BIGINT · float FLOAT · double DOUBLE · bytes and
//   fixed BINARY · string and enum STRING · array ARRAY · map MAP<STRING, …> · record STRUCT date
//   DATE · timestamp-* TIMESTAMP · local-timestamp-* TIMESTAMP_NTZ (both of microseconds: what
//   nanoseconds have beyond is cut off) · decimal DECIMAL(p, s) up to 38 digits · uuid STRING ·
//   duration STRUCT<months, days, milliseconds: BIGINT> · time-millis INT · time-micros BIGINT
//
// A union with null is its other branch, nullable; int with long is BIGINT, float with double
// DOUBLE; of several others each branch is a field of STRUCT<member0, member1, …>, all null but
// one. These are the columns Spark has for such schemas, but for uuid and duration, which it leaves
// raw. Every column is nullable. A record that contains itself is no column.
#pragma once

#include "columns/types.h"
#include "schema/avro/type.h"

namespace tailrace::schema::avro {

/// How many columns, those within structs counted, a schema may come to.
inline constexpr std::size_t kMaxColumns = 10'000;

/// The columns of a record's fields; a schema that is no record is one column, "value".
/// kUnimplemented for what is no column, with the field's path.
Result<Schema> columns_of(const Type& root);

/// A union as a column.
struct UnionColumn {
  bool nullable = false;
  std::vector<const Type*> branches;  ///< those that are not null
  /// What the column holds, when it is not a struct of the branches: the one branch, or the wider
  /// of two numbers. Null for a struct, and for a union of nothing but null.
  const Type* single = nullptr;
};

UnionColumn union_column(const Type& type);

}  // namespace tailrace::schema::avro
