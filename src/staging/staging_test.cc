// Rows land with their types, tables grow with what comes, and whoever writes, the outbox has it.
#include "staging/staging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>

#include "sqlite/database.h"

namespace tailrace::staging {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

struct Seen {
  std::int64_t number;
  char op;
  std::string key;
  json before, after;
  bool operator==(const Seen&) const = default;
};

class StagingTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "staging_XXXXXX";
    folder_ = mkdtemp(name.data());
    path_ = folder_ + "/staging/staging.db";
    staging_ = *open_sqlite(path_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Table> open(const TableSpec& spec, const std::string& writer = "w") {
    auto table = staging_->table(spec, writer);
    EXPECT_TRUE(table) << table.error().what;
    return std::move(*table);
  }

  static std::vector<Misfit> write(Table& table, const std::vector<std::string>& values,
                                   const std::string& position = "p",
                                   const std::vector<std::string>& keys = {}) {
    std::vector<Record> records;
    for (std::size_t i = 0; i < values.size(); ++i) {
      Record record{std::nullopt, values[i]};
      if (i < keys.size()) record.key = keys[i];
      records.push_back(record);
    }
    std::vector<Misfit> misfits;
    const auto keep = [&](std::span<const Misfit> found) {
      misfits.assign(found.begin(), found.end());
      return position;
    };
    const auto written = table.write(records, keep, {});
    EXPECT_TRUE(written) << written.error().what;
    return misfits;
  }

  std::vector<Seen> changes(const TableSpec& spec, std::int64_t after = 0) {
    std::vector<Seen> seen;
    auto outbox = *staging_->changes(spec);
    const auto read = outbox->read(after, 100'000, 1 << 30, [&](const Change& change) {
      seen.push_back({change.number, change.op, std::string(change.key),
                      json::parse(change.before.value_or("null")),
                      json::parse(change.after.value_or("null"))});
    });
    EXPECT_TRUE(read) << read.error().what;
    return seen;
  }

  std::vector<json> afters(const TableSpec& spec) {
    std::vector<json> all;
    for (Seen& one : changes(spec)) all.push_back(std::move(one.after));
    return all;
  }

  /// As a stranger with a shell of his own.
  void foreign(const std::string& sql) {
    auto database = *sqlite::Database::open(path_);
    const auto done = database->execute(sql);
    ASSERT_TRUE(done) << done.error().what;
  }

  std::vector<std::string> ask(const std::string& sql) {
    auto database = *sqlite::Database::open(path_);
    auto rows = database->prepare_text(sql);
    EXPECT_TRUE(rows) << rows.error().what;
    std::vector<std::string> all;
    while (*rows->step()) all.push_back(rows->text(0));
    return all;
  }

  static TableSpec users() {
    return {.name = "users",
            .columns = {{"id", Type::kUuid, "/login/uuid"},
                        {"age", Type::kBigint, "/dob/age"},
                        {"born", Type::kTimestamp, "/dob/date"},
                        {"rich", Type::kBoolean},
                        {"name", Type::kJson},
                        {"money", Type::kNumeric}},
            .key = {"id"}};
  }

  std::string folder_;
  std::string path_;
  std::unique_ptr<Staging> staging_;
};

constexpr const char* kAda = "0e0ad0da-0000-4000-8000-000000000001";
constexpr const char* kBob = "0e0ad0da-0000-4000-8000-000000000002";

std::string user(const std::string& id, int age, const std::string& more = "") {
  return R"({"login": {"uuid": ")" + id + R"("}, "dob": {"age": )" + std::to_string(age) +
         R"(, "date": "1980-02-03T04:05:06.780+01:00"})" + more + "}";
}

TEST_F(StagingTest, named_columns_land_with_their_types_and_flow_as_json) {
  auto table = open(users());
  EXPECT_THAT(write(*table, {user(kAda, 36, R"(, "rich": true, "money": 12345678901234567890.10,
      "name": {"first" : "Ada", "l": [1, 2]}, "other": 1)")}),
              ElementsAre());
  EXPECT_EQ(afters(users()),
            std::vector{json::parse(R"({"id": "0e0ad0da-0000-4000-8000-000000000001",
      "age": 36, "born": "1980-02-03T03:05:06.78Z", "rich": true,
      "name": {"first": "Ada", "l": [1, 2]}, "money": 12345678901234567890.10})")});
  EXPECT_THAT(ask("SELECT after FROM tailrace_outbox_users"),
              ElementsAre(HasSubstr(
                  R"("name":{"first":"Ada","l":[1,2]},"money":12345678901234567890.10)")));
  EXPECT_THAT(ask("SELECT typeof(age) || typeof(rich) || age || rich FROM users"),
              ElementsAre("integerinteger361"));
}

TEST_F(StagingTest, an_upsert_replaces_and_what_is_there_already_is_no_change) {
  auto table = open(users());
  write(*table, {user(kAda, 36), user(kBob, 5), user(kAda, 37), user(kAda, 37)}, "one");
  write(*table, {user(kAda, 37), user(kBob, 6)}, "two");
  const auto seen = changes(users());
  std::vector<std::tuple<char, std::string, int>> brief;
  for (const Seen& one : seen) brief.emplace_back(one.op, one.key, one.after["age"].get<int>());
  EXPECT_THAT(brief, ElementsAre(std::tuple('c', kAda, 36), std::tuple('c', kBob, 5),
                                 std::tuple('u', kAda, 37), std::tuple('u', kBob, 6)));
}

TEST_F(StagingTest, a_table_of_inserts_keeps_what_it_has) {
  TableSpec spec = users();
  spec.mode = TableSpec::Mode::kInsert;
  auto table = open(spec);
  write(*table, {user(kAda, 36), user(kAda, 99)});
  EXPECT_EQ(changes(spec).size(), 1U);
  EXPECT_THAT(ask("SELECT age FROM users"), ElementsAre("36"));
}

TEST_F(StagingTest, rows_and_position_are_there_together_or_not_at_all) {
  auto table = open(users(), "writer");
  EXPECT_EQ(*table->position(), "");
  write(*table, {user(kAda, 36)}, "{\"n\":1}");
  foreign(
      "CREATE TRIGGER no BEFORE INSERT ON users WHEN NEW.age = 13 "
      "BEGIN SELECT raise(ABORT, 'thirteen'); END");
  const std::string values[] = {user(kBob, 1), user("0e0ad0da-0000-4000-8000-000000000003", 13)};
  const Record records[] = {{std::nullopt, values[0]}, {std::nullopt, values[1]}};
  const auto refused = table->write(records, [](auto) { return "{\"n\":2}"; }, {});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("thirteen"));
  EXPECT_EQ(*table->position(), "{\"n\":1}");
  EXPECT_THAT(ask("SELECT age FROM users"), ElementsAre("36"));
  EXPECT_EQ(changes(users()).size(), 1U);
  EXPECT_EQ(*open(users(), "writer")->position(), "{\"n\":1}");
  EXPECT_EQ(*open(users(), "another")->position(), "");
}

TEST_F(StagingTest, what_fits_nowhere_is_told_by_record_and_reason_and_the_rest_lands) {
  auto table = open(users());
  const auto misfits =
      write(*table, {"{\"login\":", "[1]", user(kAda, 36), user("no-uuid", 1), R"({"rich": true})",
                     user(kBob, 4, R"(, "rich": "maybe")"), user(kBob, 5, R"(, "money": "1e5x")")});
  std::vector<std::pair<std::size_t, std::string>> told;
  for (const Misfit& one : misfits) told.emplace_back(one.record, one.why);
  EXPECT_THAT(told, ElementsAre(testing::Pair(0, HasSubstr("not JSON")),
                                testing::Pair(1, HasSubstr("not a JSON object")),
                                testing::Pair(3, HasSubstr("id: \"no-uuid\" is no uuid")),
                                testing::Pair(4, HasSubstr("id is missing")),
                                testing::Pair(5, HasSubstr("rich: \"maybe\" is no boolean")),
                                testing::Pair(6, HasSubstr("money: \"1e5x\" is no numeric"))));
  EXPECT_THAT(ask("SELECT age FROM users"), ElementsAre("36"));
}

TEST_F(StagingTest, updates_and_deletes_of_a_strangers_shell_are_changes_like_ours) {
  TableSpec spec = users();
  spec.before = true;
  auto table = open(spec);
  write(*table, {user(kAda, 36), user(kBob, 5)});
  foreign("UPDATE users SET age = 40 WHERE age = 36");
  foreign("DELETE FROM users WHERE age = 5");
  foreign("UPDATE users SET id = '0e0ad0da-0000-4000-8000-000000000009'");
  foreign("INSERT INTO users (id, rich) VALUES ('x', 0)");
  std::vector<std::tuple<char, std::string, bool, bool>> brief;
  for (const Seen& one : changes(spec, 2))
    brief.emplace_back(one.op, one.key, !one.before.is_null(), !one.after.is_null());
  EXPECT_THAT(brief,
              ElementsAre(std::tuple('u', kAda, true, true), std::tuple('d', kBob, true, false),
                          std::tuple('d', kAda, true, false),
                          std::tuple('c', "0e0ad0da-0000-4000-8000-000000000009", false, true),
                          std::tuple('c', "x", false, true)));
  EXPECT_EQ(changes(spec, 2)[0].before["age"], 36);
}

TEST_F(StagingTest, without_columns_members_become_columns_and_come_back_as_they_came) {
  const TableSpec spec{.name = "t"};
  auto table = open(spec);
  const std::vector<std::string> values = {
      R"({"a":1,"b":"x","c":null})",
      R"({"a":2.5,"b":"y \"quoted\" \u00e9 \ud83d\ude00","c":{"d":[1,{"e":null}]},"new":true})",
      R"({"a":123456789012345678901234567890,"b":7,"z":"late"})",
      R"({"b":false,"c":"text","new":"no"})",
      R"({"a":-0.1,"b":[1],"new":null})",
      R"({})"};
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < values.size(); ++i) keys.push_back("k" + std::to_string(i));
  EXPECT_THAT(write(*table, {values[0], values[1]}, "p", {keys[0], keys[1]}), ElementsAre());
  EXPECT_THAT(write(*table, {values[2], values[3], values[4], values[5]}, "p",
                    {keys[2], keys[3], keys[4], keys[5]}),
              ElementsAre());
  const auto seen = changes(spec);
  ASSERT_EQ(seen.size(), values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(seen[i].key, keys[i]);
    json wanted = json::parse(values[i]);
    for (const auto& [name, value] : seen[i].after.items())
      EXPECT_EQ(value, wanted.contains(name) ? wanted[name] : json())
          << name << " of " << values[i];
    for (const auto& [name, value] : wanted.items())
      EXPECT_TRUE(value.is_null() || seen[i].after.contains(name)) << name;
  }
  // The rows that were there follow their columns' types: another table of the same tells it.
  EXPECT_THAT(ask("SELECT a FROM t ORDER BY _key"),
              ElementsAre("1", "2.5", "123456789012345678901234567890", "", "-0.1", ""));
  EXPECT_THAT(ask("SELECT b FROM t ORDER BY _key LIMIT 1"), ElementsAre("\"x\""));
}

TEST_F(StagingTest, a_wider_column_keeps_a_strangers_index_trigger_and_view) {
  const TableSpec spec{.name = "t"};
  auto table = open(spec);
  write(*table, {R"({"a":1})"}, "p", {"k"});
  foreign(
      "CREATE INDEX mine ON t(a); CREATE TABLE seen(a); CREATE VIEW v AS SELECT a FROM t;"
      "CREATE TRIGGER watch AFTER INSERT ON t BEGIN INSERT INTO seen VALUES (NEW.a); END");
  write(*table, {R"({"a":"text"})"}, "p", {"l"});
  EXPECT_THAT(ask("SELECT a FROM v ORDER BY length(a)"), ElementsAre("1", "\"text\""));
  EXPECT_THAT(ask("SELECT a FROM seen"), ElementsAre("\"text\""));
  EXPECT_THAT(ask("SELECT count(*) FROM sqlite_master WHERE name = 'mine'"), ElementsAre("1"));
}

TEST_F(StagingTest, a_record_that_fits_nowhere_leaves_no_column_behind) {
  const TableSpec spec{.name = "t"};
  auto table = open(spec);
  const std::string long_name(kMaxNameBytes + 1, 'n');
  const auto misfits = write(*table,
                             {R"({"a":1})", R"({"b":1,")" + long_name + R"(":2})",
                              R"({"a":"wider","A":2})", R"({"_key":"mine"})"},
                             "p", {"1", "2", "3", "4"});
  ASSERT_EQ(misfits.size(), 3U);
  EXPECT_THAT(misfits[0].why, HasSubstr("more than 63 bytes"));
  EXPECT_THAT(misfits[1].why, HasSubstr("capitals"));
  EXPECT_THAT(misfits[2].why, HasSubstr("own key column"));
  EXPECT_THAT(ask("SELECT name || ' ' || type FROM pragma_table_info('t')"),
              ElementsAre("_key TEXT", "a BIGINT"));
}

TEST_F(StagingTest, doubles_come_back_bit_by_bit) {
  const TableSpec spec{.name = "t", .columns = {{"d", Type::kDouble}}, .record_keys = false};
  auto table = open(spec);
  std::mt19937_64 random(7);
  std::vector<double> wanted;
  std::vector<std::string> values;
  while (values.size() < 3000) {
    double d = std::bit_cast<double>(random());
    if (values.size() % 3 == 1) d = static_cast<double>(random() % 2'000'000) / 1000;
    if (values.size() % 3 == 2) d = std::ldexp(static_cast<double>(random()), -40);
    if (!std::isfinite(d)) continue;
    wanted.push_back(d);
    values.push_back(json({{"d", d}}).dump());
  }
  EXPECT_THAT(write(*table, values), ElementsAre());
  const auto seen = changes(spec);
  ASSERT_EQ(seen.size(), wanted.size());
  int differ = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (seen[i].after["d"].get<double>() != wanted[i]) ++differ;
  EXPECT_EQ(differ, 0);
  EXPECT_EQ(seen[0].key, "1");
}

TEST_F(StagingTest, a_changed_setting_widens_a_column_or_says_why_it_cannot) {
  write(*open(users()), {user(kAda, 36)});
  TableSpec wider = users();
  wider.columns[1].type = Type::kText;
  wider.columns.push_back({"city", Type::kText});
  write(*open(wider), {user(kBob, 7, R"(, "city": "Oslo")")});
  EXPECT_THAT(ask("SELECT typeof(age) || age || coalesce(city, '') FROM users ORDER BY id"),
              ElementsAre("text36", "text7Oslo"));
  TableSpec narrower = wider;
  narrower.columns[1].type = Type::kBigint;
  const auto refused = staging_->table(narrower, "w");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(refused.error().what,
              HasSubstr("column age of type text, which cannot become bigint"));
  TableSpec rekeyed = wider;
  rekeyed.key = {"id", "age"};
  EXPECT_THAT(staging_->table(rekeyed, "w").error().what,
              HasSubstr("has the key (id), not (id, age)"));
}

TEST_F(StagingTest, a_strangers_column_flows_and_is_left_alone) {
  auto table = open(users());
  write(*table, {user(kAda, 36)});
  foreign("ALTER TABLE users ADD COLUMN note TEXT");
  foreign("UPDATE users SET note = 'kept'");
  write(*table, {user(kAda, 37)});
  const auto seen = changes(users());
  EXPECT_EQ(seen.back().after["note"], "kept");
  EXPECT_EQ(seen.back().after["age"], 37);
}

TEST_F(StagingTest, keys_of_several_columns_are_a_json_object) {
  const TableSpec spec{.name = "t", .key = {"day", "n"}};
  auto table = open(spec);
  write(*table, {R"({"n":1,"v":"a","day":"2026-01-01"})", R"({"n":1,"v":"b","day":"2026-01-01"})"});
  const auto seen = changes(spec);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(json::parse(seen[1].key), json({{"n", 1}, {"day", "2026-01-01"}}));
  EXPECT_EQ(seen[1].op, 'u');
}

TEST_F(StagingTest, what_is_forgotten_is_gone_and_numbers_go_on) {
  auto table = open(users());
  auto outbox = *staging_->changes(users());
  write(*table, {user(kAda, 1), user(kBob, 2)});
  ASSERT_TRUE(outbox->forget(1));
  EXPECT_EQ(changes(users()).front().number, 2);
  ASSERT_TRUE(outbox->forget(2));
  EXPECT_THAT(ask("SELECT count(*) FROM tailrace_outbox_users"), ElementsAre("0"));
  write(*table, {user(kAda, 3)});
  ASSERT_EQ(changes(users()).size(), 1U);
  EXPECT_EQ(changes(users()).front().number, 3);
}

TEST_F(StagingTest, a_strangers_lock_is_a_refusal_that_passes) {
  auto table = open(users());
  auto stranger = *sqlite::Database::open(path_);
  ASSERT_TRUE(stranger->execute("BEGIN IMMEDIATE"));
  const std::string value = user(kAda, 1);
  const Record records[] = {{std::nullopt, value}};
  const auto refused = table->write(records, [](auto) { return "p"; }, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  ASSERT_TRUE(stranger->execute("COMMIT"));
  EXPECT_TRUE(table->write(records, [](auto) { return "p"; }, {}));
  EXPECT_EQ(changes(users()).size(), 1U);
}

}  // namespace
}  // namespace tailrace::staging
