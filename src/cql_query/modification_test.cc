// What writes do, asked through the engine; tests/cql holds Cassandra's own answers.
#include "cql_query/modification.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "cql_query/batch_size.h"
#include "cql_query/testing/scene.h"

namespace tailrace::cql_query {
namespace {

// A row's collections, kept in the plain way.
struct Model {
  std::vector<int> list;
  std::set<int> set;
  std::map<std::string, int> map;

  std::string text() const {
    std::string text = list.empty() ? "null" : "[";
    for (const int one : list) text += (text.size() > 1 ? ", " : "") + std::to_string(one);
    text += list.empty() ? ", " : "], ";
    std::string elements;
    for (const int one : set) elements += (elements.empty() ? "" : ", ") + std::to_string(one);
    text += set.empty() ? "null, " : "{" + elements + "}, ";
    elements.clear();
    for (const auto& [key, value] : map) {
      elements += fmt::format("{}'{}': {}", elements.empty() ? "" : ", ", key, value);
    }
    return text + (map.empty() ? "null" : "{" + elements + "}");
  }
};

// One random change of the model, as the SET or DELETE of a statement.
std::string change(Model& model, std::mt19937& random) {
  const auto pick = [&random](int n) {
    return std::uniform_int_distribution<int>(0, n - 1)(random);
  };
  const int a = pick(10) - 5;
  const int b = pick(10) - 5;
  const std::string key = fmt::format("k{}", pick(5));
  const auto place = model.list.empty() ? 0 : pick(static_cast<int>(model.list.size()));
  switch (pick(14)) {
    case 0:
      model.list = {a, b};
      return fmt::format("UPDATE t SET l = [{}, {}]", a, b);
    case 1:
      model.list.insert(model.list.end(), {a, b});
      return fmt::format("UPDATE t SET l = l + [{}, {}]", a, b);
    case 2:
      model.list.insert(model.list.begin(), {a, b});
      return fmt::format("UPDATE t SET l = [{}, {}] + l", a, b);
    case 3:
      std::erase(model.list, a);
      return fmt::format("UPDATE t SET l = l - [{}]", a);
    case 4:
      if (model.list.empty()) return "";
      model.list[static_cast<std::size_t>(place)] = b;
      return fmt::format("UPDATE t SET l[{}] = {}", place, b);
    case 5:
      if (model.list.empty()) return "";
      model.list.erase(model.list.begin() + place);
      return fmt::format("DELETE l[{}] FROM t", place);
    case 6:
      model.set = {a, b};
      return fmt::format("UPDATE t SET s = {{{}, {}}}", a, b == a ? a : b);
    case 7:
      model.set.insert({a, b});
      return fmt::format("UPDATE t SET s = s + {{{}}}, s = s + {{{}}}", a, b);
    case 8:
      model.set.erase(a);
      return fmt::format("UPDATE t SET s = s - {{{}}}", a);
    case 9:
      model.set.erase(b);
      return fmt::format("DELETE s[{}] FROM t", b);
    case 10:
      model.map = {{key, a}};
      return fmt::format("UPDATE t SET m = {{'{}': {}}}", key, a);
    case 11:
      model.map[key] = b;
      return pick(2) == 0 ? fmt::format("UPDATE t SET m['{}'] = {}", key, b)
                          : fmt::format("UPDATE t SET m = m + {{'{}': {}}}", key, b);
    case 12:
      model.map.erase(key);
      return pick(2) == 0 ? fmt::format("UPDATE t SET m = m - {{'{}'}}", key)
                          : fmt::format("DELETE m['{}'] FROM t", key);
    default:
      if (pick(4) > 0) return "";
      model.list.clear();
      model.map.clear();
      return "DELETE l, m FROM t";
  }
}

TEST(Modification, collections_are_as_a_plain_model_over_random_changes) {
  Scene scene;
  scene.ask(
      "CREATE TABLE t (k int, c int, l list<int>, s set<int>, m map<text, int>, "
      "PRIMARY KEY (k, c))");
  std::mt19937 random(20'261'122);
  for (int row = 0; row < 20; ++row) {
    Model model;
    const std::string where = fmt::format(" WHERE k = 1 AND c = {}", row);
    for (int i = 0; i < 60; ++i) {
      const std::string statement = change(model, random);
      if (statement.empty()) continue;
      ASSERT_EQ(scene.ask(statement + where), "ok") << statement;
      const std::string seen = scene.ask("SELECT l, s, m FROM t" + where);
      // A row without INSERT is not there when it is empty.
      ASSERT_EQ(seen.empty() ? "null, null, null" : seen, model.text()) << statement;
    }
  }
}

TEST(Modification, one_of_many_lightweight_transactions_wins_each_turn) {
  Scene scene;
  scene.ask("CREATE TABLE t (k int PRIMARY KEY, v int)");
  ASSERT_EQ(scene.ask("INSERT INTO t (k, v) VALUES (1, 0)"), "ok");
  std::atomic<int> won = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&scene, &won] {
      for (int v = 0; v < 40; ++v) {
        const auto said =
            scene.ask(fmt::format("UPDATE t SET v = {} WHERE k = 1 IF v = {}", v + 1, v));
        if (said == "true") ++won;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const std::string last = scene.ask("SELECT v FROM t WHERE k = 1");
  EXPECT_EQ(last, std::to_string(won.load()));
  EXPECT_GT(won, 0);
}

TEST(Modification, a_lightweight_transaction_is_later_than_writes_of_the_server) {
  Scene scene;
  scene.ask("CREATE TABLE t (k int PRIMARY KEY, v int)");
  for (int i = 0; i < 200; ++i) {
    scene.ask(fmt::format("UPDATE t SET v = {} WHERE k = 1", i));
    ASSERT_EQ(scene.ask(fmt::format("UPDATE t SET v = {} WHERE k = 1 IF v = {}", -i - 1, i)),
              "true");
    ASSERT_EQ(scene.ask("SELECT v FROM t WHERE k = 1"), std::to_string(-i - 1));
  }
}

TEST(Modification, a_batch_that_is_refused_writes_nothing) {
  Scene scene;
  scene.ask("CREATE TABLE t (k int, c int, v int, l list<int>, PRIMARY KEY (k, c))");
  EXPECT_EQ(scene.ask("BEGIN BATCH INSERT INTO t (k, c, v) VALUES (1, 1, 1); "
                      "UPDATE t SET l[0] = 1 WHERE k = 1 AND c = 2; APPLY BATCH"),
            "Attempted to set an element on a list which is null");
  EXPECT_EQ(scene.ask("BEGIN BATCH INSERT INTO t (k, c, v) VALUES (1, 1, 1); "
                      "UPDATE t SET v = 2 WHERE k = 1 AND c = 2 IF EXISTS; APPLY BATCH"),
            "false");
  EXPECT_EQ(scene.ask("SELECT * FROM t"), "");
}

TEST(Modification, rows_of_dropped_columns_alone_are_not_there) {
  Scene scene;
  scene.ask("CREATE TABLE t (k int, c int, s int static, v int, w int, PRIMARY KEY (k, c))");
  scene.ask("UPDATE t SET v = 1 WHERE k = 1 AND c = 1");
  scene.ask("UPDATE t SET v = 1, w = 1 WHERE k = 1 AND c = 2");
  scene.ask("ALTER TABLE t DROP v");
  EXPECT_EQ(scene.ask("UPDATE t SET w = 5 WHERE k = 1 AND c = 1 IF EXISTS"), "false");
  EXPECT_EQ(scene.ask("UPDATE t SET w = 5 WHERE k = 1 AND c = 2 IF EXISTS"), "true");
}

TEST(Modification, mutations_beyond_16_mib_are_refused) {
  Scene scene;
  scene.ask("CREATE TABLE t (k int PRIMARY KEY, v blob)");
  const auto insert = [&scene](std::size_t bytes) {
    const std::string blob(bytes, 'x');
    return scene.ask("INSERT INTO t (k, v) VALUES (1, ?)", {cql_protocol::Value::of(blob)});
  };
  EXPECT_EQ(insert(16'000'000), "ok");
  EXPECT_THAT(insert(16 << 20), testing::StartsWith("Rejected an oversized mutation ("));
}

TEST(Modification, sets_of_names_read_as_those_of_java) {
  // As a HashSet of OpenJDK 17 prints them.
  EXPECT_EQ(hash_set_text({"ks.b", "ks.a", "ks.b"}), "[ks.a, ks.b]");
  EXPECT_EQ(hash_set_text({"shop.orders", "shop.by_user", "shop.totals"}),
            "[shop.totals, shop.by_user, shop.orders]");
  EXPECT_EQ(hash_set_text({"events.clicks", "metrics.days", "users.people", "\"Ks\".\"T\""}),
            "[users.people, metrics.days, events.clicks, \"Ks\".\"T\"]");
  std::vector<std::string> many;
  for (int i = 1; i <= 14; ++i) many.push_back(fmt::format("a.x{}", i));
  EXPECT_EQ(hash_set_text(many),
            "[a.x7, a.x13, a.x8, a.x12, a.x9, a.x14, a.x3, a.x4, a.x5, a.x11, a.x6, a.x10, a.x1, "
            "a.x2]");
}

// What Cassandra 5.0.9 warned of when it was sent these batches.
class BatchSizes : public testing::Test {
 protected:
  BatchSizes() {
    scene_.ask(
        "CREATE KEYSPACE zz_sizes WITH replication = "
        "{'class': 'SimpleStrategy', 'replication_factor': 1}");
    scene_.ask("USE zz_sizes");
    scene_.ask("CREATE TABLE f (k int PRIMARY KEY, v text)");
    scene_.ask("CREATE TABLE g (k int PRIMARY KEY, v text) WITH gc_grace_seconds = 0");
    scene_.ask("CREATE TABLE n (k int PRIMARY KEY, n counter)");
    scene_.ask(
        "CREATE TABLE t (k int, c text, d int, s int static, v int, w text, l list<int>, "
        "st set<int>, m map<text, int>, PRIMARY KEY (k, c, d))");
  }
  // With a row of 5270 bytes before `rest`.
  std::string batch(std::string_view rest) {
    return scene_.ask(
        fmt::format("BEGIN BATCH INSERT INTO f (k, v) VALUES (1, '{}'); {} APPLY "
                    "BATCH",
                    std::string(5200, 'x'), rest));
  }
  static std::string warning(std::string_view tables, int bytes) {
    return fmt::format(
        "warning: Batch for [{}] is of size {}, exceeding specified threshold of 5120 by {}.\nok",
        tables, bytes, bytes - 5120);
  }
  std::string updates(std::string_view kind, std::string_view change, int count) {
    std::string text = fmt::format("BEGIN {} BATCH ", kind);
    for (int k = 0; k < count; ++k) text += fmt::format("UPDATE {} WHERE k = {}; ", change, k);
    return scene_.ask(text + "APPLY BATCH");
  }

  Scene scene_;
};

TEST_F(BatchSizes, batches_of_several_partitions_are_measured_as_by_cassandra) {
  const auto of_f = [&](std::string_view rest, int bytes) {
    EXPECT_EQ(batch(rest), warning("zz_sizes.f", bytes)) << rest;
  };
  of_f("INSERT INTO f (k, v) VALUES (2, 'y');", 5341);
  of_f("INSERT INTO f (k, v) VALUES (2, 'y') USING TTL 100;", 5353);
  of_f("UPDATE f SET v = 'y' WHERE k = 2;", 5341);
  of_f("UPDATE f SET v = null WHERE k = 2;", 5340);
  of_f("DELETE FROM f WHERE k = 2;", 5299);
  of_f("INSERT INTO f (k, v) VALUES (2, 'y'); INSERT INTO f (k, v) VALUES (2, 'yyyyy');", 5345);
  EXPECT_EQ(batch(""), "ok");
}

TEST_F(BatchSizes, each_kind_of_change_counts_as_in_cassandra) {
  const auto of_t = [&](std::string_view rest, int bytes) {
    EXPECT_EQ(batch(rest), warning("zz_sizes.t, zz_sizes.f", bytes)) << rest;
  };
  of_t("INSERT INTO t (k, c, d, v, w) VALUES (2, 'abc', 1, 5, 'hello');", 5376);
  of_t("INSERT INTO t (k, c, d, s, v, w) VALUES (2, 'abc', 1, 7, 5, 'hello');", 5400);
  of_t("INSERT INTO t (k, s) VALUES (2, 7);", 5323);
  of_t(
      "UPDATE t SET l = [1, 2], st = {1, 2, 3}, m = {'abc': 1} WHERE k = 2 AND c = 'abc' AND "
      "d = 1;",
      5542);
  of_t(
      "UPDATE t SET l = l + [1, 2], st = st + {1, 2, 3}, m = m + {'abc': 1} WHERE k = 2 AND "
      "c = 'abc' AND d = 1;",
      5542);
  of_t("UPDATE t SET v = 1 WHERE k = 2 AND c = 'abc' AND d IN (1, 2);", 5403);
  of_t("DELETE FROM t WHERE k = 2;", 5299);
  of_t("DELETE FROM t WHERE k = 2 AND c = 'abc' AND d = 1;", 5327);
  of_t("DELETE v, l FROM t WHERE k = 2 AND c = 'abc' AND d = 1;", 5359);
}

TEST_F(BatchSizes, many_partitions_and_short_grace_are_warned_of) {
  const std::string grace =
      "warning: Executing a LOGGED BATCH on table [zz_sizes.g], configured with a "
      "gc_grace_seconds of 0. The gc_grace_seconds is used to TTL batchlog entries, so setting "
      "gc_grace_seconds too low on tables involved in an atomic batch might cause batchlog entries "
      "to expire before being replayed.\n";
  EXPECT_EQ(batch("INSERT INTO g (k, v) VALUES (1, 'y');"), grace + "ok");
  EXPECT_EQ(batch("INSERT INTO g (k, v) VALUES (2, 'y');"),
            grace + warning("zz_sizes.g, zz_sizes.f", 5341));
  const auto unlogged = [](int partitions, std::string_view table) {
    return fmt::format(
        "warning: Unlogged batch covering {} partitions detected against table [{}]. You should "
        "use a logged batch for atomicity, or asynchronous writes for performance.\nok",
        partitions, table);
  };
  EXPECT_EQ(updates("UNLOGGED", "f SET v = 'a'", 10), "ok");
  EXPECT_EQ(updates("UNLOGGED", "f SET v = 'a'", 11), unlogged(11, "zz_sizes.f"));
  EXPECT_EQ(updates("COUNTER", "n SET n = n + 1", 60),
            "warning: Batch for [zz_sizes.n] is of size 6360, exceeding specified threshold of "
            "5120 by 1240.\n" +
                unlogged(60, "zz_sizes.n"));
}

TEST_F(BatchSizes, batches_of_several_partitions_end_at_50_kib) {
  const std::string half(26'000, 'x');
  const auto two = [&](int second) {
    return scene_.ask(
        fmt::format("BEGIN BATCH INSERT INTO f (k, v) VALUES (1, '{0}'); INSERT INTO "
                    "f (k, v) VALUES ({1}, '{0}'); APPLY BATCH",
                    half, second));
  };
  EXPECT_EQ(two(2), "Batch too large");
  EXPECT_EQ(two(1), "ok");
}

}  // namespace
}  // namespace tailrace::cql_query
