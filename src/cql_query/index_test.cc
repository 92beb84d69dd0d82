// Indexes find what a scan finds: histories of random writes, asked by index and by filtering a
// table without indexes that has the same rows.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "cql_query/testing/scene.h"

namespace tailrace::cql_query {
namespace {

constexpr std::string_view kColumns =
    "(k int, j int, c int, d int, v int, w text, s set<int>, l list<int>, m map<int, int>, "
    "m2 map<int, int>, f frozen<list<int>>, st int STATIC, PRIMARY KEY ((k, j), c, d))";

/// Random statements about the tables `t`, which has indexes, and `u`, which has none.
class History {
 public:
  /// Time passes only in histories with TTLs; stale entries are removed only in those without, whose
  /// requests are of now.
  History(Scene& scene, unsigned seed) : scene_(scene), random_(seed), ttls_(seed % 2 == 0) {
    if (ttls_) scene_.now_seconds = 2'000'000'000;
    scene_.ask(fmt::format("CREATE TABLE t {}", kColumns));
    scene_.ask(fmt::format("CREATE TABLE u {}", kColumns));
  }

  int pick(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }

  void write() {
    if (ttls_ && pick(8) == 0) *scene_.now_seconds += pick(4);
    const std::string statement = pick(9) == 0 ? batch() : one(true);
    const auto said = [&](char table) {
      std::string text = statement;
      for (std::size_t at = 0; (at = text.find('#', at)) != std::string::npos;) text[at] = table;
      return scene_.ask(text);
    };
    const auto expected = said('u');
    ASSERT_EQ(said('t'), expected) << statement;
  }

  void ask(const std::vector<std::string>& conditions) {
    for (const auto& condition : conditions) {
      std::string where = condition;
      for (std::size_t at = 0; (at = where.find('?', at)) != std::string::npos;)
        where.replace(at, 1, std::to_string(pick(5)));
      if (pick(3) == 0) where += fmt::format(" AND k = {} AND j = {}", pick(3), pick(2));
      else if (pick(4) == 0) where += fmt::format(" AND token(k, j) > token({}, {})", pick(3), pick(2));
      const auto tail = pick(5) == 0 ? " PER PARTITION LIMIT 2" : pick(5) == 0 ? " LIMIT 3" : "";
      const auto of = [&](char table) {
        return fmt::format("SELECT * FROM {} WHERE {}{} ALLOW FILTERING", table, where, tail);
      };
      const auto expected = scene_.ask(of('u'));
      ASSERT_EQ(scene_.ask(of('t')), expected) << where << tail;
      std::string paged;
      std::optional<std::string> state;
      do {
        const auto page = scene_.ask_page(of('t'), 1 + pick(3), state);
        if (!page.empty()) paged += (paged.empty() ? "" : " | ") + page;
      } while (state);
      ASSERT_EQ(paged, expected) << where << tail << " in pages";
    }
  }

 private:
  std::string row() {
    return fmt::format("k = {} AND j = {} AND c = {} AND d = {}", pick(3), pick(2), pick(3),
                       pick(2));
  }
  std::string partition() { return fmt::format("k = {} AND j = {}", pick(3), pick(2)); }

  /// A change of some columns: `a = 1, b = 2`.
  std::string assignments() {
    std::string text;
    for (int i = pick(3) + 1, done = 0; done < i; ++done) text += (done > 0 ? ", " : "") + set(done * 5 + pick(5));
    return text;
  }
  std::string set(int which) {
    const int a = pick(5), b = pick(5);
    switch (which) {
      case 0:
        return fmt::format("v = {}", a);
      case 1:
        return "v = null";
      case 2:
        return fmt::format("v = {}", a);
      case 3:
        return fmt::format("w = '{}'", a);
      case 4:
        return fmt::format("f = [{}, {}]", a % 2, b % 2);
      case 5:
        return fmt::format("s = {{{}, {}}}", a, b == a ? b + 5 : b);
      case 6:
        return fmt::format("s = s + {{{}}}", a);
      case 7:
        return fmt::format("s = s - {{{}}}", a);
      case 8:
        return fmt::format("l = [{}, {}]", a, b);
      case 9:
        return fmt::format("l = l + [{}]", a);
      case 10:
        return fmt::format("m[{}] = {}", a % 3, b);
      case 11:
        return fmt::format("m = {{{}: {}}}", a, b);
      case 12:
        return fmt::format("m2[{}] = {}", a % 3, b);
      case 13:
        return fmt::format("m2 = {{{}: {}}}", a, b);
      default:
        return fmt::format("m2[{}] = null", a % 3);
    }
  }

  std::string one(bool alone) {
    std::vector<std::string> options;
    const int what = pick(20);
    if (alone && pick(3) == 0) options.push_back(fmt::format("TIMESTAMP {}", 10 + pick(20)));
    if (ttls_ && what < 12 && pick(5) == 0) options.push_back(fmt::format("TTL {}", 1 + pick(6)));
    const std::string usings =
        options.empty() ? "" : fmt::format(" USING {}", fmt::join(options, " AND "));
    if (what < 4)
      return fmt::format("INSERT INTO # (k, j, c, d, v, w) VALUES ({}, {}, {}, {}, {}, '{}'){}",
                         pick(3), pick(2), pick(3), pick(2), pick(5), pick(5), usings);
    if (what < 10) return fmt::format("UPDATE #{} SET {} WHERE {}", usings, assignments(), row());
    if (what < 12)
      return fmt::format("UPDATE #{} SET st = {} WHERE {}", usings, pick(5), partition());
    if (alone && options.empty() && what < 14)
      return fmt::format("UPDATE # SET v = {} WHERE {} IF v = {}", pick(5), row(), pick(5));
    if (what == 14) return fmt::format("DELETE v, s FROM #{} WHERE {}", usings, row());
    if (what == 15) return fmt::format("DELETE st FROM #{} WHERE {}", usings, partition());
    if (what == 16) return fmt::format("DELETE FROM #{} WHERE {}", usings, partition());
    if (what == 17)
      return fmt::format("DELETE FROM #{} WHERE {} AND c > {}", usings, partition(), pick(3));
    return fmt::format("DELETE FROM #{} WHERE {}", usings, row());
  }

  std::string batch() {
    std::string text = "BEGIN UNLOGGED BATCH ";
    for (int i = 0; i < 3; ++i) text += one(false) + "; ";
    return text + "APPLY BATCH";
  }

  Scene& scene_;
  std::mt19937 random_;
  bool ttls_;
};

struct Indexed {
  std::string name;
  std::vector<std::string> indexes, conditions;
};

class Histories : public testing::TestWithParam<Indexed> {};

TEST_P(Histories, answers_by_an_index_are_those_of_a_scan) {
  for (const unsigned seed : {1U, 2U, 3U, 4U}) {
    Scene scene;
    History history(scene, seed);
    for (int i = 0; i < 40; ++i) history.write();
    for (const auto& index : GetParam().indexes)
      ASSERT_EQ(scene.ask("CREATE INDEX ON t " + index), "ok") << index;
    for (int i = 0; i < 160; ++i) {
      for (int j = 0; j < 3; ++j) history.write();
      history.ask(GetParam().conditions);
      if (HasFatalFailure()) {
        ADD_FAILURE() << "seed " << seed << ", round " << i;
        return;
      }
      if (i % 50 == 30) scene.reopen();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    all, Histories,
    testing::Values(
        Indexed{"of_values", {"(v)", "(w)"}, {"v = ?", "w = '?'", "v = ? AND w = '?'"}},
        Indexed{"of_the_key", {"(j)", "(c)", "(d)"}, {"j = ?", "c = ?", "d = ? AND c = ?", "d = ?"}},
        Indexed{"of_static_columns", {"(st)"}, {"st = ?", "st = ? AND c = ?", "st = ? AND v = ?"}},
        Indexed{"of_collections",
                {"(s)", "(values(l))", "(keys(m))", "(values(m))", "(entries(m2))", "(full(f))"},
                {"s CONTAINS ?", "l CONTAINS ?", "m CONTAINS KEY ?", "m CONTAINS ?", "m2[?] = ?",
                 "f = [1, 0]", "s CONTAINS ? AND m CONTAINS KEY ?"}},
        Indexed{"storage_attached",
                {"(v) USING 'sai'", "(d) USING 'sai'", "(st) USING 'sai'", "(s) USING 'sai'"},
                {"v > ?", "v >= ? AND v < ?", "v = ?", "d < ? AND v > ?", "st > ?",
                 "st <= ? AND s CONTAINS ?", "v <= ? AND v >= ?"}}),
    [](const auto& one) { return one.param.name; });

TEST(Index, is_filled_with_the_rows_of_a_large_table_and_told_when_it_is_whole) {
  Scene scene;
  scene.ask("CREATE TABLE t (k int PRIMARY KEY, v int)");
  constexpr int kRows = 20'000;
  for (int i = 0; i < kRows; i += 200) {
    std::string batch = "BEGIN UNLOGGED BATCH ";
    for (int j = i; j < i + 200; ++j)
      batch += fmt::format("INSERT INTO t (k, v) VALUES ({}, {}); ", j, j % 1000);
    scene.ask(batch + "APPLY BATCH");
  }
  ASSERT_EQ(scene.ask("SELECT count(*) FROM t"),
            "warning: Aggregation query used without partition key\n20000");
  ASSERT_EQ(scene.ask("CREATE INDEX by_v ON t (v)"), "ok");
  scene.reopen();  // the filling goes on where it was, or begins again
  scene.ask("USE ks");
  std::string said;
  while (said != "'by_v'") {
    said = scene.ask("SELECT index_name FROM system.\"IndexInfo\" WHERE table_name = 'ks'");
    const auto rows = scene.ask("SELECT count(*) FROM t WHERE v = 7");
    ASSERT_TRUE(rows.find("INDEX_NOT_AVAILABLE") != std::string::npos || rows.ends_with("\n20"))
        << rows;
    if (said == "'by_v'") {
      ASSERT_TRUE(rows.ends_with("\n20")) << rows;
    }
  }
}

TEST(Index, pages_neither_lose_nor_repeat_rows_that_stay_while_others_are_written) {
  Scene scene;
  scene.ask("CREATE TABLE t (k int, c int, v int, PRIMARY KEY (k, c))");
  scene.ask("CREATE INDEX ON t (v)");
  for (int i = 0; i < 300; ++i)
    scene.ask(fmt::format("INSERT INTO t (k, c, v) VALUES ({}, {}, {})", i % 17, i, i % 2));
  std::string expected = scene.ask("SELECT k, c FROM t WHERE v = 1");
  std::mt19937 random(7);
  std::string paged;
  std::optional<std::string> state;
  do {
    const auto page = scene.ask_page("SELECT k, c FROM t WHERE v = 1", 3, state);
    if (!page.empty()) paged += (paged.empty() ? "" : " | ") + page;
    for (int i = 0; i < 5; ++i) {  // rows that come and go are of other keys, and stale entries
      const int c = static_cast<int>(random() % 300) / 2 * 2;
      scene.ask(fmt::format("UPDATE t SET v = 1 WHERE k = {} AND c = {}", c % 17, c));
      scene.ask(fmt::format("UPDATE t SET v = 0 WHERE k = {} AND c = {}", c % 17, c));
    }
  } while (state);
  EXPECT_EQ(paged, expected);
}

TEST(Index, writes_of_several_threads_are_found_while_it_is_being_made) {
  Scene scene;
  scene.ask("CREATE TABLE t (k int PRIMARY KEY, v int)");
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  std::array<std::atomic<int>, 3> written{};
  for (int thread = 0; thread < 3; ++thread)
    threads.emplace_back([&, thread] {
      for (int i = 0; !stop; ++i) {
        EXPECT_EQ(scene.ask(fmt::format("INSERT INTO ks.t (k, v) VALUES ({}, 1)", i * 3 + thread)),
                  "ok");
        written[static_cast<std::size_t>(thread)] = i + 1;
      }
    });
  for (int round = 0; round < 5; ++round) {
    while (written[0] < 300 * (round + 1)) std::this_thread::yield();
    ASSERT_EQ(scene.ask(fmt::format("CREATE INDEX i{} ON t (v)", round)), "ok");
    if (round < 4) {
      ASSERT_EQ(scene.ask(fmt::format("DROP INDEX i{}", round)), "ok");
    }
  }
  stop = true;
  for (auto& thread : threads) thread.join();
  const int all = written[0] + written[1] + written[2];
  std::string rows;
  do {
    rows = scene.ask("SELECT count(*) FROM t WHERE v = 1");
  } while (rows.find("INDEX_NOT_AVAILABLE") != std::string::npos);
  EXPECT_EQ(rows, fmt::format("warning: Aggregation query used without partition key\n{}", all));
}

TEST(Index, a_value_too_long_for_it_is_refused_and_nothing_is_written) {
  Scene scene;
  scene.ask("CREATE TABLE t (k int PRIMARY KEY, v blob)");
  scene.ask("CREATE INDEX ON t (v)");
  const std::string value(65'536, 'x');
  EXPECT_EQ(scene.ask("INSERT INTO t (k, v) VALUES (1, ?)", {cql_protocol::Value::of(value)}),
            "Cannot index value of size 65536 for index t_v_idx on ks.t(v) (maximum allowed "
            "size=65535)");
  EXPECT_EQ(scene.ask("SELECT k FROM t"), "");
}

TEST(Index, rows_of_a_truncated_table_are_found_no_more) {
  Scene scene;
  scene.ask("CREATE TABLE t (k int PRIMARY KEY, v int)");
  scene.ask("CREATE INDEX ON t (v)");
  scene.ask("INSERT INTO t (k, v) VALUES (1, 1)");
  ASSERT_EQ(scene.ask("SELECT k FROM t WHERE v = 1"), "1");
  scene.ask("TRUNCATE t");
  EXPECT_EQ(scene.ask("SELECT k FROM t WHERE v = 1"), "");
  scene.ask("INSERT INTO t (k, v) VALUES (2, 1)");
  EXPECT_EQ(scene.ask("SELECT k FROM t WHERE v = 1"), "2");
}

}  // namespace
}  // namespace tailrace::cql_query
