// Staging in a real PostgreSQL: TAILRACE_POSTGRES is its URL, TAILRACE_POSTGRES_PASSWORD the
// password. Skipped where there is none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "postgres/connection.h"
#include "staging/staging.h"

namespace tailrace::staging {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class RealPostgres : public testing::Test {
 protected:
  void SetUp() override {
    const char* url = std::getenv("TAILRACE_POSTGRES");
    const char* password = std::getenv("TAILRACE_POSTGRES_PASSWORD");
    if (url == nullptr) GTEST_SKIP() << "TAILRACE_POSTGRES is not set";
    config_ = {.url = url, .password = password == nullptr ? "" : password};
    staging_ = *open_postgres(config_);
    other_ = *postgres::Connection::open({.url = config_.url, .password = config_.password});
    run("DROP TABLE IF EXISTS people, t, tailrace_positions");
  }

  void run(const std::string& sql) {
    const auto done = other_->run(sql);
    ASSERT_TRUE(done) << done.error().what;
  }
  std::vector<std::string> ask(const std::string& sql) {
    const auto rows = other_->query(sql);
    EXPECT_TRUE(rows) << rows.error().what;
    std::vector<std::string> all;
    for (int i = 0; rows && i < rows->size(); ++i) {
      std::string line;
      for (std::size_t c = 0; c < rows->columns().size(); ++c)
        (line += c == 0 ? "" : "|") += rows->cell(i, static_cast<int>(c)).value_or("NULL");
      all.push_back(std::move(line));
    }
    return all;
  }
  std::unique_ptr<Table> open(const TableSpec& spec, const std::string& writer = "w") {
    auto table = staging_->table(spec, writer);
    EXPECT_TRUE(table) << table.error().what;
    const auto position = (*table)->position();
    EXPECT_TRUE(position) << position.error().what;
    return std::move(*table);
  }
  static Status write(Table& table, const std::vector<std::string>& values,
                      const std::string& position, std::vector<Misfit>* misfits = nullptr) {
    std::vector<Record> records;
    for (const std::string& value : values) records.push_back({"k", value});
    return table.write(records,
                       [&](std::span<const Misfit> found) {
                         if (misfits != nullptr) misfits->assign(found.begin(), found.end());
                         return position;
                       },
                       {});
  }

  static TableSpec people() {
    return {.name = "people",
            .columns = {{"id", Type::kUuid, "/login/uuid"},
                        {"age", Type::kBigint},
                        {"born", Type::kTimestamp},
                        {"rich", Type::kBoolean},
                        {"name", Type::kJson},
                        {"money", Type::kNumeric},
                        {"score", Type::kDouble},
                        {"day", Type::kDate, "/born"},
                        {"nick", Type::kText}},
            .key = {"id"}};
  }

  PostgresStaging config_;
  std::unique_ptr<Staging> staging_;
  std::unique_ptr<postgres::Connection> other_;
};

constexpr const char* kAda =
    R"({"login": {"uuid": "0E0AD0DA-0000-4000-8000-000000000001"}, "age": 36,
  "born": "1980-02-03T04:05:06.780+01:00", "rich": true, "name": {"a" : [1, null]},
  "money": 12345678901234567890.10, "score": 0.1, "nick": "a\tb\\n\n\u00e9"})";

TEST_F(RealPostgres, named_columns_land_with_their_types) {
  auto table = open(people());
  ASSERT_TRUE(write(*table, {kAda}, "one"));
  EXPECT_THAT(
      ask("SELECT id, age, born AT TIME ZONE 'UTC', rich, name, money, score, day, nick "
          "FROM people"),
      ElementsAre("0e0ad0da-0000-4000-8000-000000000001|36|1980-02-03 03:05:06.78|t|"
                  "{\"a\":[1,null]}|12345678901234567890.10|0.1|1980-02-03|a\tb\\n\n\u00e9"));
  EXPECT_THAT(ask("SELECT relreplident FROM pg_class WHERE relname = 'people'"), ElementsAre("f"));
  EXPECT_EQ(*open(people())->position(), "one");
}

TEST_F(RealPostgres, rows_of_one_key_follow_each_other_and_what_is_there_is_no_change) {
  auto table = open(people());
  run("CREATE TABLE t(op text, age bigint);"
      "CREATE OR REPLACE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
      "INSERT INTO t VALUES (TG_OP, NEW.age); RETURN NEW; END $$;"
      "CREATE TRIGGER watch AFTER INSERT OR UPDATE ON people FOR EACH ROW EXECUTE FUNCTION "
      "watch()");
  const auto aged = [](const char* id, int age) {
    return std::string(R"({"login": {"uuid": "0e0ad0da-0000-4000-8000-00000000000)") + id +
           R"("}, "name": {"x": 1}, "age": )" + std::to_string(age) + "}";
  };
  std::vector<Misfit> misfits;
  ASSERT_TRUE(
      write(*table, {aged("1", 1), aged("2", 1), aged("1", 2), "{", aged("1", 3)}, "a", &misfits));
  ASSERT_TRUE(write(*table, {aged("1", 3), aged("2", 5)}, "b"));
  EXPECT_THAT(ask("SELECT op, age FROM t"),
              ElementsAre("INSERT|1", "INSERT|1", "UPDATE|2", "UPDATE|3", "UPDATE|5"));
  ASSERT_EQ(misfits.size(), 1U);
  EXPECT_EQ(misfits[0].record, 3U);
}

TEST_F(RealPostgres, without_columns_the_table_grows_and_widens) {
  const TableSpec spec{.name = "t"};
  auto table = open(spec);
  ASSERT_TRUE(write(*table, {R"({"a":1,"b":"x"})"}, "1"));
  ASSERT_TRUE(write(*table, {R"({"a":2.5,"b":7,"c":{"d":[1]}})"}, "2"));
  EXPECT_THAT(ask("SELECT a, b, c FROM t"), ElementsAre("2.5|7|{\"d\":[1]}"));
  EXPECT_THAT(ask("SELECT attname, format_type(atttypid, -1) FROM pg_attribute "
                  "WHERE attrelid = 't'::regclass AND attnum > 0 ORDER BY attnum"),
              ElementsAre("_key|text", "a|numeric", "b|json", "c|json"));
}

TEST_F(RealPostgres, records_without_a_key_are_numbered) {
  const TableSpec spec{.name = "t", .record_keys = false};
  auto table = open(spec);
  ASSERT_TRUE(write(*table, {R"({"a":1})", R"({"a":1})"}, "1"));
  EXPECT_THAT(ask("SELECT _id, a FROM t ORDER BY _id"), ElementsAre("1|1", "2|1"));
}

TEST_F(RealPostgres, a_connection_that_was_cut_is_made_anew_and_nothing_comes_twice) {
  const TableSpec spec{.name = "t", .record_keys = false};
  auto table = open(spec);
  ASSERT_TRUE(write(*table, {R"({"a":1})"}, "1"));
  run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
      "WHERE application_name = 'tailrace' AND pid <> pg_backend_pid()");
  const auto cut = write(*table, {R"({"a":2})"}, "2");
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, Code::kUnavailable) << cut.error().what;
  ASSERT_TRUE(write(*table, {R"({"a":2})"}, "2"));
  EXPECT_THAT(ask("SELECT a FROM t ORDER BY _id"), ElementsAre("1", "2"));
}

TEST_F(RealPostgres, two_that_write_as_one_are_told) {
  const TableSpec spec{.name = "t"};
  auto table = open(spec), another = open(spec);
  ASSERT_TRUE(write(*table, {R"({"a":1})"}, "1"));
  const auto refused = write(*another, {R"({"a":2})"}, "2");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("does the project run twice?"));
}

TEST_F(RealPostgres, a_table_of_another_key_or_type_is_told) {
  run("CREATE TABLE t(id text PRIMARY KEY, a text)");
  EXPECT_THAT(staging_->table({.name = "t"}, "w").error().what, HasSubstr("has the key (id)"));
  const TableSpec narrow{.name = "t", .columns = {{"id"}, {"a", Type::kBigint}}, .key = {"id"}};
  EXPECT_THAT(staging_->table(narrow, "w").error().what, HasSubstr("cannot become bigint"));
}

}  // namespace
}  // namespace tailrace::staging
