// from_json against Spark 4.2.0: every expected value was printed by `SELECT from_json(…)` there.
#include "engine/functions/testing_expr.h"

namespace tailrace::engine {
namespace {

using namespace testing;

std::string json(const std::string& value, const std::string& ddl) {
  return shown(call("from_json", {text(value), text(ddl)}));
}

TEST(FromJson, a_malformed_record_is_a_struct_of_nulls) {
  EXPECT_EQ(json(R"({"a":1)", "a INT, b STRING"), "{null, null}");
  EXPECT_EQ(json(R"({"a":1,})", "a INT"), "{null}");
  EXPECT_EQ(json(R"({"a":01})", "a INT"), "{null}");
  EXPECT_EQ(json(R"({"a":1,"b":bad})", "a INT, b INT"), "{null, null}");
  EXPECT_EQ(json(R"({"a":"\x"})", "a STRING"), "{null}");
  EXPECT_EQ(json("[1]", "a INT"), "{null}");
  EXPECT_EQ(json("null", "a INT"), "{null}");
}
TEST(FromJson, blank_text_is_null) {
  EXPECT_EQ(json("", "a INT"), "NULL");
  EXPECT_EQ(json("  ", "a INT"), "NULL");
}
TEST(FromJson, a_field_of_the_wrong_type_is_null_and_the_others_stay) {
  EXPECT_EQ(json(R"({"a":"x","b":"y"})", "a INT, b STRING"), "{null, y}");
  EXPECT_EQ(json(R"({"a":1.5,"b":"y"})", "a INT, b STRING"), "{null, y}");
  EXPECT_EQ(json(R"({"a":5,"b":2})", "a STRUCT<x: STRING, y: INT>, b INT"), "{null, 2}");
  EXPECT_EQ(json(R"({"a":{"x":"bad"},"b":1})", "a STRUCT<x: INT>, b INT"), "{{null}, 1}");
  EXPECT_EQ(json(R"({"a":[1,"x",3]})", "a ARRAY<INT>"), "{null}");
  EXPECT_EQ(json(R"({"a":[{"x":1},{"x":"bad"},{"x":3}]})", "a ARRAY<STRUCT<x: INT>>"),
            "{[{1}, {null}, {3}]}");
  EXPECT_EQ(json(R"({"a":{"x":1,"y":"q"}})", "a MAP<STRING,INT>"), "{null}");
}
TEST(FromJson, strings_take_any_value_as_text) {
  EXPECT_EQ(json(R"({"a":{"x":[1, 2 ,{"y" : 1.50}]}})", "a STRING"), R"({{"x":[1,2,{"y":1.5}]}})");
  EXPECT_EQ(json(R"({"a":1e5})", "a STRING"), "{100000.0}");
  EXPECT_EQ(json(R"({"a":12345678901234567890123})", "a STRING"), "{12345678901234567890123}");
  EXPECT_EQ(json(R"({"a":true})", "a STRING"), "{true}");
  EXPECT_EQ(json(R"({"a":{"b":"q\u00e9\n\"x\/"}})", "a STRING"), R"({{"b":"qé\n\"x/"}})");
}
TEST(FromJson, jacksons_lenient_forms_are_taken) {
  EXPECT_EQ(json("{'a':1}", "a INT"), "{1}");
  EXPECT_EQ(json(R"({"a":1} x)", "a INT"), "{1}");
  EXPECT_EQ(json(R"({"a":NaN})", "a DOUBLE"), "{NaN}");
  EXPECT_EQ(json("{a:1}", "a INT"), "{null}");
}
TEST(FromJson, the_last_of_duplicates_counts_and_case_matters) {
  EXPECT_EQ(json(R"({"a":1,"a":2})", "a INT"), "{2}");
  EXPECT_EQ(json(R"({"A":1})", "a INT"), "{null}");
}
TEST(FromJson, dates_decimals_and_binary) {
  EXPECT_EQ(json(R"({"a":"2020-01-02T03:04:05+02:00"})", "a TIMESTAMP"), "{2020-01-02 01:04:05}");
  EXPECT_EQ(json(R"({"a":1577934245})", "a TIMESTAMP"), "{2020-01-02 03:04:05}");
  EXPECT_EQ(json(R"({"a":"2020-1-2"})", "a DATE"), "{2020-01-02}");
  EXPECT_EQ(json(R"({"a":1.25})", "a DECIMAL(5,1)"), "{1.3}");
  EXPECT_EQ(json(R"({"a":12345678})", "a DECIMAL(5,1)"), "{null}");
  EXPECT_EQ(json(R"({"a":"YWJj"})", "a BINARY"), "{abc}");
  EXPECT_EQ(json(R"({"a b":1})", "`a b` INT"), "{1}");
}
TEST(FromJson, roots_other_than_structs) {
  EXPECT_EQ(json("[1,2,3]", "ARRAY<INT>"), "[1, 2, 3]");
  EXPECT_EQ(json(R"([1,"x",3])", "ARRAY<INT>"), "NULL");
  EXPECT_EQ(json(R"({"a":1})", "MAP<STRING,INT>"), "{a -> 1}");
  EXPECT_EQ(json(R"({"a":1})", "ARRAY<STRUCT<a: INT>>"), "[{1}]");
}

TEST(GetJsonObject, follows_paths_and_writes_compact_json) {
  auto at = [](const std::string& value, const std::string& path) {
    return shown(call("get_json_object", {text(value), text(path)}));
  };
  EXPECT_EQ(at(R"({"a":{"b":[1,{"c":"x"}]}})", "$.a.b[1].c"), "x");
  EXPECT_EQ(at(R"({"a":{"b":[1, {"c" : "x"}]}})", "$.a"), R"({"b":[1,{"c":"x"}]})");
  EXPECT_EQ(at(R"({"a":[{"b":1},{"b":2}]})", "$.a[*].b"), "[1,2]");
  EXPECT_EQ(at(R"({"a":[{"b":1}]})", "$.a[*].b"), "1");
  EXPECT_EQ(at(R"({"a":1.50})", "$.a"), "1.5");
  EXPECT_EQ(at(R"({"a":null})", "$.a"), "NULL");
  EXPECT_EQ(at(R"({"a":true})", "$['a']"), "true");
  EXPECT_EQ(at(R"({"a":1)", "$.a"), "NULL");
  EXPECT_EQ(at(R"({"a":1})", "a"), "NULL");
}
TEST(ToJson, leaves_out_null_fields_and_keeps_null_elements) {
  EXPECT_EQ(shown(call("to_json", {call("named_struct", {text("a"), number(1), text("b"), nothing(),
                                                         text("c"), text("q\"é/\n")})})),
            R"({"a":1,"c":"q\"é/\n"})");
  const auto time = cast(text("2020-01-01 00:00:00.120"), timestamp_type());
  EXPECT_EQ(
      shown(call("to_json", {call("named_struct", {text("t"), time, text("g"), real(1e10)})})),
      R"({"t":"2020-01-01T00:00:00.120Z","g":1.0E10})");
  EXPECT_EQ(shown(call("to_json", {call("array", {number(1), nothing()})})), "[1,null]");
}

}  // namespace
}  // namespace tailrace::engine
