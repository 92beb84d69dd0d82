// What of the PostgreSQL source needs no server: positions, patterns, snapshots' sight, large
// transactions on disk, records. tests/real/test_postgres_capture.py has the rest.
#include "connect/postgres_source.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "connect/postgres_changes.h"

namespace tailrace::connect {
namespace {

using postgres::Cell;
using postgres::Change;
using postgres::Lsn;
using postgres::Xid;

Cell text(std::string_view value) {
  return {Cell::Kind::kText, value};
}

PostgresTable people() {
  PostgresTable table{.schema = "public", .name = "people"};
  for (const auto& [name, oid] : {std::pair{"id", 23}, {"name", 25}}) {
    PostgresColumn column{name, *postgres::built_in_type(postgres::Oid(oid), -1), {}};
    column.member = "\"" + std::string(name) + "\":";
    table.columns.push_back(column);
  }
  table.key = {0};
  return table;
}

nlohmann::json value(const Chunk& chunk, std::size_t i) {
  return nlohmann::json::parse(chunk.value(i));
}

SourceSpec spec(std::map<std::string, std::string> options) {
  return {.name = "pg", .type = "postgres", .options = std::move(options), .folder = "/x/My Shop"};
}

TEST(PostgresSource, its_slot_is_named_after_project_and_source) {
  const auto source = make_source(spec({{"url", "postgresql://me:secret@host/db"}}));
  ASSERT_TRUE(source) << source.error().what;
  EXPECT_EQ((*source)->fingerprint(), "postgres tailrace_my_shop_pg");
  EXPECT_EQ((*source)->describe().find("secret"), std::string::npos);
}

TEST(PostgresSource, wrong_options_are_named) {
  const std::string url = "postgresql://host/db";
  const std::map<std::string, std::string> wrong[] = {
      {{"url", "mysql://host"}},
      {{"url", url}, {"snapshot", "maybe"}},
      {{"url", url}, {"envelope", "paper"}},
      {{"url", url}, {"slot", "With Space"}},
      {{"url", url}, {"truncates", "perhaps"}},
      {{"url", url}, {"chunk_rows", "0"}},
      {{"url", url}, {"tabels", "x"}},
      {},
  };
  for (const auto& options : wrong) {
    const auto source = make_source(spec(options));
    ASSERT_FALSE(source);
    EXPECT_EQ(source.error().code, Code::kInvalidArgument) << source.error().what;
  }
}

TEST(PostgresPosition, is_read_as_it_was_written) {
  PostgresPosition position;
  position.system = "7";
  position.start = Lsn(1);
  position.lsn = Lsn(0x1'0000'0010);
  position.transaction = Lsn(0x1'0000'0020);
  position.changes = 3;
  position.tables["public.t"] = {.after = {"7", "a\"b"}, .rows = 4096};
  position.tables["public.u"] = {.seen = "1:2:", .until = "5.1"};
  position.keys["public.w"] = {"id"};
  const auto read = parse_postgres_position(encode_postgres_position(position));
  ASSERT_TRUE(read);
  EXPECT_EQ(encode_postgres_position(*read), encode_postgres_position(position));
  EXPECT_EQ(read->lsn, position.lsn);
  EXPECT_EQ(read->tables.at("public.t").after, position.tables.at("public.t").after);
  for (const char* wrong :
       {"{", "[]", "{}", R"({"system":"1","start":"x","lsn":"0/0","tables":{}})"})
    EXPECT_EQ(parse_postgres_position(wrong).error().code, Code::kDataLoss) << wrong;
}

TEST(PostgresTables, patterns_are_of_schema_public_unless_they_say_otherwise) {
  EXPECT_TRUE(matches({"public.*"}, "public", "t"));
  EXPECT_FALSE(matches({"public.*"}, "shop", "t"));
  EXPECT_TRUE(matches({"orders_?", "x"}, "public", "orders_1"));
  EXPECT_FALSE(matches({"orders_?"}, "public", "orders_12"));
  EXPECT_TRUE(matches({"*.*_log"}, "shop", "a_log_log"));
  EXPECT_FALSE(matches({}, "public", "t"));
}

TEST(SeenTransactions, are_those_that_were_committed) {
  const auto seen = SeenTransactions::parse("10:15:11,13").value();
  for (const auto& [xid, visible] : {std::pair{9U, true},
                                     {10U, true},
                                     {11U, false},
                                     {12U, true},
                                     {13U, false},
                                     {14U, true},
                                     {15U, false},
                                     {400U, false}})
    EXPECT_EQ(seen.sees(Xid(xid)), visible) << xid;
  EXPECT_TRUE(SeenTransactions::parse("10:10:")->sees(Xid(9)));
  for (const char* wrong : {"", "1", "x:y:", "1:2:3,", "1 2"})
    EXPECT_FALSE(SeenTransactions::parse(wrong)) << wrong;
}

TEST(SeenTransactions, wrap_around_with_the_xids) {
  // 2^32 + 5 and + 9: an epoch later.
  const auto seen = SeenTransactions::parse("4294967301:4294967305:").value();
  EXPECT_TRUE(seen.sees(Xid(0xFFFF'FFF0)));
  EXPECT_TRUE(seen.sees(Xid(8)));
  EXPECT_FALSE(seen.sees(Xid(9)));
}

TEST(PostgresSpill, gives_back_what_was_not_aborted) {
  auto spill = PostgresSpill::make("").value();
  const std::string large(300'000, 'x');
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(spill->add(Xid(i % 2), Lsn(i), std::to_string(i) + large));
  spill->abort(Xid(1));
  for (int i = 0; i < 20; i += 2) {
    const auto entry = spill->next().value();
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->lsn, Lsn(i));
    EXPECT_EQ(entry->message, std::to_string(i) + large);
  }
  EXPECT_FALSE(spill->next().value());
}

TEST(PostgresSpill, small_ones_never_reach_the_disk) {
  auto spill = PostgresSpill::make("").value();
  ASSERT_TRUE(spill->add(Xid(1), Lsn(1), "a"));
  EXPECT_EQ(spill->next().value()->message, "a");
  EXPECT_FALSE(spill->next().value());
}

TEST(PostgresRecords, a_changed_key_is_a_delete_and_a_create) {
  PostgresRecordWriter writer({.tombstones = true, .database = {}, .source = {}, .version = {}});
  Change change;
  change.kind = Change::Kind::kUpdate;
  change.old = Change::Old::kKey;
  change.old_row = {text("1"), {}};
  change.row = {text("2"), text("b")};
  Chunk chunk;
  EXPECT_TRUE(
      writer.change(people(), change, {Xid(5), Lsn(9), 1'700'000'000'000'000}, Lsn(8), chunk));
  ASSERT_EQ(chunk.size(), 3U);
  EXPECT_EQ(chunk.key(0), "{\"id\":1}");
  EXPECT_EQ(value(chunk, 0)["__deleted"], "true");
  EXPECT_EQ(value(chunk, 0)["name"], nullptr);
  EXPECT_FALSE(chunk.entry(1).has_value);
  EXPECT_EQ(chunk.key(2), "{\"id\":2}");
  EXPECT_EQ(value(chunk, 2), nlohmann::json::parse(R"({"id":2,"name":"b","__deleted":"false",
    "__op":"c","__table":"people","__schema":"public","__lsn":8,"__txId":5,
    "__source_ts_ms":1700000000000})"));
}

TEST(PostgresRecords, what_was_not_sent_comes_from_the_old_row_or_is_named) {
  PostgresRecordWriter writer({.database = {}, .source = {}, .version = {}});
  Change change;
  change.kind = Change::Kind::kUpdate;
  change.row = {text("1"), {Cell::Kind::kUnchanged, {}}};
  Chunk chunk;
  EXPECT_FALSE(writer.change(people(), change, {}, Lsn(8), chunk));
  EXPECT_EQ(value(chunk, 0)["name"], kUnavailableValue);
  change.old = Change::Old::kRow;
  change.old_row = {text("1"), text("old")};
  EXPECT_TRUE(writer.change(people(), change, {}, Lsn(8), chunk));
  EXPECT_EQ(value(chunk, 1)["name"], "old");
}

}  // namespace
}  // namespace tailrace::connect
