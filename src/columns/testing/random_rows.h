// Random batches of any schema, for tests: few distinct values, so that rows meet, and every value
// that is special.
#pragma once

#include <arrow/api.h>

#include <cmath>
#include <limits>
#include <random>

#include "base/check.h"
#include "columns/types.h"

namespace tailrace::testing {

class RandomRows {
 public:
  explicit RandomRows(std::uint64_t seed) : random_(seed) {}

  Batch batch(const Schema& schema, std::int64_t rows) {
    std::vector<Array> columns;
    for (const Field& field : schema->fields()) columns.push_back(array(field->type(), rows));
    return arrow::RecordBatch::Make(schema, rows, std::move(columns));
  }
  Array array(const Type& type, std::int64_t rows) {
    auto builder = arrow::MakeBuilder(type).ValueOrDie();
    for (std::int64_t i = 0; i < rows; ++i) append(*builder);
    return builder->Finish().ValueOrDie();
  }
  std::int64_t below(std::int64_t bound) {
    return std::uniform_int_distribution<std::int64_t>(0, bound - 1)(random_);
  }

 private:
  template <typename Builder>
  void put(arrow::ArrayBuilder& builder, typename Builder::value_type value) {
    CHECK(static_cast<Builder&>(builder).Append(value).ok());
  }
  template <typename Int>
  Int integer() {
    switch (below(6)) {
      case 0:
        return std::numeric_limits<Int>::min();
      case 1:
        return std::numeric_limits<Int>::max();
      default:
        return static_cast<Int>(below(7) - 3);
    }
  }
  template <typename Real>
  Real real() {
    constexpr Real kInfinity = std::numeric_limits<Real>::infinity();
    const Real values[] = {0,
                           Real(-0.0),
                           1,
                           -1,
                           Real(0.5),
                           -kInfinity,
                           kInfinity,
                           std::numeric_limits<Real>::quiet_NaN(),
                           -std::numeric_limits<Real>::quiet_NaN(),
                           std::numeric_limits<Real>::denorm_min(),
                           std::numeric_limits<Real>::max()};
    return values[below(std::size(values))];
  }
  std::string text() {
    static const std::string kPieces[] = {"",           "a",    "b", std::string(1, '\0'),
                                          "\U0010FFFF", "\x01", "ä", "zz"};
    std::string out;
    for (std::int64_t left = below(4); left > 0; --left) out += kPieces[below(std::size(kPieces))];
    return out;
  }
  void append_list(arrow::ListBuilder& list) {
    CHECK(list.Append().ok());
    for (std::int64_t left = below(4); left > 0; --left) append(*list.value_builder());
  }
  void append_map(arrow::MapBuilder& map) {
    CHECK(map.Append().ok());
    CHECK(static_cast<arrow::StringBuilder&>(*map.key_builder()).Append(text()).ok());
    append(*map.item_builder());
  }
  void append_struct(arrow::StructBuilder& builder) {
    CHECK(builder.Append().ok());
    for (int i = 0; i < builder.num_fields(); ++i) append(*builder.field_builder(i));
  }
  void append_decimal(arrow::Decimal128Builder& builder) {
    arrow::Decimal128 value(below(9) - 4);
    const auto& type = static_cast<const arrow::Decimal128Type&>(*builder.type());
    if (below(4) == 0) value *= arrow::Decimal128::GetMaxValue(type.precision() - 1);
    CHECK(builder.Append(value).ok());
  }
  void append(arrow::ArrayBuilder& b) {
    if (below(5) == 0) {
      CHECK(b.AppendNull().ok());
      return;
    }
    switch (b.type()->id()) {
      case arrow::Type::NA:
        CHECK(b.AppendNull().ok());
        return;
      case arrow::Type::BOOL:
        put<arrow::BooleanBuilder>(b, below(2) == 0);
        return;
      case arrow::Type::INT8:
        put<arrow::Int8Builder>(b, integer<std::int8_t>());
        return;
      case arrow::Type::INT16:
        put<arrow::Int16Builder>(b, integer<std::int16_t>());
        return;
      case arrow::Type::INT32:
        put<arrow::Int32Builder>(b, integer<std::int32_t>());
        return;
      case arrow::Type::INT64:
        put<arrow::Int64Builder>(b, integer<std::int64_t>());
        return;
      case arrow::Type::DATE32:
        put<arrow::Date32Builder>(b, integer<std::int32_t>());
        return;
      case arrow::Type::TIMESTAMP:
        put<arrow::TimestampBuilder>(b, integer<std::int64_t>());
        return;
      case arrow::Type::DURATION:
        put<arrow::DurationBuilder>(b, integer<std::int64_t>());
        return;
      case arrow::Type::FLOAT:
        put<arrow::FloatBuilder>(b, real<float>());
        return;
      case arrow::Type::DOUBLE:
        put<arrow::DoubleBuilder>(b, real<double>());
        return;
      case arrow::Type::STRING:
        CHECK(static_cast<arrow::StringBuilder&>(b).Append(text()).ok());
        return;
      case arrow::Type::BINARY:
        CHECK(static_cast<arrow::BinaryBuilder&>(b).Append(text()).ok());
        return;
      case arrow::Type::DECIMAL128:
        append_decimal(static_cast<arrow::Decimal128Builder&>(b));
        return;
      case arrow::Type::LIST:
        append_list(static_cast<arrow::ListBuilder&>(b));
        return;
      case arrow::Type::MAP:
        append_map(static_cast<arrow::MapBuilder&>(b));
        return;
      case arrow::Type::STRUCT:
        append_struct(static_cast<arrow::StructBuilder&>(b));
        return;
      default:
        CHECK(false);
    }
  }

  std::mt19937_64 random_;
};

}  // namespace tailrace::testing
