// Operators, casts, conditionals and common functions against Spark 4.2.0 (ANSI, UTC), which
// printed every expected value.
#include <gtest/gtest.h>

#include "engine/functions/testing_expr.h"

namespace tailrace::engine {
namespace {

using namespace testing;

ExprPtr dec(const std::string& digits, int precision, int scale) {
  return literal(std::make_shared<arrow::Decimal128Scalar>(*arrow::Decimal128::FromString(digits),
                                                           arrow::decimal128(precision, scale)));
}

TEST(Arithmetic, faults_are_row_errors_of_sparks_classes) {
  EXPECT_EQ(shown(call("/", {number(1), number(0)})), "[DIVIDE_BY_ZERO]");
  EXPECT_EQ(shown(call("%", {number(1), number(0)})), "[REMAINDER_BY_ZERO]");
  EXPECT_EQ(shown(call("+", {number(2147483647), number(1)})), "[ARITHMETIC_OVERFLOW]");
  EXPECT_EQ(shown(call("*", {big(9223372036854775807), number(2)})), "[ARITHMETIC_OVERFLOW]");
  EXPECT_EQ(shown(call("try_divide", {number(1), number(0)})), "NULL");
}
TEST(Arithmetic, remainders_keep_the_sign_of_the_left) {
  EXPECT_EQ(shown(call("%", {number(-7), number(3)})), "-1");
  EXPECT_EQ(shown(call("pmod", {number(-7), number(3)})), "2");
  EXPECT_EQ(shown(call("pmod", {number(-7), number(-3)})), "-1");
  EXPECT_EQ(shown(call("div", {number(-7), number(2)})), "-3");
}
TEST(Arithmetic, decimals_follow_sparks_precision_and_scale) {
  const auto product = call("*", {dec("1.1", 2, 1), dec("2.22", 3, 2)});
  EXPECT_EQ(shown(product), "2.442");
  EXPECT_EQ(spark_name(*product->type), "DECIMAL(6,3)");
  const auto quotient = call("/", {dec("1.1", 2, 1), dec("2.22", 3, 2)});
  EXPECT_EQ(shown(quotient), "0.495495");
  EXPECT_EQ(spark_name(*quotient->type), "DECIMAL(9,6)");
  EXPECT_EQ(shown(call("/", {number(1), dec("3.0", 2, 1)})), "0.333333");
  EXPECT_EQ(spark_name(*call("*", {dec("1.0", 38, 10), dec("1.0", 38, 10)})->type),
            "DECIMAL(38,6)");
  EXPECT_EQ(shown(call("pmod", {dec("-7.5", 2, 1), number(3)})), "1.5");
}
TEST(Arithmetic, strings_become_numbers) {
  EXPECT_EQ(shown(call("+", {text("1"), number(1)})), "2");
  EXPECT_EQ(shown(call("+", {text("1.5"), number(1)})), "[CAST_INVALID_INPUT]");
  EXPECT_EQ(shown(call("/", {text("1"), number(2)})), "0.5");
}
TEST(Casts, texts_are_read_as_spark_reads_them) {
  EXPECT_EQ(shown(cast(text(" 12 "), arrow::int32())), "12");
  EXPECT_EQ(shown(cast(text("1.5"), arrow::int32())), "[CAST_INVALID_INPUT]");
  EXPECT_EQ(shown(cast(text("abc"), arrow::int32(), true)), "NULL");
  EXPECT_EQ(shown(cast(text(" -Infinity "), arrow::float64())), "-Infinity");
  EXPECT_EQ(shown(cast(text("1d"), arrow::float64())), "1.0");
  EXPECT_EQ(shown(cast(text(" T "), arrow::boolean())), "true");
  EXPECT_EQ(shown(cast(text("2020-02-30"), arrow::date32())), "[CAST_INVALID_INPUT]");
  EXPECT_EQ(shown(cast(text("2020"), arrow::date32())), "2020-01-01");
  EXPECT_EQ(shown(cast(text("12.345"), arrow::decimal128(5, 2))), "12.35");
  EXPECT_EQ(shown(cast(text("x"), arrow::decimal128(5, 2))), "[CAST_INVALID_INPUT]");
}
TEST(Casts, timestamps_in_every_form) {
  auto time = [](const std::string& value) { return shown(cast(text(value), timestamp_type())); };
  EXPECT_EQ(time("2020-02-03 10:11:12.123456789+02:00"), "2020-02-03 08:11:12.123456");
  EXPECT_EQ(time("2020-02-03T10:11:12Z"), "2020-02-03 10:11:12");
  EXPECT_EQ(time("2020-02-03 10:11"), "2020-02-03 10:11:00");
  EXPECT_EQ(time("2020-02"), "2020-02-01 00:00:00");
  EXPECT_EQ(time("2020-02-03 10:11:12 America/New_York"), "2020-02-03 15:11:12");
  EXPECT_EQ(time("2020-02-03 10:11:12 UTC+3"), "2020-02-03 07:11:12");
  EXPECT_EQ(time("2020-02-03 10:11:12-0330"), "2020-02-03 13:41:12");
  EXPECT_EQ(time("epoch"), "1970-01-01 00:00:00");
  EXPECT_EQ(time("T10:11:12"), "2020-01-02 10:11:12");
  EXPECT_EQ(time("bad"), "[CAST_INVALID_INPUT]");
}
TEST(Casts, numbers_overflow_where_spark_overflows) {
  EXPECT_EQ(shown(cast(number(300), arrow::int8())), "[CAST_OVERFLOW]");
  EXPECT_EQ(shown(cast(real(-3.7), arrow::int32())), "-3");
  EXPECT_EQ(shown(cast(real(1e7), arrow::utf8())), "1.0E7");
  EXPECT_EQ(shown(cast(real(1.5e-4), arrow::utf8())), "1.5E-4");
  EXPECT_EQ(shown(cast(real(123456789.125), arrow::utf8())), "1.23456789125E8");
  EXPECT_EQ(shown(cast(real(2.5), arrow::decimal128(2, 0))), "3");
  EXPECT_EQ(shown(cast(dec("12345.678", 8, 3), arrow::decimal128(5, 2))),
            "[NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION]");
}
TEST(Logic, is_three_valued_and_stops_early) {
  const auto null = nothing(arrow::boolean());
  EXPECT_EQ(shown(call("and", {null, truth(false)})), "false");
  EXPECT_EQ(shown(call("and", {null, truth(true)})), "NULL");
  EXPECT_EQ(shown(call("or", {null, truth(true)})), "true");
  const auto fault = call("=", {call("/", {number(1), number(0)}), number(1)});
  EXPECT_EQ(shown(call("and", {truth(false), fault})), "false");
  EXPECT_EQ(shown(call("if", {truth(true), truth(true), fault})), "true");
  EXPECT_EQ(shown(call("coalesce", {truth(true), fault})), "true");
}
TEST(Comparison, in_knows_nulls) {
  EXPECT_EQ(shown(call("in", {number(3), number(1), nothing()})), "NULL");
  EXPECT_EQ(shown(call("in", {number(1), text("1"), number(2)})), "true");
  EXPECT_EQ(shown(call("<=>", {number(1), nothing()})), "false");
  EXPECT_EQ(shown(call("greatest", {number(1), nothing(), number(3)})), "3");
}
TEST(Collections, indices_out_of_bounds_are_row_errors) {
  const auto array = call("array", {number(1), number(2)});
  EXPECT_EQ(shown(call("[]", {array, number(2)})), "[INVALID_ARRAY_INDEX]");
  EXPECT_EQ(shown(call("element_at", {array, number(0)})), "[INVALID_INDEX_OF_ZERO]");
  EXPECT_EQ(shown(call("element_at", {array, number(3)})), "[INVALID_ARRAY_INDEX_IN_ELEMENT_AT]");
  EXPECT_EQ(shown(call("element_at", {array, number(-1)})), "2");
  EXPECT_EQ(shown(call("array_contains", {call("array", {number(1), nothing()}), number(2)})),
            "NULL");
}
TEST(Dates, leap_days_weeks_and_windows) {
  const auto leap = cast(text("2024-02-29"), arrow::date32());
  EXPECT_EQ(shown(call("dayofyear", {leap})), "60");
  EXPECT_EQ(shown(call("weekofyear", {leap})), "9");
  EXPECT_EQ(shown(call("add_months", {leap, number(12)})), "2025-02-28");
  const auto time = cast(text("2020-01-01 10:11:12"), timestamp_type());
  EXPECT_EQ(shown(call("window", {time, text("5 minutes")})),
            "{2020-01-01 10:10:00, 2020-01-01 10:15:00}");
  EXPECT_EQ(shown(call("date_trunc", {text("week"), time})), "2019-12-30 00:00:00");
}
TEST(Strings, count_code_points) {
  EXPECT_EQ(shown(call("length", {text("é1")})), "2");
  EXPECT_EQ(shown(call("substring", {text("Spark"), number(-3), number(2)})), "ar");
  EXPECT_EQ(shown(call("upper", {text("aé")})), "AÉ");
  EXPECT_EQ(shown(call("concat_ws", {text("-"), text("a"), nothing(), text("b")})), "a-b");
  EXPECT_EQ(shown(call("like", {text("Spark"), text("S_ar%")})), "true");
  EXPECT_EQ(shown(call("split", {text("a,b,c"), text(",")})), "[a, b, c]");
}

}  // namespace
}  // namespace tailrace::engine
