// Comparison of values of any type.
#include "engine/functions/compare_rows.h"

#include "engine/functions/function.h"

namespace tailrace::engine {
namespace {

int compare_nullable(const arrow::Array& left, std::int64_t i, const arrow::Array& right,
                     std::int64_t j) {
  const bool left_null = left.IsNull(i);
  const bool right_null = right.IsNull(j);
  if (left_null || right_null) return static_cast<int>(right_null) - static_cast<int>(left_null);
  return compare_elements(left, i, right, j);
}

int compare_lists(const arrow::ListArray& left, std::int64_t i, const arrow::ListArray& right,
                  std::int64_t j) {
  const std::int64_t count = std::min(left.value_length(i), right.value_length(j));
  for (std::int64_t k = 0; k < count; ++k) {
    const int order = compare_nullable(*left.values(), left.value_offset(i) + k, *right.values(),
                                       right.value_offset(j) + k);
    if (order != 0) return order;
  }
  return compare_values(left.value_length(i), right.value_length(j));
}

int compare_structs(const arrow::StructArray& left, std::int64_t i, const arrow::StructArray& right,
                    std::int64_t j) {
  for (int field = 0; field < left.num_fields(); ++field) {
    const int order = compare_nullable(*left.field(field), i, *right.field(field), j);
    if (order != 0) return order;
  }
  return 0;
}

template <typename T>
T element(const arrow::Array& array, std::int64_t i) {
  if constexpr (std::is_same_v<T, std::string_view>) {
    return static_cast<const arrow::BinaryArray&>(array).GetView(i);
  } else if constexpr (std::is_same_v<T, bool>) {
    return static_cast<const arrow::BooleanArray&>(array).Value(i);
  } else if constexpr (std::is_same_v<T, Decimal128>) {
    return Decimal128(static_cast<const arrow::Decimal128Array&>(array).GetValue(i));
  } else {
    return array.data()->GetValues<T>(1)[i];
  }
}

}  // namespace

int compare_elements(const arrow::Array& left, std::int64_t i, const arrow::Array& right,
                     std::int64_t j) {
  switch (left.type_id()) {
    case arrow::Type::NA:
      return 0;
    case arrow::Type::MAP:
    case arrow::Type::LIST:
      return compare_lists(static_cast<const arrow::ListArray&>(left), i,
                           static_cast<const arrow::ListArray&>(right), j);
    case arrow::Type::STRUCT:
      return compare_structs(static_cast<const arrow::StructArray&>(left), i,
                             static_cast<const arrow::StructArray&>(right), j);
    default:
      return visit_fixed(*left.type(), [&]<typename T>() {
        return compare_values(element<T>(left, i), element<T>(right, j));
      });
  }
}

Result<std::vector<std::int8_t>> compare_rows(const Value& left, const Value& right,
                                              std::int64_t rows) {
  std::vector<std::int8_t> out(static_cast<std::size_t>(rows));
  const auto& type = left.type();
  if (is_scalar(type) && left.type().id() == right.type().id()) {
    visit_fixed(type, [&]<typename T>() {
      const Reader<T> l(left);
      const Reader<T> r(right);
      for (std::int64_t row = 0; row < rows; ++row) {
        out[row] = static_cast<std::int8_t>(compare_values<T>(l[row], r[row]));
      }
    });
    return out;
  }
  const Nulls left_nulls(left);
  const Nulls right_nulls(right);
  for (std::int64_t row = 0; row < rows; ++row) {
    if (left_nulls[row] || right_nulls[row]) continue;
    out[row] = static_cast<std::int8_t>(
        compare_elements(*left.array, left.at(row), *right.array, right.at(row)));
  }
  return out;
}

}  // namespace tailrace::engine
