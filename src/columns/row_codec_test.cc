// Keys order as an independent comparison of the values does; values come back as they were.
#include "columns/row_codec.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "columns/testing/random_rows.h"

namespace tailrace {
namespace {

using testing::RandomRows;

template <typename T>
int three_way(T a, T b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

/// NaN is the greatest; -0.0 equals 0.0.
template <typename T>
int compare_real(T a, T b) {
  if (std::isnan(a) || std::isnan(b)) return int{std::isnan(a)} - int{std::isnan(b)};
  return three_way(a, b);
}

int compare(const arrow::Scalar& a, const arrow::Scalar& b);

int compare_nullable(const arrow::Scalar& a, const arrow::Scalar& b) {
  if (!a.is_valid || !b.is_valid) return int{a.is_valid} - int{b.is_valid};
  return compare(a, b);
}

int compare_lists(const arrow::Array& a, const arrow::Array& b) {
  for (std::int64_t i = 0; i < std::min(a.length(), b.length()); ++i) {
    const int order = compare_nullable(*a.GetScalar(i).ValueOrDie(), *b.GetScalar(i).ValueOrDie());
    if (order != 0) return order;
  }
  return three_way(a.length(), b.length());
}

int compare_structs(const arrow::StructScalar& a, const arrow::StructScalar& b) {
  for (std::size_t i = 0; i < a.value.size(); ++i) {
    const int order = compare_nullable(*a.value[i], *b.value[i]);
    if (order != 0) return order;
  }
  return 0;
}

template <typename ScalarType>
auto value_of(const arrow::Scalar& scalar) {
  return static_cast<const ScalarType&>(scalar).value;
}

int compare(const arrow::Scalar& a, const arrow::Scalar& b) {
  using namespace arrow;
  switch (a.type->id()) {
    case arrow::Type::BOOL:
      return three_way(value_of<BooleanScalar>(a), value_of<BooleanScalar>(b));
    case arrow::Type::INT8:
      return three_way(value_of<Int8Scalar>(a), value_of<Int8Scalar>(b));
    case arrow::Type::INT16:
      return three_way(value_of<Int16Scalar>(a), value_of<Int16Scalar>(b));
    case arrow::Type::INT32:
      return three_way(value_of<Int32Scalar>(a), value_of<Int32Scalar>(b));
    case arrow::Type::INT64:
      return three_way(value_of<Int64Scalar>(a), value_of<Int64Scalar>(b));
    case arrow::Type::DATE32:
      return three_way(value_of<Date32Scalar>(a), value_of<Date32Scalar>(b));
    case arrow::Type::TIMESTAMP:
      return three_way(value_of<TimestampScalar>(a), value_of<TimestampScalar>(b));
    case arrow::Type::DURATION:
      return three_way(value_of<DurationScalar>(a), value_of<DurationScalar>(b));
    case arrow::Type::FLOAT:
      return compare_real(value_of<FloatScalar>(a), value_of<FloatScalar>(b));
    case arrow::Type::DOUBLE:
      return compare_real(value_of<DoubleScalar>(a), value_of<DoubleScalar>(b));
    case arrow::Type::DECIMAL128:
      return three_way(value_of<Decimal128Scalar>(a), value_of<Decimal128Scalar>(b));
    case arrow::Type::STRING:
    case arrow::Type::BINARY: {
      const int order = static_cast<const BaseBinaryScalar&>(a).view().compare(
          static_cast<const BaseBinaryScalar&>(b).view());
      return three_way(order, 0);
    }
    case arrow::Type::LIST:
      return compare_lists(*value_of<ListScalar>(a), *value_of<ListScalar>(b));
    case arrow::Type::STRUCT:
      return compare_structs(static_cast<const StructScalar&>(a),
                             static_cast<const StructScalar&>(b));
    default:
      return 0;
  }
}

std::vector<Type> comparable_types() {
  using namespace arrow;
  return {null(),
          boolean(),
          int8(),
          int16(),
          int32(),
          int64(),
          float32(),
          float64(),
          decimal128(38, 4),
          decimal128(10, 2),
          utf8(),
          binary(),
          date32(),
          timestamp_type(),
          timestamp(TimeUnit::MICRO),
          duration(TimeUnit::MICRO),
          list(utf8()),
          list(float64()),
          list(list(int32())),
          struct_({field("a", int32()), field("b", utf8())}),
          list(struct_({field("a", utf8()), field("b", list(int8()))}))};
}

std::vector<Type> all_types() {
  std::vector<Type> types = comparable_types();
  types.push_back(arrow::map(arrow::utf8(), arrow::int32()));
  types.push_back(
      arrow::struct_({arrow::field("m", arrow::map(arrow::utf8(), arrow::list(arrow::utf8())))}));
  types.push_back(arrow::struct_({}));
  return types;
}

int compare_rows(const Array& column, const KeyColumn& key, std::int64_t a, std::int64_t b) {
  const auto left = column->GetScalar(a).ValueOrDie();
  const auto right = column->GetScalar(b).ValueOrDie();
  if (!left->is_valid || !right->is_valid) {
    const int order = int{left->is_valid} - int{right->is_valid};
    return key.nulls_first ? order : -order;
  }
  const int order = compare(*left, *right);
  return key.descending ? -order : order;
}

int sign(int order) {
  return three_way(order, 0);
}

TEST(RowCodec, keys_order_every_type_as_the_values_do) {
  RandomRows random(11);
  for (const Type& type : comparable_types()) {
    const Schema schema = arrow::schema({arrow::field("x", type)});
    const Batch batch = random.batch(schema, 60)->Slice(3);
    for (const KeyColumn key : {KeyColumn{0}, KeyColumn{0, true, true}, KeyColumn{0, false, false},
                                KeyColumn{0, true, false}}) {
      const EncodedRows keys = *encode_keys(*batch, {key});
      ASSERT_EQ(keys.size(), batch->num_rows());
      for (std::int64_t a = 0; a < keys.size(); ++a) {
        for (std::int64_t b = 0; b < keys.size(); ++b) {
          ASSERT_EQ(sign(keys[a].compare(keys[b])), compare_rows(batch->column(0), key, a, b))
              << spark_name(*type) << " descending " << key.descending << " nulls first "
              << key.nulls_first << ": " << batch->column(0)->GetScalar(a).ValueOrDie()->ToString()
              << " and " << batch->column(0)->GetScalar(b).ValueOrDie()->ToString();
        }
      }
    }
  }
}

TEST(RowCodec, keys_of_several_columns_compare_column_by_column) {
  RandomRows random(12);
  const Schema schema = arrow::schema({arrow::field("a", arrow::utf8()),
                                       arrow::field("b", arrow::list(arrow::utf8())),
                                       arrow::field("c", arrow::int32())});
  const std::vector<KeyColumn> order = {{1, true, true}, {0, false, false}, {2, true, false}};
  const Batch batch = random.batch(schema, 150);
  const EncodedRows keys = *encode_keys(*batch, order);
  for (std::int64_t a = 0; a < keys.size(); ++a) {
    for (std::int64_t b = 0; b < keys.size(); ++b) {
      int expected = 0;
      for (const KeyColumn& key : order) {
        if (expected == 0) expected = compare_rows(batch->column(key.index), key, a, b);
      }
      ASSERT_EQ(sign(keys[a].compare(keys[b])), expected);
    }
  }
}

TEST(RowCodec, a_map_has_no_key) {
  const Schema schema =
      arrow::schema({arrow::field("m", arrow::map(arrow::utf8(), arrow::int32()))});
  const auto keys = encode_keys(*RandomRows(1).batch(schema, 3), {KeyColumn{0}});
  ASSERT_FALSE(keys);
  EXPECT_EQ(keys.error().code, Code::kUnimplemented);
}

TEST(RowCodec, values_of_every_type_come_back_bit_for_bit) {
  RandomRows random(13);
  arrow::FieldVector fields;
  for (const Type& type : all_types()) fields.push_back(arrow::field("f", type));
  const Schema schema = arrow::schema(fields);
  for (const std::int64_t rows : {0, 1, 200}) {
    const Batch batch = random.batch(schema, rows + 5)->Slice(5);
    const EncodedRows encoded = *encode_rows(*batch);
    RowDecoder decoder(schema);
    for (std::int64_t row = 0; row < encoded.size(); ++row) decoder.append(encoded[row]);
    const Batch back = *decoder.finish();
    ASSERT_TRUE(back->ValidateFull().ok()) << back->ValidateFull().ToString();
    const auto options = arrow::EqualOptions::Defaults().nans_equal(true).signed_zeros_equal(false);
    EXPECT_TRUE(back->Equals(*batch, false, options));
    const EncodedRows again = *encode_rows(*back);
    for (std::int64_t row = 0; row < encoded.size(); ++row) EXPECT_EQ(again[row], encoded[row]);
  }
}

TEST(RowCodec, a_decoder_takes_rows_in_any_order_and_can_be_used_again) {
  const Schema schema = arrow::schema(
      {arrow::field("s", arrow::utf8()), arrow::field("l", arrow::list(arrow::int32()))});
  const Batch batch = RandomRows(14).batch(schema, 20);
  const EncodedRows encoded = *encode_rows(*batch);
  RowDecoder decoder(schema);
  for (int round = 0; round < 2; ++round) {
    for (std::int64_t row = 19; row >= 0; --row) decoder.append(encoded[row]);
    const Batch back = *decoder.finish();
    for (std::int64_t row = 0; row < 20; ++row) {
      EXPECT_TRUE(back->Slice(19 - row, 1)->Equals(*batch->Slice(row, 1)));
    }
  }
}

}  // namespace
}  // namespace tailrace
