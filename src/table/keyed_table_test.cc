// Changes, reads and pages of keyed tables, and their catalogue through a restart.
#include "table/keyed_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "table/json.h"

namespace tailrace::table {
namespace {

Schema columns() {
  return arrow::schema({arrow::field("country", arrow::utf8()), arrow::field("n", arrow::int64()),
                        arrow::field("name", arrow::utf8())});
}

struct Row {
  std::string country;
  std::int64_t n;
  std::string name;
};

Batch rows_of(const std::vector<Row>& rows) {
  arrow::StringBuilder country;
  arrow::Int64Builder n;
  arrow::StringBuilder name;
  for (const Row& row : rows) {
    EXPECT_TRUE((country.Append(row.country) & n.Append(row.n) & name.Append(row.name)).ok());
  }
  return arrow::RecordBatch::Make(
      columns(), static_cast<std::int64_t>(rows.size()),
      arrow::ArrayVector{*country.Finish(), *n.Finish(), *name.Finish()});
}

class KeyedTableTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "tableXXXXXX";
    folder_ = mkdtemp(name.data());
    open();
    table_ = *catalogue_->create({"people", columns(), {"country", "n"}});
  }
  void TearDown() override {
    table_.reset();
    catalogue_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  void open() {
    catalogue_.reset();
    store_.reset();
    store_ = *kv::Store::open(folder_);
    catalogue_ = *Catalogue::open(*store_);
  }
  void apply(const std::vector<Row>& rows, std::vector<Weight> weights = {}) {
    kv::WriteBatch batch;
    ASSERT_TRUE(table_->apply({rows_of(rows), std::move(weights)}, batch));
    ASSERT_TRUE(store_->write(batch));
  }
  std::string get(std::vector<std::string> key) {
    const auto row = table_->get(key);
    if (!row) return row.error().what;
    return *row ? row_to_json(***row, 0) : "none";
  }
  std::string scan(const KeyRange& range = {}, std::int64_t limit = 100) {
    std::string out;
    std::string token;
    do {
      const auto page = table_->scan(range, limit, token);
      if (!page) return page.error().what;
      EXPECT_LE(page->rows->num_rows(), limit);
      for (std::int64_t row = 0; row < page->rows->num_rows(); ++row) {
        out += page->rows->GetColumnByName("country")->GetScalar(row).ValueOrDie()->ToString() +
               page->rows->GetColumnByName("n")->GetScalar(row).ValueOrDie()->ToString() + " ";
      }
      token = page->next;
    } while (!token.empty());
    return out;
  }

  std::string folder_;
  std::unique_ptr<kv::Store> store_;
  std::unique_ptr<Catalogue> catalogue_;
  std::shared_ptr<const KeyedTable> table_;
};

TEST_F(KeyedTableTest, a_row_is_found_by_its_key_as_text) {
  apply({{"DE", 1, "Anna"}, {"DE", -5, "Ben"}});
  EXPECT_EQ(get({"DE", "1"}), R"({"country":"DE","n":1,"name":"Anna"})");
  EXPECT_EQ(get({"DE", "2"}), "none");
  EXPECT_THAT(get({"DE", "two"}), testing::HasSubstr("'two' is not a BIGINT"));
  EXPECT_THAT(get({"DE"}), testing::HasSubstr("the key has 2 column(s), not 1"));
}

TEST_F(KeyedTableTest, a_replaced_row_has_its_new_value_in_either_order) {
  apply({{"DE", 1, "old"}, {"FR", 1, "old"}});
  apply({{"DE", 1, "old"}, {"DE", 1, "new"}, {"FR", 1, "new"}, {"FR", 1, "old"}}, {-1, 1, 1, -1});
  EXPECT_EQ(get({"DE", "1"}), R"({"country":"DE","n":1,"name":"new"})");
  EXPECT_EQ(get({"FR", "1"}), R"({"country":"FR","n":1,"name":"new"})");
}

TEST_F(KeyedTableTest, a_retracted_row_is_gone) {
  apply({{"DE", 1, "a"}, {"DE", 2, "b"}});
  apply({{"DE", 1, "a"}}, {-1});
  EXPECT_EQ(scan(), "DE2 ");
}

TEST_F(KeyedTableTest, a_note_stays_with_its_row_until_the_row_is_put_again) {
  const std::vector<Row> rows = {{"DE", 1, "a"}, {"DE", 2, "b"}};
  const Delta added{rows_of(rows), {}};
  const EncodedRows encoded = *encode_keys(*added.rows, {{0}, {1}});
  const std::vector<std::string> keys = {std::string(encoded[0]), std::string(encoded[1]),
                                         "no key"};
  const auto write = [&](const Delta& delta, KeyedTable::Notes notes) {
    kv::WriteBatch batch;
    ASSERT_TRUE(table_->apply(delta, std::move(notes), batch));
    ASSERT_TRUE(store_->write(batch));
  };
  const auto notes = [&] {
    return *table_->notes(std::vector<std::string_view>(keys.begin(), keys.end()));
  };
  using Found = std::vector<std::optional<std::string>>;
  write(added, {{keys[0], "first"}});
  EXPECT_EQ(notes(), (Found{"first", "", std::nullopt}));
  write({}, {{keys[0], "longer than before"}, {keys[1], ""}});
  EXPECT_EQ(notes(), (Found{"longer than before", "", std::nullopt}));
  write({}, {{keys[0], "x"}, {keys[1], "second"}});
  EXPECT_EQ(notes(), (Found{"x", "second", std::nullopt}));
  EXPECT_EQ(scan(), "DE1 DE2 ");
  EXPECT_EQ(get({"DE", "2"}), R"({"country":"DE","n":2,"name":"b"})");
  write({rows_of(rows), {}}, {{keys[1], "again"}});
  EXPECT_EQ(notes(), (Found{"", "again", std::nullopt}));
  kv::WriteBatch batch;
  EXPECT_FALSE(table_->apply({}, {{keys[2], "of no row"}}, batch));
}

TEST_F(KeyedTableTest, pages_of_any_size_give_every_row_in_key_order) {
  std::vector<Row> rows;
  std::string expected;
  for (std::int64_t n = -20; n < 20; ++n) {
    rows.insert(rows.begin(), {"DE", n, "x"});
    expected += "DE" + std::to_string(n) + " ";
  }
  apply(rows);
  for (const std::int64_t limit : {1, 3, 7, 40, 100}) EXPECT_EQ(scan({}, limit), expected);
  EXPECT_EQ(*table_->count(40), 40);
  EXPECT_EQ(*table_->count(39), std::nullopt);
}

TEST_F(KeyedTableTest, ranges_take_prefixes_of_the_key_and_include_both_ends) {
  apply(
      {{"DE", 1, ""}, {"DE", 2, ""}, {"DEN", 1, ""}, {"FR", 9, ""}, {"FR", 10, ""}, {"US", 1, ""}});
  EXPECT_EQ(scan({{"DE"}, {"DE"}}), "DE1 DE2 ");
  EXPECT_EQ(scan({{"DE", "2"}, {"FR", "9"}}), "DE2 DEN1 FR9 ");
  EXPECT_EQ(scan({{"FR"}, {}}), "FR9 FR10 US1 ");
  EXPECT_THAT(table_->scan({}, 1, "nonsense!").error().what, testing::HasSubstr("page token"));
}

TEST_F(KeyedTableTest, rows_between_key_bytes_come_in_either_direction_until_told_to_stop) {
  std::vector<Row> rows;
  for (std::int64_t n = 0; n < 1000; ++n) rows.push_back({n % 2 == 0 ? "DE" : "FR", n, "x"});
  apply(rows);
  const Batch ends = rows_of({{"DE", 10, ""}, {"FR", 21, ""}});
  const EncodedRows keys = *encode_keys(*ends, {{0}, {1}});
  const auto between = [&](std::string_view from, std::string_view to, bool backwards,
                           std::size_t enough) {
    std::vector<std::int64_t> found;
    EXPECT_TRUE(table_->scan_encoded(from, to, backwards, [&](const Batch& batch) -> Result<bool> {
      const auto& n = static_cast<const arrow::Int64Array&>(*batch->column(1));
      for (std::int64_t i = 0; i < n.length(); ++i) found.push_back(n.Value(i));
      return found.size() < enough;
    }));
    return found;
  };
  std::vector<std::int64_t> expected;
  for (std::int64_t n = 10; n < 1000; n += 2) expected.push_back(n);
  for (std::int64_t n = 1; n < 21; n += 2) expected.push_back(n);
  EXPECT_EQ(between(keys[0], keys[1], false, SIZE_MAX), expected);
  std::ranges::reverse(expected);
  EXPECT_EQ(between(keys[0], keys[1], true, SIZE_MAX), expected);
  EXPECT_EQ(between({}, {}, true, SIZE_MAX).size(), 1000U);
  const auto some = between({}, {}, true, 1);
  EXPECT_LT(some.size(), 100U);
  EXPECT_EQ(some.front(), 999);
}

TEST_F(KeyedTableTest, a_table_knows_that_another_took_its_place) {
  const auto before = table_;
  EXPECT_FALSE(before->replaced());
  auto wider = columns()->fields();
  wider.push_back(arrow::field("age", arrow::int32()));
  table_ = *catalogue_->create({"people", arrow::schema(wider), {"country", "n"}});
  EXPECT_TRUE(before->replaced());
  EXPECT_FALSE(table_->replaced());
  ASSERT_TRUE(catalogue_->drop("people"));
  EXPECT_TRUE(table_->replaced());
}

TEST_F(KeyedTableTest, an_added_column_is_null_in_older_rows_and_survives_a_restart) {
  apply({{"DE", 1, "a"}});
  auto wider = columns()->fields();
  wider.push_back(arrow::field("age", arrow::int32()));
  ASSERT_TRUE(catalogue_->create({"people", arrow::schema(wider), {"country", "n"}}));
  ASSERT_TRUE(store_->checkpoint());
  open();
  table_ = catalogue_->find("people");
  ASSERT_TRUE(table_);
  apply({{"DE", 2, "b"}});
  EXPECT_EQ(get({"DE", "1"}), R"({"country":"DE","n":1,"name":"a","age":null})");
  EXPECT_EQ(scan(), "DE1 DE2 ");
}

TEST_F(KeyedTableTest, numbers_grow_but_never_a_keys) {
  apply({{"DE", 1, "a"}});
  const auto with_age = [](const Type& type) {
    auto fields = columns()->fields();
    fields.push_back(arrow::field("age", type));
    return arrow::schema(fields);
  };
  ASSERT_TRUE(catalogue_->create({"people", with_age(arrow::int32()), {"country", "n"}}));
  auto grown = catalogue_->create({"people", with_age(arrow::float64()), {"country", "n"}});
  ASSERT_TRUE(grown) << grown.error().what;
  EXPECT_EQ((*grown)->schema().columns->field(3)->type()->id(), arrow::Type::DOUBLE);
  table_ = *grown;
  EXPECT_EQ(get({"DE", "1"}), R"({"country":"DE","n":1,"name":"a","age":null})");
  auto key_grows = with_age(arrow::float64())->fields();
  key_grows[1] = arrow::field("n", arrow::float64());
  EXPECT_THAT(
      catalogue_->create({"people", arrow::schema(key_grows), {"country", "n"}}).error().what,
      testing::HasSubstr("BIGINT of the key cannot become DOUBLE"));
}

TEST_F(KeyedTableTest, a_changed_type_or_key_is_refused_with_the_reason) {
  auto other =
      arrow::schema({arrow::field("country", arrow::utf8()), arrow::field("n", arrow::utf8())});
  EXPECT_THAT(catalogue_->create({"people", other, {"country", "n"}}).error().what,
              testing::HasSubstr("column n: BIGINT cannot become STRING"));
  EXPECT_THAT(catalogue_->create({"people", columns(), {"country"}}).error().what,
              testing::HasSubstr("primary key changed"));
}

TEST_F(KeyedTableTest, a_dropped_table_leaves_no_rows_to_the_next) {
  apply({{"DE", 1, "a"}});
  ASSERT_TRUE(catalogue_->drop("people"));
  EXPECT_FALSE(catalogue_->find("people"));
  table_ = *catalogue_->create({"people", columns(), {"country", "n"}});
  EXPECT_EQ(scan(), "");
}

TEST(Json, every_type_is_written_as_the_header_says) {
  arrow::StringBuilder text;
  arrow::DoubleBuilder real;
  arrow::TimestampBuilder at(timestamp_type(), arrow::default_memory_pool());
  arrow::Decimal128Builder money(arrow::decimal128(10, 2));
  arrow::BinaryBuilder bytes;
  arrow::Date32Builder day;
  ASSERT_TRUE((text.Append("a\"\\\n\x01 \xC3\xA4 \xFF") & real.Append(2) & at.Append(-1) &
               money.Append(arrow::Decimal128(-1234)) & bytes.Append("\x01\x02\x03") &
               day.Append(19782))
                  .ok());
  ASSERT_TRUE((text.AppendNull() & real.Append(0.5e-7) & at.Append(1'704'067'200'500'000) &
               money.AppendNull() & bytes.AppendNull() & day.AppendNull())
                  .ok());
  const auto schema =
      arrow::schema({arrow::field("t", arrow::utf8()), arrow::field("r", arrow::float64()),
                     arrow::field("at", timestamp_type()), arrow::field("m", money.type()),
                     arrow::field("b", arrow::binary()), arrow::field("d", arrow::date32())});
  const auto rows =
      arrow::RecordBatch::Make(schema, 2,
                               arrow::ArrayVector{*text.Finish(), *real.Finish(), *at.Finish(),
                                                  *money.Finish(), *bytes.Finish(), *day.Finish()});
  EXPECT_EQ(rows_to_json(*rows),
            "[{\"t\":\"a\\\"\\\\\\n\\u0001 \xC3\xA4 "
            "\xEF\xBF\xBD\",\"r\":2.0,\"at\":\"1969-12-31T23:59:59.999999Z\","
            "\"m\":-12.34,\"b\":\"AQID\",\"d\":\"2024-02-29\"},"
            "{\"t\":null,\"r\":5e-08,\"at\":\"2024-01-01T00:00:00.500Z\",\"m\":null,\"b\":null,"
            "\"d\":null}]");
}

}  // namespace
}  // namespace tailrace::table
