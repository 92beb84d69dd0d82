// Rows of keyed tables as CQL's clients read them: types, values, keys and pages.
#include "served/served_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "columns/testing/random_rows.h"
#include "cql_types/compare.h"
#include "cql_types/text.h"
#include "cql_types/validate.h"
#include "kv/memory_store.h"

namespace tailrace::served {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Schema schema_of(const std::vector<std::pair<std::string, Type>>& columns) {
  arrow::FieldVector fields;
  for (const auto& [name, type] : columns) fields.push_back(arrow::field(name, type));
  return arrow::schema(fields);
}

/// Rows from JSON, one value a column in their order.
Batch batch_of(const Schema& schema, const std::vector<Array>& columns) {
  return arrow::RecordBatch::Make(schema, columns.front()->length(), columns);
}

template <typename Builder, typename... Values>
Array array_of(Builder&& builder, Values... values) {
  const auto add = [&](auto value) {
    if constexpr (std::is_same_v<decltype(value), std::nullptr_t>) {
      CHECK(builder.AppendNull().ok());
    } else {
      CHECK(builder.Append(value).ok());
    }
  };
  (add(values), ...);
  return builder.Finish().ValueOrDie();
}

class ServedTableTest : public ::testing::Test {
 protected:
  void create(const Schema& schema, const std::vector<std::string>& key,
              int partition_columns = 1) {
    auto table = catalogue_->create({"t", schema, key});
    ASSERT_TRUE(table) << table.error().what;
    keyed_ = *table;
    std::set<std::string> taken;
    auto definition = define({"ks", "t", partition_columns}, keyed_->schema(), taken);
    ASSERT_TRUE(definition) << definition.error().what;
    served_ = std::make_unique<ServedTable>(keyed_, std::move(*definition));
  }
  void put(const Batch& rows) {
    kv::WriteBatch batch;
    ASSERT_TRUE(keyed_->apply({rows, {}}, batch));
    ASSERT_TRUE(store_.write(batch));
  }

  std::string shown(const cql_schema::Values& row) const {
    std::string out;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const auto& type = *served_->definition().columns[i].type;
      const auto text = cql_types::to_literal(type, row[i]);
      out += (i == 0 ? "" : ", ") + (text ? *text : text.error().what);
    }
    return out;
  }
  ServedTable::Visit into(std::vector<cql_schema::Values>& rows, std::size_t limit = SIZE_MAX) {
    return [&rows, limit](const cql_schema::Values& row) {
      rows.push_back(row);
      return rows.size() < limit;
    };
  }
  using Key = std::vector<std::string_view>;
  std::vector<cql_schema::Values> rows(const Key& key, bool backwards = false,
                                       std::size_t limit = SIZE_MAX, const Key& after = {}) {
    std::vector<cql_schema::Values> found;
    const Status read = served_->rows(key, after, backwards, into(found, limit));
    EXPECT_TRUE(read) << read.error().what;
    return found;
  }
  std::vector<cql_schema::Values> scan(const Key& after = {}, std::size_t limit = SIZE_MAX) {
    std::vector<cql_schema::Values> found;
    const Status read = served_->scan(after, into(found, limit));
    EXPECT_TRUE(read) << read.error().what;
    return found;
  }
  std::vector<std::string> texts(const std::vector<cql_schema::Values>& rows) const {
    std::vector<std::string> out;
    for (const auto& row : rows) out.push_back(shown(row));
    return out;
  }
  Key key_of(const cql_schema::Values& row, std::size_t columns) const {
    Key key;
    for (std::size_t i = 0; i < columns; ++i) key.push_back(*row[i]);
    return key;
  }

  kv::MemoryStore store_;
  std::unique_ptr<table::Catalogue> catalogue_ = *table::Catalogue::open(store_);
  std::shared_ptr<const table::KeyedTable> keyed_;
  std::unique_ptr<ServedTable> served_;
};

std::string bytes_be(std::int64_t value) {
  std::string out;
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
  return out;
}

TEST_F(ServedTableTest, every_type_of_spark_has_its_type_and_literal_in_cql) {
  const auto list = std::make_shared<arrow::Int32Builder>();
  arrow::ListBuilder lists(arrow::default_memory_pool(), list);
  CHECK(lists.Append().ok() && list->Append(1).ok() && list->Append(-2).ok());
  const auto map_keys = std::make_shared<arrow::StringBuilder>();
  const auto map_values = std::make_shared<arrow::Int64Builder>();
  arrow::MapBuilder maps(arrow::default_memory_pool(), map_keys, map_values);
  CHECK(maps.Append().ok() && map_keys->Append("z").ok() && map_values->Append(1).ok() &&
        map_keys->Append("a").ok() && map_values->Append(2).ok());
  const auto pool = arrow::default_memory_pool();
  const Type inner = arrow::struct_({arrow::field("y", arrow::boolean())});
  const Type outer =
      arrow::struct_({arrow::field("First Name", arrow::utf8()), arrow::field("In", inner)});
  const auto made = arrow::MakeBuilder(outer).ValueOrDie();
  auto& structs = static_cast<arrow::StructBuilder&>(*made);
  auto& inside = static_cast<arrow::StructBuilder&>(*structs.field_builder(1));
  CHECK(structs.Append().ok() && inside.Append().ok() &&
        static_cast<arrow::StringBuilder&>(*structs.field_builder(0)).Append("it's").ok() &&
        static_cast<arrow::BooleanBuilder&>(*inside.field_builder(0)).AppendNull().ok());
  const Type money = arrow::decimal128(20, 3);
  const std::vector<std::pair<std::string, Array>> columns = {
      {"Id", array_of(arrow::StringBuilder(), "k")},
      {"b01", array_of(arrow::BooleanBuilder(), true)},
      {"b02", array_of(arrow::Int8Builder(), std::int8_t{-1})},
      {"b03", array_of(arrow::Int16Builder(), std::int16_t{-2})},
      {"b04", array_of(arrow::Int32Builder(), -3)},
      {"b05", array_of(arrow::Int64Builder(), INT64_MIN)},
      {"b06", array_of(arrow::FloatBuilder(), 1.5F)},
      {"b07", array_of(arrow::DoubleBuilder(), -0.25)},
      {"b08", array_of(arrow::Decimal128Builder(money), arrow::Decimal128(-128))},
      {"b09", array_of(arrow::Decimal128Builder(money), arrow::Decimal128(128))},
      {"b10", array_of(arrow::BinaryBuilder(), std::string_view("\0\xFF", 2))},
      {"b11", array_of(arrow::Date32Builder(), -1)},
      {"b12", array_of(arrow::TimestampBuilder(timestamp_type(), pool), -1)},
      {"b13", array_of(arrow::TimestampBuilder(arrow::timestamp(arrow::TimeUnit::MICRO), pool),
                       1'600'000'000'123'456)},
      {"b14", array_of(arrow::DurationBuilder(arrow::duration(arrow::TimeUnit::MICRO), pool),
                       90'061'000'000)},
      {"b15", lists.Finish().ValueOrDie()},
      {"b16", maps.Finish().ValueOrDie()},
      {"b17", structs.Finish().ValueOrDie()},
      {"b18", array_of(arrow::Int32Builder(), nullptr)},
      {"b19", array_of(arrow::NullBuilder(), nullptr)},
  };
  std::vector<std::pair<std::string, Type>> types;
  std::vector<Array> arrays;
  for (const auto& [name, array] : columns) {
    types.emplace_back(name, array->type());
    arrays.push_back(array);
  }
  create(schema_of(types), {"Id"});
  put(batch_of(keyed_->schema().columns, arrays));
  const auto& table = served_->definition();
  EXPECT_EQ(table.columns[0].name, "id");
  std::vector<std::string> names;
  for (const auto& column : table.columns) names.push_back(cql_types::to_cql(*column.type));
  EXPECT_THAT(names, ElementsAre("text", "boolean", "tinyint", "smallint", "int", "bigint", "float",
                                 "double", "decimal", "decimal", "blob", "date", "timestamp",
                                 "timestamp", "text", "frozen<list<int>>",
                                 "frozen<map<text, bigint>>", "frozen<t_b17>", "int", "text"));
  const auto found = rows({"k"});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(shown(found[0]),
            "'k', true, -1, -2, -3, -9223372036854775808, 1.5, -0.25, -0.128, 0.128, 0x00ff, "
            "'1969-12-31', '1969-12-31T23:59:59.999Z', '2020-09-13T12:26:40.123Z', "
            "'INTERVAL ''1 01:01:01'' DAY TO SECOND', [1, -2], {'a': 2, 'z': 1}, "
            "{first_name: 'it''s', \"in\": {y: null}}, null, null");
  ASSERT_EQ(served_->types().size(), 2U);
  EXPECT_EQ(served_->types()[0]->name, "t_b17_in");
  EXPECT_EQ(served_->types()[1]->name, "t_b17");
  EXPECT_FALSE(served_->types()[1]->frozen);
  EXPECT_THAT(rows({"other"}), ::testing::IsEmpty());
}

TEST_F(ServedTableTest, a_null_within_a_list_is_left_out) {
  const auto list = std::make_shared<arrow::Int32Builder>();
  arrow::ListBuilder lists(arrow::default_memory_pool(), list);
  CHECK(lists.Append().ok() && list->AppendNull().ok() && list->Append(1).ok());
  create(schema_of({{"k", arrow::utf8()}, {"l", arrow::list(arrow::int32())}}), {"k"});
  put(batch_of(keyed_->schema().columns,
               {array_of(arrow::StringBuilder(), "k"), lists.Finish().ValueOrDie()}));
  using namespace std::literals;
  EXPECT_EQ(scan()[0][1], "\0\0\0\1\0\0\0\4\0\0\0\1"sv);
}

TEST_F(ServedTableTest, the_key_comes_first_and_the_rest_by_name) {
  create(schema_of({{"z", arrow::utf8()},
                    {"c", arrow::int32()},
                    {"B", arrow::utf8()},
                    {"a", arrow::utf8()}}),
         {"z", "B", "c"}, 2);
  const auto& table = served_->definition();
  std::vector<std::string> names;
  for (const auto& column : table.columns) names.push_back(column.name);
  EXPECT_THAT(names, ElementsAre("z", "b", "c", "a"));
  EXPECT_EQ(table.partition_columns, 2);
  EXPECT_EQ(table.clustering_columns, 1);
  EXPECT_EQ(table.columns[1].kind, cql_schema::ColumnKind::kPartitionKey);
  EXPECT_EQ(table.columns[2].kind, cql_schema::ColumnKind::kClustering);
  EXPECT_EQ(table.columns[2].position, 0);
  EXPECT_EQ(table.columns[3].kind, cql_schema::ColumnKind::kRegular);
  EXPECT_TRUE(table.foreign);
}

/// Of random rows with a key of these types: every way of reading gives the same rows.
class ServedKeysTest : public ServedTableTest, public ::testing::WithParamInterface<Type> {
 protected:
  using Found = std::vector<cql_schema::Values>;
  void fill() {
    testing::RandomRows random(7);
    const Type type = GetParam();
    Array first = random.array(type, 400);
    if (type->id() == arrow::Type::TIMESTAMP) first = whole_milliseconds(first);
    put(batch_of(keyed_->schema().columns,
                 {first, random.array(arrow::int32(), 400), random.array(arrow::utf8(), 400)}));
  }
  static Array whole_milliseconds(const Array& times) {
    arrow::TimestampBuilder whole(times->type(), arrow::default_memory_pool());
    const auto& all = static_cast<const arrow::TimestampArray&>(*times);
    for (std::int64_t i = 0; i < all.length(); ++i)
      CHECK((all.IsNull(i) ? whole.AppendNull() : whole.Append(all.Value(i) / 1000 * 1000)).ok());
    return whole.Finish().ValueOrDie();
  }
};

TEST_P(ServedKeysTest, rows_are_found_by_key_partition_page_and_backwards) {
  create(schema_of({{"p", GetParam()}, {"c", arrow::int32()}, {"v", arrow::utf8()}}), {"p", "c"});
  fill();
  const Found all = scan();
  ASSERT_GT(all.size(), 10U);
  const auto& clustering = *served_->definition().columns[1].type;
  std::size_t in_partitions = 0;
  for (std::size_t i = 0; i < all.size();) {
    const Found partition = rows({*all[i][0]});
    EXPECT_EQ(texts(partition),
              texts(Found(all.begin() + static_cast<std::ptrdiff_t>(i),
                          all.begin() + static_cast<std::ptrdiff_t>(i + partition.size()))));
    ASSERT_FALSE(partition.empty()) << shown(all[i]);
    for (std::size_t r = 1; r < partition.size(); ++r)
      EXPECT_TRUE(cql_types::compare(clustering, *partition[r - 1][1], *partition[r][1]) < 0);
    Found back = rows({*all[i][0]}, true);
    std::ranges::reverse(back);
    EXPECT_EQ(texts(back), texts(partition));
    for (const bool backwards : {false, true}) {
      Found paged = rows({*all[i][0]}, backwards, 2);
      while (paged.size() < partition.size()) {
        const Found page = rows({*all[i][0]}, backwards, 2, key_of(paged.back(), 2));
        ASSERT_FALSE(page.empty());
        paged.insert(paged.end(), page.begin(), page.end());
      }
      if (backwards) std::ranges::reverse(paged);
      EXPECT_EQ(texts(paged), texts(partition));
      const auto& last = backwards ? partition.front() : partition.back();
      EXPECT_TRUE(rows({*all[i][0]}, backwards, SIZE_MAX, key_of(last, 2)).empty());
    }
    in_partitions += partition.size();
    i += partition.size();
  }
  EXPECT_EQ(in_partitions, all.size());
  for (const auto& row : all) {
    EXPECT_THAT(texts(rows(key_of(row, 2))), ElementsAre(shown(row)));
    const bool nulls_within = GetParam()->id() == arrow::Type::LIST;
    for (std::size_t i = nulls_within ? 1 : 0; i < row.size(); ++i)
      EXPECT_TRUE(!row[i] || cql_types::validate(*served_->definition().columns[i].type, *row[i]));
  }
  Found paged;
  for (Key after;;) {
    const Found page = scan(after, 7);
    paged.insert(paged.end(), page.begin(), page.end());
    if (page.size() < 7) break;
    after = key_of(paged.back(), 2);
  }
  EXPECT_EQ(texts(paged), texts(all));
  const auto next = std::ranges::find_if(all, [&](const auto& row) { return row[0] != all[0][0]; });
  EXPECT_EQ(texts(scan({*all[0][0]})), texts(Found(next, all.end())));
}

INSTANTIATE_TEST_SUITE_P(Types, ServedKeysTest,
                         ::testing::Values(arrow::boolean(), arrow::int8(), arrow::int16(),
                                           arrow::int32(), arrow::int64(), arrow::float32(),
                                           arrow::float64(), arrow::decimal128(9, 2),
                                           arrow::decimal128(38, 0), arrow::utf8(), arrow::binary(),
                                           arrow::date32(), timestamp_type(),
                                           arrow::list(arrow::int32()),
                                           arrow::struct_({arrow::field("a", arrow::utf8()),
                                                           arrow::field("b", arrow::date32())})));

TEST_F(ServedTableTest, clustering_rows_are_in_cqls_order_for_every_type) {
  for (const Type& type :
       {arrow::int8(), arrow::int64(), arrow::float64(), arrow::decimal128(12, 3), arrow::utf8(),
        arrow::binary(), arrow::date32()}) {
    (void)catalogue_->drop("t");
    create(schema_of({{"p", arrow::int32()}, {"c", type}}), {"p", "c"});
    put(batch_of(keyed_->schema().columns,
                 {arrow::MakeArrayFromScalar(arrow::Int32Scalar(1), 300).ValueOrDie(),
                  testing::RandomRows(3).array(type, 300)}));
    const auto found = rows({std::string_view("\0\0\0\1", 4)});
    ASSERT_GT(found.size(), 3U);
    for (std::size_t i = 1; i < found.size(); ++i)
      EXPECT_TRUE(cql_types::compare(*served_->definition().columns[1].type, *found[i - 1][1],
                                     *found[i][1]) < 0)
          << shown(found[i - 1]) << " and " << shown(found[i]);
  }
}

TEST_F(ServedTableTest, a_decimal_key_of_another_scale_finds_its_row) {
  create(schema_of({{"d", arrow::decimal128(5, 2)}}), {"d"});
  put(batch_of(keyed_->schema().columns,
               {array_of(arrow::Decimal128Builder(arrow::decimal128(5, 2)), arrow::Decimal128(-150),
                         arrow::Decimal128(0))}));
  const auto decimal = [](std::int32_t scale, std::string_view unscaled) {
    return bytes_be(scale).substr(4) + std::string(unscaled);
  };
  EXPECT_THAT(texts(rows({decimal(1, "\xF1")})), ElementsAre("-1.50"));      // -1.5
  EXPECT_THAT(texts(rows({decimal(3, "\xFA\x24")})), ElementsAre("-1.50"));  // -1.500
  EXPECT_THAT(texts(rows({decimal(-9, std::string(1, '\0'))})), ElementsAre("0.00"));
  EXPECT_THAT(rows({decimal(3, "\xFA\x23")}), ::testing::IsEmpty());  // -1.501
  EXPECT_THAT(rows({decimal(-2'000'000'000, "\x01")}), ::testing::IsEmpty());
  EXPECT_THAT(rows({"\x01"}), ::testing::IsEmpty());
}

TEST_F(ServedTableTest, of_rows_within_one_millisecond_the_last_is_shown) {
  create(schema_of({{"p", arrow::int32()}, {"at", timestamp_type()}, {"v", arrow::int32()}}),
         {"p", "at"});
  put(batch_of(keyed_->schema().columns,
               {array_of(arrow::Int32Builder(), 1, 1, 1, 1, 1),
                array_of(arrow::TimestampBuilder(timestamp_type(), arrow::default_memory_pool()),
                         -1000, -1, 0, 999, 1000),
                array_of(arrow::Int32Builder(), 1, 2, 3, 4, 5)}));
  const std::string_view one("\0\0\0\1", 4);
  const std::vector<std::string> expected = {"1, '1969-12-31T23:59:59.999Z', 2",
                                             "1, '1970-01-01T00:00:00.000Z', 4",
                                             "1, '1970-01-01T00:00:00.001Z', 5"};
  EXPECT_EQ(texts(scan()), expected);
  EXPECT_EQ(texts(rows({one})), expected);
  EXPECT_THAT(texts(rows({one}, true)), ElementsAre(expected[2], expected[1], expected[0]));
  EXPECT_THAT(texts(rows({one}, true, 2)), ElementsAre(expected[2], expected[1]));
  EXPECT_THAT(texts(rows({one}, false, 1)), ElementsAre(expected[0]));
  EXPECT_THAT(texts(rows({one, bytes_be(0)})), ElementsAre(expected[1]));
  EXPECT_THAT(texts(rows({one, bytes_be(-1)})), ElementsAre(expected[0]));
  EXPECT_THAT(texts(scan({one, bytes_be(0)})), ElementsAre(expected[2]));
  EXPECT_THAT(texts(rows({one}, true, SIZE_MAX, {one, bytes_be(1)})),
              ElementsAre(expected[1], expected[0]));
  EXPECT_THAT(texts(rows({one}, false, SIZE_MAX, {one, bytes_be(-1)})),
              ElementsAre(expected[1], expected[2]));
  EXPECT_THAT(rows({one, bytes_be(INT64_MAX)}), ::testing::IsEmpty());
}

TEST_F(ServedTableTest, parts_of_a_millisecond_before_another_key_column_are_an_error) {
  create(schema_of({{"at", timestamp_type()}, {"c", arrow::int32()}}), {"at", "c"});
  put(batch_of(
      keyed_->schema().columns,
      {array_of(arrow::TimestampBuilder(timestamp_type(), arrow::default_memory_pool()), 1000, 1),
       array_of(arrow::Int32Builder(), 1, 1)}));
  EXPECT_THAT(texts(rows({bytes_be(1)})), ElementsAre("'1970-01-01T00:00:00.001Z', 1"));
  const Status read = served_->scan({}, [](const auto&) { return true; });
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().what, HasSubstr("ks.t: key column at has parts of a millisecond"));
}

TEST_F(ServedTableTest, a_row_with_a_null_in_its_key_is_not_shown) {
  create(schema_of({{"a", arrow::utf8()}, {"b", arrow::int32()}}), {"a", "b"});
  put(batch_of(keyed_->schema().columns, {array_of(arrow::StringBuilder(), nullptr, "x", "x", ""),
                                          array_of(arrow::Int32Builder(), 1, nullptr, 2, 3)}));
  EXPECT_THAT(texts(scan()), ElementsAre("'', 3", "'x', 2"));
  EXPECT_THAT(texts(rows({"x"})), ElementsAre("'x', 2"));
}

TEST_F(ServedTableTest, a_wider_table_is_told_and_its_older_rows_have_nulls) {
  create(schema_of({{"a", arrow::utf8()}}), {"a"});
  put(batch_of(keyed_->schema().columns, {array_of(arrow::StringBuilder(), "x")}));
  const auto before = std::move(served_);
  create(schema_of({{"a", arrow::utf8()}, {"n", arrow::int32()}}), {"a"});
  EXPECT_THAT(texts(scan()), ElementsAre("'x', null"));
  const Status read = before->scan({}, [](const auto&) { return true; });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::kUnavailable);
  ASSERT_TRUE(catalogue_->drop("t"));
  EXPECT_EQ(served_->rows(Key{"x"}, {}, false, [](const auto&) { return true; }).error().code,
            Code::kUnavailable);
}

std::string refusal(const std::vector<std::pair<std::string, Type>>& columns,
                    const Naming& naming = {"ks", "t"}) {
  std::set<std::string> taken;
  const auto made = define(naming, {"t", schema_of(columns), {columns[0].first}}, taken);
  return made ? "" : made.error().what;
}

TEST(Define, what_cql_cannot_have_is_refused_with_what_to_do) {
  const Type duration = arrow::duration(arrow::TimeUnit::MICRO);
  EXPECT_THAT(refusal({{"k", duration}}),
              HasSubstr("key column `k` is INTERVAL DAY TO SECOND, which cannot be in a key"));
  EXPECT_THAT(refusal({{"k", arrow::list(arrow::map(arrow::utf8(), arrow::utf8()))}}),
              HasSubstr("a MAP has no order"));
  EXPECT_THAT(refusal({{"k", arrow::null()}}), HasSubstr("CAST(k AS STRING)"));
  EXPECT_THAT(refusal({{"k", arrow::utf8()}}, {"system", "t"}), HasSubstr("KEYSPACE.TABLE"));
  EXPECT_THAT(refusal({{"k", arrow::utf8()}}, {"ks", std::string(49, 'a')}),
              HasSubstr("49 characters"));
  EXPECT_EQ(refusal({{"k", arrow::utf8()}, {"i", duration}}), "");
}

TEST(Define, names_that_differ_by_case_alone_get_numbers) {
  const Type twice =
      arrow::struct_({arrow::field("A", arrow::int32()), arrow::field("a", arrow::int32())});
  std::set<std::string> taken{"t_s"};
  const auto made =
      define({"ks", "t"},
             {"t", schema_of({{"k", arrow::utf8()}, {"s", twice}, {"S", twice}}), {"k"}}, taken);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->table.columns[1].name, "s");
  EXPECT_EQ(made->table.columns[2].name, "s_2");
  EXPECT_EQ(made->types[0]->name, "t_s_2");
  EXPECT_THAT(made->types[0]->field_names, ElementsAre("a", "a_2"));
  EXPECT_TRUE(taken.contains("t_s_2"));
}

TEST(PlainName, is_lower_case_and_has_letters_digits_and_underscores) {
  EXPECT_EQ(plain_name("Random-Users 2ä"), "random_users_2__");
}

}  // namespace
}  // namespace tailrace::served
