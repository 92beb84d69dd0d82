// Spark's DECIMAL: the precision and scale of results (DecimalPrecision, adjustPrecisionScale) and
// rescaling half up.
#pragma once

#include <arrow/util/decimal.h>

#include <optional>

#include "columns/types.h"

namespace tailrace::engine {

struct DecimalShape {
  int precision;
  int scale;
};

/// The decimal that holds every value of an integral or decimal type: INT is DECIMAL(10,0).
DecimalShape decimal_of(const arrow::DataType& type);

/// The decimal both fit in: the wider of integer digits and of scales, bounded to 38.
Type wider_decimal(DecimalShape left, DecimalShape right);

/// Result of + - * / % and div's operands, by Spark's table; too wide results give up scale, but
/// keep 6 digits.
Type decimal_result(char op, DecimalShape left, DecimalShape right);

/// `value` from one scale to another, half up; nullopt when it does not fit the precision.
std::optional<arrow::Decimal128> rescale(const arrow::Decimal128& value, int from_scale,
                                         DecimalShape to);

/// Decimal digits of the value, without leading zeros (0 has 1).
bool fits(const arrow::Decimal128& value, int precision);

}  // namespace tailrace::engine
