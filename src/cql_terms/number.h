// Arguments that are numbers, and results: Java's conversions between them.
#pragma once

#include "cql_terms/big.h"
#include "cql_terms/function.h"

namespace tailrace::cql_terms {

bool is_number(cql_types::Kind kind);
bool is_floating(cql_types::Kind kind);  // float, double, decimal

struct Number {
  cql_types::Kind kind = cql_types::Kind::kInt;
  std::int64_t whole = 0;  // of tinyint to bigint and counter
  double wide = 0;         // of float and double
  Big big = {};            // of varint (scale 0) and decimal

  std::int64_t as_whole() const;
  float as_float() const;
  double as_double() const;
  Whole as_varint() const;
  /// Fails, as Java does, for NaN and infinities.
  Calculated<Big> as_decimal() const;
};

/// Null of null and of an empty value. kInvalid for one beyond kMaxWholeBytes.
Outcome<std::optional<Number>> read_number(cql_types::Kind kind, Part value);

/// Bytes of a whole type of which the low bits are kept.
std::string whole_bytes(cql_types::Kind kind, std::int64_t value);
std::string float_bytes(float value);
std::string double_bytes(double value);

/// As Java casts floating point: cut off, to the nearest that fits, NaN to 0.
std::int64_t saturated(double value, std::int64_t least, std::int64_t most);

}  // namespace tailrace::cql_terms
