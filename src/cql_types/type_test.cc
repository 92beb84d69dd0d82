// Types: their texts, class names and protocol options, and what may stand in what.
#include "cql_types/type.h"

#include <gtest/gtest.h>

#include "cql_types/class_name.h"
#include "cql_types/option.h"
#include "cql_types/testing/types.h"

namespace tailrace::cql_types {
namespace {

using testing::parse;
using namespace std::string_literals;

std::string option_of(const Type& type, int version) {
  std::string bytes;
  EXPECT_TRUE(append_option(bytes, type, version));
  return bytes;
}

TEST(type_texts, names_are_lower_case_unless_quoted) {
  EXPECT_EQ(to_cql(**parse("MAP<Text,\n FROZEN<List<INT>>>")), "map<text, frozen<list<int>>>");
  EXPECT_EQ(to_cql(**parse("\"Odd\"")), "\"Odd\"");
  EXPECT_FALSE(parse("Odd"));
  EXPECT_EQ(quoted_if_needed("select"), "\"select\"");
  EXPECT_EQ(quoted_if_needed("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(quoted_if_needed(""), "\"\"");
}

TEST(type_texts, what_is_no_type_is_told_with_its_column) {
  for (const auto* text :
       {"", "list<", "list<int", "map<int>", "map<int, int, int>", "tuple<>", "int>", "vector<int>",
        "vector<int, x>", "\"open", "'open", "select", "frozen<>", "ks.", "list<int>>"}) {
    const auto type = parse(text);
    ASSERT_FALSE(type) << text;
    EXPECT_EQ(type.error().code, Code::kInvalidArgument);
  }
  EXPECT_EQ(parse("list<int").error().what, "'>' expected at column 9 of type list<int");
}

TEST(type_texts, too_deep_or_too_long_are_refused) {
  std::string deep = "int";
  for (int i = 0; i < 1'000; ++i) deep = "frozen<list<" + deep + ">>";
  EXPECT_FALSE(parse(deep));
  EXPECT_FALSE(parse(std::string(kMaxTypeText, ' ') + "int"));
  EXPECT_FALSE(parse("vector<int, 4294967297>"));
  std::string classes = "org.apache.cassandra.db.marshal.Int32Type";
  for (int i = 0; i < 1'000; ++i) classes = "ListType(" + classes + ")";
  EXPECT_FALSE(parse_class_name(classes));
  std::string options;
  for (int i = 0; i < 1'000; ++i) options += "\x00\x20"s;
  std::string_view bytes = options;
  EXPECT_FALSE(take_option(bytes, 4));
}

TEST(class_names, a_reversed_order_is_told_apart_from_the_type) {
  const auto type = parse("frozen<map<text, vector<float, 3>>>").value();
  const auto name = to_reversed_class_name(*type);
  EXPECT_EQ(name,
            "org.apache.cassandra.db.marshal.ReversedType(org.apache.cassandra.db.marshal."
            "FrozenType(org.apache.cassandra.db.marshal.MapType(org.apache.cassandra.db.marshal."
            "UTF8Type,org.apache.cassandra.db.marshal.VectorType(org.apache.cassandra.db.marshal."
            "FloatType , 3))))");
  const auto named = parse_class_name(name).value();
  EXPECT_TRUE(named.reversed);
  EXPECT_EQ(*named.type, *type);
  EXPECT_EQ(*parse_class_name("Int32Type").value().type, *native_type(Kind::kInt));
  EXPECT_EQ(parse_class_name("com.example.Odd(a,b)").value().type->class_name,
            "com.example.Odd(a,b)");
  EXPECT_FALSE(parse_class_name("ListType(Int32Type"));
  EXPECT_FALSE(parse_class_name("ListType(Int32Type,Int32Type)"));
}

// The bytes are those of the protocol's specification, §4.2.5.2.
TEST(options, are_those_of_the_specification) {
  EXPECT_EQ(option_of(**parse("int"), 4), "\x00\x09"s);
  EXPECT_EQ(option_of(**parse("text"), 4), "\x00\x0D"s);
  EXPECT_EQ(option_of(**parse("map<text, frozen<list<int>>>"), 4),
            "\x00\x21\x00\x0D\x00\x20\x00\x09"s);
  EXPECT_EQ(option_of(**parse("tuple<int, uuid>"), 4), "\x00\x31\x00\x02\x00\x09\x00\x0C"s);
  EXPECT_EQ(option_of(**parse("\"Odd\""), 4),
            "\x00\x30\x00\x02ks\x00\x03Odd\x00\x01\x00\x01"s + "a\x00\x09"s);
}

TEST(options, what_a_version_does_not_know_goes_as_a_class) {
  const auto custom = [](std::string_view name) {
    return "\x00\x00\x00"s + static_cast<char>(name.size()) + std::string(name);
  };
  const auto duration = custom("org.apache.cassandra.db.marshal.DurationType");
  EXPECT_EQ(option_of(**parse("duration"), 4), duration);
  EXPECT_EQ(option_of(**parse("duration"), 5), "\x00\x15"s);
  EXPECT_EQ(option_of(**parse("smallint"), 3), custom("org.apache.cassandra.db.marshal.ShortType"));
  EXPECT_EQ(option_of(**parse("smallint"), 4), "\x00\x13"s);
  for (const int version : {3, 4, 5})
    for (const auto* text : {"date", "duration", "vector<float, 3>", "list<time>", "address",
                             "tuple<tinyint, map<text, duration>>", "set<frozen<address>>"}) {
      const auto bytes = option_of(**parse(text), version);
      std::string_view rest = bytes;
      const auto back = take_option(rest, version).value();
      EXPECT_EQ(option_of(*back, version), bytes) << text << " v" << version;
      EXPECT_TRUE(rest.empty());
      for (std::size_t length = 0; length < bytes.size(); ++length) {
        std::string_view cut = std::string_view(bytes).substr(0, length);
        EXPECT_FALSE(take_option(cut, version)) << text << " " << length;
      }
    }
}

}  // namespace
}  // namespace tailrace::cql_types
