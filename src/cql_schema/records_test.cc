// Records of a schema that were cut off or changed are refused or read, and nothing else happens;
// numbers and settings that no recorded statement tells.
#include "cql_schema/records.h"

#include <gtest/gtest.h>

#include <random>

namespace tailrace::cql_schema {
namespace {

class Server {
 public:
  cql_types::Outcome<Change> run(const std::string& text) {
    const auto statement = cql_syntax::parse(text);
    if (!statement) return cql_types::invalid(statement.error().what);
    now.keyspace = "k";
    now.new_id = [] { return std::string(16, 'i'); };
    auto change = apply(schema, *statement, now);
    if (change) schema = change->schema;
    return change;
  }

  Change done(const std::string& text) {
    auto change = run(text);
    EXPECT_TRUE(change.has_value()) << text << ": " << change.error().message;
    return change ? std::move(*change) : Change{};
  }

  SchemaPtr schema = initial_schema();
  Circumstances now;
};

void make_tables(Server& server) {
  server.done(
      "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
  server.done("CREATE TYPE inner_one (a int)");
  server.done("CREATE TYPE a_whole (z frozen<inner_one>, l list<text>)");
  server.done(
      "CREATE TABLE t (p int, c text, v frozen<a_whole>, s int STATIC, PRIMARY KEY (p, c))");
  server.done("CREATE INDEX ON t (c)");
  server.done("CREATE TABLE gone (p int PRIMARY KEY, v int)");
}

TEST(Records, damaged_bytes_are_refused_or_read_and_never_read_beyond) {
  Server server;
  make_tables(server);
  const auto records = all_records(*server.schema);
  ASSERT_GE(records.size(), 4U);
  std::mt19937 random(20);
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    auto damaged = records;
    auto& bytes = *damaged[random() % damaged.size()].bytes;
    if (bytes.empty()) continue;
    if (random() % 2 == 0)
      bytes.resize(random() % bytes.size());
    else
      bytes[random() % bytes.size()] = static_cast<char>(random());
    const auto loaded = load(damaged);
    if (loaded) continue;
    EXPECT_EQ(loaded.error().code, Code::kDataLoss);
    ++refused;
  }
  EXPECT_GT(refused, 1000);
}

TEST(Records, a_record_of_an_unknown_kind_is_refused_by_name) {
  const auto loaded = load({{"what", "bytes"}});
  ASSERT_FALSE(loaded.has_value());
  EXPECT_NE(loaded.error().what.find("what"), std::string::npos);
}

TEST(Numbers, tables_indexes_and_columns_are_never_numbered_twice) {
  Server server;
  make_tables(server);
  const auto gone = server.schema->table("k", "gone")->number;
  const auto dropped = server.done("DROP TABLE gone");
  ASSERT_EQ(dropped.dropped, std::vector<TableNumber>{gone});
  server.done("CREATE TABLE gone (p int PRIMARY KEY, v int)");
  EXPECT_GT(server.schema->table("k", "gone")->number, gone);

  const auto before = server.schema->table("k", "gone")->columns[1].number;
  server.done("ALTER TABLE gone DROP v");
  server.done("ALTER TABLE gone ADD v int");
  EXPECT_GT(server.schema->table("k", "gone")->columns[1].number, before);
}

TEST(Numbers, a_new_index_and_a_new_view_are_to_be_filled) {
  Server server;
  make_tables(server);
  const auto index = server.done("CREATE INDEX ON gone (v)");
  ASSERT_EQ(index.filled.size(), 1U);
  EXPECT_EQ(index.filled[0]->name, "gone");
  ASSERT_EQ(index.new_indexes.size(), 1U);
  EXPECT_EQ(index.new_indexes[0], index.filled[0]->indexes[0].number);

  const auto view = server.done(
      "CREATE MATERIALIZED VIEW looked AS SELECT * FROM gone WHERE p IS NOT NULL AND v IS NOT NULL "
      "PRIMARY KEY (v, p)");
  ASSERT_EQ(view.filled.size(), 1U);
  EXPECT_EQ(view.filled[0]->name, "looked");
  EXPECT_TRUE(view.new_indexes.empty());

  const auto all = server.done("DROP KEYSPACE k");
  EXPECT_EQ(all.dropped.size(), 5U);  // t, its index, gone, its index, view
}

TEST(Settings, views_and_masks_are_refused_where_they_are_off) {
  Server server;
  make_tables(server);
  const auto masked = server.run("CREATE TABLE m (k int PRIMARY KEY, v text MASKED WITH DEFAULT)");
  ASSERT_FALSE(masked.has_value());
  EXPECT_EQ(masked.error().message,
            "Cannot mask columns because dynamic data masking is not enabled. You can enable it "
            "with the dynamic_data_masking_enabled property on cassandra.yaml");
  server.now.materialized_views = false;
  const auto view = server.run(
      "CREATE MATERIALIZED VIEW w AS SELECT * FROM gone WHERE p IS NOT NULL PRIMARY KEY (p)");
  ASSERT_FALSE(view.has_value());
  EXPECT_EQ(view.error().message,
            "Materialized views are disabled. Enable in cassandra.yaml to use.");
}

TEST(Schema, equal_contents_have_equal_versions) {
  Server one;
  Server other;
  make_tables(one);
  make_tables(other);
  EXPECT_EQ(one.schema->version, other.schema->version);
  other.done("ALTER TABLE t WITH comment = 'another'");
  EXPECT_NE(one.schema->version, other.schema->version);
}

}  // namespace
}  // namespace tailrace::cql_schema
