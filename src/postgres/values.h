// PostgreSQL's values, in its text format, as JSON.
//
//   type                    flat                          Debezium's
//   int2 int4 int8 oid      number                        the same
//   float4 float8           number; NaN, Infinity: text   the same
//   numeric                 number with all its digits    text (decimal.handling.mode=string)
//   bool                    true, false                   the same
//   date                    "2024-01-31"                  days since 1970
//   time                    "12:30:00.5"                  ms or µs since midnight, by its precision
//   timestamp               "2024-01-31T12:30:00.5"       ms or µs since 1970, by its precision
//   timestamptz             "2024-01-31T12:30:00.5Z"      the same
//   bytea                   base64                        base64
//   json jsonb              the document                  its text
//   T[]                     [ … ], of T; nested           the same
//   all else                PostgreSQL's text             the same
//
// Enums are texts; a domain is what it is made of. Infinity of dates and times, and years BC, are
// PostgreSQL's text. The session must say: DateStyle ISO, TimeZone UTC, bytea_output hex.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "postgres/pgoutput.h"

namespace tailrace::postgres {

enum class ValueStyle { kFlat, kDebezium };

enum class Shape {
  kText,
  kInteger,
  kFloat,
  kNumeric,
  kBoolean,
  kDate,
  kTime,
  kTimestamp,
  kTimestampTz,
  kBytes,
  kJson,
  kArray,
};

struct ValueType {
  Shape shape = Shape::kText;
  bool milliseconds = false;                   ///< of a time or timestamp of at most 3 digits
  std::shared_ptr<const ValueType> element{};  ///< of an array
  char delimiter = ',';                        ///< between its elements
};

/// Of the types that every PostgreSQL has; none: one of the database's own (pg_type knows).
std::optional<ValueType> built_in_type(Oid oid, std::int32_t modifier);
/// Types from this one on are the database's own.
inline constexpr Oid kFirstOwnType{16384};

/// What is no value of the type is appended as a JSON string.
void append_value(std::string& out, std::string_view text, const ValueType& type, ValueStyle style);
void append_json_string(std::string& out, std::string_view text);

}  // namespace tailrace::postgres
