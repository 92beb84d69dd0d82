// Spark's rules of DECIMAL precision, and rescaling.
#include "engine/functions/decimal_rules.h"

#include <algorithm>

namespace tailrace::engine {

namespace {

constexpr int kMaxPrecision = 38;

/// DecimalType.boundedPreferIntegralDigits: what is too long is taken from the scale.
Type bounded(int precision, int scale) {
  const int over = std::max(0, precision - kMaxPrecision);
  return arrow::decimal128(std::clamp(precision, 1, kMaxPrecision), std::max(0, scale - over));
}

/// DecimalType.adjustPrecisionScale: integer digits are kept, scale shrinks to no less than
/// min(scale, 6).
Type adjusted(int precision, int scale) {
  if (precision <= kMaxPrecision) return arrow::decimal128(precision, scale);
  const int digits = precision - scale;
  const int min_scale = std::min(scale, 6);
  return arrow::decimal128(kMaxPrecision, std::max(kMaxPrecision - digits, min_scale));
}

}  // namespace

DecimalShape decimal_of(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::INT8:
      return {3, 0};
    case arrow::Type::INT16:
      return {5, 0};
    case arrow::Type::INT32:
      return {10, 0};
    case arrow::Type::INT64:
      return {20, 0};
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::Decimal128Type&>(type);
      return {decimal.precision(), decimal.scale()};
    }
    default:
      return {38, 18};
  }
}

Type wider_decimal(DecimalShape left, DecimalShape right) {
  const int scale = std::max(left.scale, right.scale);
  const int digits = std::max(left.precision - left.scale, right.precision - right.scale);
  return bounded(digits + scale, scale);
}

Type decimal_result(char op, DecimalShape left, DecimalShape right) {
  const auto [p1, s1] = left;
  const auto [p2, s2] = right;
  switch (op) {
    case '+':
    case '-': {
      const int scale = std::max(s1, s2);
      return adjusted(std::max(p1 - s1, p2 - s2) + scale + 1, scale);
    }
    case '*':
      return adjusted(p1 + p2 + 1, s1 + s2);
    case '/': {
      const int scale = std::max(6, s1 + p2 + 1);
      return adjusted(p1 - s1 + s2 + scale, scale);
    }
    default: {
      const int scale = std::max(s1, s2);
      return adjusted(std::min(p1 - s1, p2 - s2) + scale, scale);
    }
  }
}

bool fits(const arrow::Decimal128& value, int precision) {
  return value.FitsInPrecision(precision);
}

std::optional<arrow::Decimal128> rescale(const arrow::Decimal128& value, int from_scale,
                                         DecimalShape to) {
  arrow::Decimal128 out = value;
  if (to.scale < from_scale) {
    out = out.ReduceScaleBy(from_scale - to.scale, true);
  } else if (to.scale > from_scale) {
    // Arrow's Rescale takes a product that has wrapped for one that fits.
    const int zeros = to.scale - from_scale;
    if (value != 0 && (zeros > kMaxPrecision || !fits(value, kMaxPrecision - zeros)))
      return std::nullopt;
    if (value != 0) out = value.IncreaseScaleBy(zeros);
  }
  if (!fits(out, to.precision)) return std::nullopt;
  return out;
}

}  // namespace tailrace::engine
