// Order of values as Spark's: NaN is the greatest number and equal to itself, 0.0 equals -0.0,
// strings by bytes, arrays and structs element by element with nulls first.
#pragma once

#include <vector>

#include "engine/functions/value.h"

namespace tailrace::engine {

/// <0, 0 or >0 for two elements of arrays of one type; neither is null.
int compare_elements(const arrow::Array& left, std::int64_t i, const arrow::Array& right,
                     std::int64_t j);

/// The sign of left - right by row; meaningless where either is null.
Result<std::vector<std::int8_t>> compare_rows(const Value& left, const Value& right,
                                              std::int64_t rows);

template <typename T>
int compare_values(const T& left, const T& right) {
  if constexpr (std::is_floating_point_v<T>) {
    const bool left_nan = left != left;
    const bool right_nan = right != right;
    if (left_nan || right_nan) return static_cast<int>(left_nan) - static_cast<int>(right_nan);
  }
  return left < right ? -1 : (right < left ? 1 : 0);
}

}  // namespace tailrace::engine
