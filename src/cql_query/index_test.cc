// Indexes find what a scan finds: histories of random writes, asked by index and by filtering a
// table without indexes that has the same rows.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "cql_query/testing/history.h"

namespace tailrace::cql_query {
namespace {

/// Asks table `t`, which has indexes, and `u`, which has none.
void ask(Scene& scene, History& history, const std::vector<std::string>& conditions) {
  for (const auto& condition : conditions) {
    std::string where = condition;
    for (std::size_t at = 0; (at = where.find('?', at)) != std::string::npos;)
      where.replace(at, 1, std::to_string(history.pick(5)));
    if (history.pick(3) == 0)
      where += fmt::format(" AND k = {} AND j = {}", history.pick(3), history.pick(2));
    else if (history.pick(4) == 0)
      where += fmt::format(" AND token(k, j) > token({}, {})", history.pick(3), history.pick(2));
    const auto tail = history.pick(5) == 0   ? " PER PARTITION LIMIT 2"
                      : history.pick(5) == 0 ? " LIMIT 3"
                                             : "";
    const auto of = [&](char table) {
      return fmt::format("SELECT * FROM {} WHERE {}{} ALLOW FILTERING", table, where, tail);
    };
    const auto expected = scene.ask(of('u'));
    ASSERT_EQ(scene.ask(of('t')), expected) << where << tail;
    std::string paged;
    std::optional<std::string> state;
    do {
      const auto page = scene.ask_page(of('t'), 1 + history.pick(3), state);
      if (!page.empty()) paged += (paged.empty() ? "" : " | ") + page;
    } while (state);
    ASSERT_EQ(paged, expected) << where << tail << " in pages";
  }
}

struct Indexed {
  std::string name;
  std::vector<std::string> indexes, conditions;
};

class Histories : public testing::TestWithParam<Indexed> {};

TEST_P(Histories, answers_by_an_index_are_those_of_a_scan) {
  for (const unsigned seed : {1U, 2U, 3U, 4U}) {
    Scene scene;
    History history(scene, "tu", seed);
    for (int i = 0; i < 40; ++i) history.write();
    for (const auto& index : GetParam().indexes)
      ASSERT_EQ(scene.ask("CREATE INDEX ON t " + index), "ok") << index;
    for (int i = 0; i < 160; ++i) {
      for (int j = 0; j < 3; ++j) history.write();
      ask(scene, history, GetParam().conditions);
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
        Indexed{
            "of_the_key", {"(j)", "(c)", "(d)"}, {"j = ?", "c = ?", "d = ? AND c = ?", "d = ?"}},
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
  const std::string expected = scene.ask("SELECT k, c FROM t WHERE v = 1");
  ASSERT_GE(std::ranges::count(expected, '|'), 100);
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
