// Elements of collections as cells: their order, and what comes back of them.
#include "cql_query/cell_path.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "cql_types/compare.h"
#include "cql_types/json.h"

namespace tailrace::cql_query {
namespace {

using cql_types::Kind;
using cql_types::TypePtr;

std::string bytes_of(const TypePtr& type, std::string_view json) {
  auto made = cql_types::from_json(*type, json, 0);
  EXPECT_TRUE(made && *made) << json;
  return made->value_or("");
}

struct Elements {
  TypePtr type;
  std::vector<std::string_view> json;
};

std::vector<Elements> all_elements() {
  const auto native = [](Kind kind) { return cql_types::native_type(kind); };
  return {
      {native(Kind::kInt), {"-5", "0", "7", "2147483647", "-2147483648"}},
      {native(Kind::kText), {"\"\"", "\"a\"", "\"a\\u0000b\"", "\"ab\"", "\"é\""}},
      {native(Kind::kDecimal), {"1.0", "1.00", "-3.5", "2e10", "0"}},
      {native(Kind::kDouble), {"-1.5", "0.0", "3.25", "1e300"}},
      {native(Kind::kBoolean), {"true", "false"}},
      {native(Kind::kBlob), {"\"0x\"", "\"0x00\"", "\"0x0000\"", "\"0xff\""}},
      {cql_types::list_of(native(Kind::kInt), true), {"[]", "[1]", "[1, -2]", "[-7, 9]"}},
      {cql_types::tuple_of({native(Kind::kInt), native(Kind::kText)}),
       {"[1, \"a\"]", "[1, null]", "[null, \"b\"]", "[-1, \"\"]"}},
  };
}

TEST(CellPath, paths_of_elements_order_as_their_values_do) {
  for (const auto& [type, list] : all_elements()) {
    for (const auto a_json : list) {
      for (const auto b_json : list) {
        const std::string a = bytes_of(type, a_json);
        const std::string b = bytes_of(type, b_json);
        std::string a_path;
        std::string b_path;
        ASSERT_TRUE(append_element_path(a_path, *type, a));
        ASSERT_TRUE(append_element_path(b_path, *type, b));
        EXPECT_EQ(a_path <=> b_path, cql_types::compare(*type, a, b))
            << cql_types::to_cql(*type) << ": " << a_json << ", " << b_json;
      }
    }
  }
}

TEST(CellPath, cells_of_sets_and_maps_give_their_elements_back_to_the_byte) {
  for (const auto& [type, list] : all_elements()) {
    const auto map = cql_types::map_of(type, cql_types::native_type(Kind::kText), false);
    for (const auto json : list) {
      const std::string key = bytes_of(type, json);
      std::string path;
      std::string kept;
      std::string buffer;
      ASSERT_TRUE(append_element_path(path, *type, key));
      cql_store::Cell cell;
      cell.path = path;
      cell.value = element_value(*type, key, "the value", kept);
      const auto element = element_of(*map, cell, buffer);
      ASSERT_TRUE(element) << element.error().what;
      EXPECT_EQ(element->key, key) << cql_types::to_cql(*type) << ": " << json;
      EXPECT_EQ(element->value, "the value");
    }
  }
}

TEST(CellPath, damaged_cells_are_refused) {
  const auto set = cql_types::set_of(cql_types::native_type(Kind::kDecimal), false);
  const auto ints = cql_types::set_of(cql_types::native_type(Kind::kInt), false);
  std::string buffer;
  cql_store::Cell cell;
  cell.path = "x";
  cell.value = "xx";
  EXPECT_FALSE(element_of(*set, cell, buffer));
  cell.value = std::string_view("\0\0\0\5abc", 7);
  EXPECT_FALSE(element_of(*set, cell, buffer));
  EXPECT_FALSE(element_of(*ints, cell, buffer));
  EXPECT_EQ(field_of("abc"), SIZE_MAX);
  EXPECT_EQ(field_of(field_path(300)), 300U);
}

}  // namespace
}  // namespace tailrace::cql_query
