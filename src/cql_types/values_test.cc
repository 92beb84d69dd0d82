// What the vectors of Cassandra do not ask: parts, keys of several columns, limits, literals, casts
// that are none, timeuuids in order.
#include <gtest/gtest.h>

#include "cql_types/cast.h"
#include "cql_types/compare.h"
#include "cql_types/json.h"
#include "cql_types/number.h"
#include "cql_types/sort_key.h"
#include "cql_types/testing/types.h"
#include "cql_types/text.h"
#include "cql_types/time_text.h"
#include "cql_types/uuid.h"
#include "cql_types/validate.h"

namespace tailrace::cql_types {
namespace {

using testing::parse;

std::string bytes(std::string_view type, std::string_view json) {
  return from_json(**parse(type), json, 0).value().value();
}

TEST(parts, a_collection_is_read_without_copies) {
  const auto list = bytes("list<text>", R"(["a", "", "long"])");
  CollectionReader reader(list, 1);
  EXPECT_EQ(reader.size(), 3);
  Part part;
  std::string all;
  while (reader.next(part)) {
    EXPECT_GE(part->data(), list.data());
    all += std::string(*part) + ";";
  }
  EXPECT_EQ(all, "a;;long;");
  EXPECT_FALSE(reader.failed());
  CollectionReader cut(std::string_view(list).substr(0, list.size() - 1), 1);
  while (cut.next(part)) continue;
  EXPECT_TRUE(cut.failed());
}

TEST(parts, vints_read_back_at_every_length) {
  for (int bits = 0; bits < 64; ++bits) {
    const auto value = static_cast<std::int64_t>(std::uint64_t{1} << bits);
    for (const std::int64_t each : {value, ~value}) {
      std::string out;
      append_vint(out, each);
      std::string_view rest = out;
      std::int64_t back = 0;
      ASSERT_TRUE(take_vint(rest, back));
      EXPECT_EQ(back, each);
      EXPECT_TRUE(rest.empty());
      std::string_view cut = std::string_view(out).substr(0, out.size() - 1);
      EXPECT_FALSE(take_vint(cut, back));
    }
  }
}

TEST(sort_keys, of_several_columns_follow_one_another) {
  const auto text = native_type(Kind::kText), number = native_type(Kind::kInt);
  const auto key = [&](std::string_view word, std::string_view digits) {
    std::string out;
    EXPECT_TRUE(append_sort_key(out, *text, word, false));
    EXPECT_TRUE(append_sort_key(out, *number, from_text(*number, digits, 0).value(), true));
    return out;
  };
  const std::string zero(1, '\0');
  EXPECT_LT(key("a", "2"), key("a", "1"));
  EXPECT_LT(key("a", "-5"), key("a" + zero, "5"));
  EXPECT_LT(key("a" + zero, "5"), key("a" + zero + zero, "5"));
  EXPECT_LT(key("a" + zero, "5"), key("a\x01", "5"));
  EXPECT_LT(key("", "0"), key(zero, "0"));
  const auto both = key("word", "-7");
  std::string_view rest = both;
  EXPECT_EQ(take_sort_key(rest, *text, false).value().value(), "word");
  EXPECT_EQ(to_text(*number, take_sort_key(rest, *number, true).value().value()).value(), "-7");
  EXPECT_TRUE(rest.empty());
}

TEST(sort_keys, damaged_ones_are_data_loss) {
  for (const auto* text : {"varint", "decimal", "text", "list<int>", "frozen<address>", "uuid"}) {
    const auto type = parse(text).value();
    const std::string_view json = type->kind == Kind::kList       ? "[1, 2]"
                                  : type->kind == Kind::kUserType ? R"({"zip": 1})"
                                  : type->kind == Kind::kUuid
                                      ? "\"550e8400-e29b-41d4-a716-446655440000\""
                                      : "\"123\"";
    std::string key;
    ASSERT_TRUE(append_sort_key(key, *type, bytes(text, json), false));
    for (std::size_t length = 0; length < key.size(); ++length) {
      std::string_view cut = std::string_view(key).substr(0, length);
      const auto taken = take_sort_key(cut, *type, false);
      ASSERT_FALSE(taken) << text << " " << length;
      EXPECT_EQ(taken.error().code, Code::kDataLoss);
    }
  }
}

TEST(sort_keys, null_comes_before_empty_before_values) {
  const auto type = native_type(Kind::kInt);
  std::string null, empty, least;
  ASSERT_TRUE(append_sort_key(null, *type, std::nullopt, false));
  ASSERT_TRUE(append_sort_key(empty, *type, "", false));
  ASSERT_TRUE(append_sort_key(least, *type, from_text(*type, "-2147483648", 0).value(), false));
  EXPECT_LT(null, empty);
  EXPECT_LT(empty, least);
  std::string_view rest = null;
  EXPECT_EQ(take_sort_key(rest, *type, false).value(), std::nullopt);
}

TEST(limits, numbers_of_too_many_digits_are_refused_not_computed) {
  const auto varint = native_type(Kind::kVarint), decimal = native_type(Kind::kDecimal);
  const std::string digits(kMaxDigits, '9');
  const auto largest = from_text(*varint, digits, 0).value();
  EXPECT_EQ(to_text(*varint, largest).value(), digits);
  EXPECT_FALSE(from_text(*varint, digits + "9", 0));
  const std::string huge(1 << 20, '\x55');
  EXPECT_FALSE(to_text(*varint, huge));
  EXPECT_FALSE(to_text(*decimal, huge));
  EXPECT_FALSE(cast(Kind::kVarint, huge, Kind::kText));
  std::string key;
  EXPECT_FALSE(append_sort_key(key, *varint, huge, false));
  EXPECT_FALSE(append_sort_key(key, *decimal, std::string_view(huge).substr(0, 60'000), false));
  EXPECT_TRUE(key.empty());
  EXPECT_TRUE(compare(*varint, huge, largest) > 0);
}

TEST(limits, json_is_no_deeper_than_64_levels) {
  EXPECT_FALSE(parse_json(std::string(100'000, '[')));
  EXPECT_TRUE(parse_json(std::string(60, '[') + std::string(60, ']')));
}

TEST(literals, quotes_are_doubled_and_read_back_by_the_grammar) {
  EXPECT_EQ(to_literal(*native_type(Kind::kText), "it's").value(), "'it''s'");
  EXPECT_EQ(to_literal(*native_type(Kind::kText), std::nullopt).value(), "null");
  EXPECT_EQ(to_literal(**parse("frozen<address>"),
                       bytes("frozen<address>", R"({"zip": 7, "\"Lines\"": ["x"]})"))
                .value(),
            R"({street: null, zip: 7, "Lines": ['x']})");
}

TEST(literals, a_constant_fits_only_its_types) {
  EXPECT_TRUE(literal_fits(Literal::kInteger, Kind::kTimestamp));
  EXPECT_FALSE(literal_fits(Literal::kInteger, Kind::kText));
  EXPECT_FALSE(literal_fits(Literal::kString, Kind::kUuid));
  EXPECT_EQ(literal_bytes(Literal::kHex, "0xCAFE", *native_type(Kind::kBlob), 0).value(),
            "\xCA\xFE");
  EXPECT_EQ(literal_name(Literal::kDuration), "DURATION");
}

TEST(times, now_is_the_callers) {
  EXPECT_EQ(parse_timestamp("NOW", 1'234).value(), 1'234);
  EXPECT_EQ(timestamp_text(1'577'872'800'000, ' '), "2020-01-01 10:00:00.000Z");
  EXPECT_EQ(parse_timestamp("2020-01-01 10:00+0000", 0).value(), 1'577'872'800'000);
  EXPECT_FALSE(parse_timestamp("2020-01-01 10:00 Nowhere", 0));
}

TEST(casts, only_those_of_cassandra) {
  EXPECT_TRUE(can_cast(Kind::kVarint, Kind::kTinyint));
  EXPECT_FALSE(can_cast(Kind::kText, Kind::kInt));
  EXPECT_FALSE(can_cast(Kind::kInt, Kind::kInt));
  EXPECT_FALSE(can_cast(Kind::kBigint, Kind::kCounter));
  EXPECT_FALSE(can_cast(Kind::kBlob, Kind::kText));
  EXPECT_FALSE(can_cast(Kind::kUuid, Kind::kTimestamp));
}

TEST(timeuuids, each_is_later_than_the_ones_before) {
  TimeuuidSource source(0xFFFFFFFFFFFFFFFF);
  const auto type = native_type(Kind::kTimeuuid);
  std::string last = min_timeuuid(999);
  for (const std::int64_t ms : {1'000, 1'000, 1'000, 999, 5'000, 5'000}) {
    const auto next = source.next(ms);
    EXPECT_TRUE(validate(*type, next));
    EXPECT_TRUE(compare(*type, last, next) < 0);
    last = next;
  }
  EXPECT_EQ(timeuuid_unix_ms(last), 5'000);
  EXPECT_TRUE(compare(*type, last, max_timeuuid(5'000)) < 0);
  EXPECT_TRUE(compare(*type, min_timeuuid(5'000), last) < 0);
}

}  // namespace
}  // namespace tailrace::cql_types
