// A view has what a SELECT over its base table gives, after every step of random histories.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "cql_query/testing/history.h"

namespace tailrace::cql_query {
namespace {

/// Rows as text, in order; those that begin with null are left out.
std::vector<std::string> rows_of(const std::string& said) {
  std::vector<std::string> rows;
  for (std::size_t at = 0; at < said.size();) {
    const std::size_t end = std::min(said.find(" | ", at), said.size());
    const auto row = said.substr(at, end - at);
    if (!row.starts_with("null")) rows.push_back(row);
    at = end + 3;
  }
  std::ranges::sort(rows);
  return rows;
}

struct Defined {
  std::string name, columns, where, key;
  std::string shown;  // the first of them is null where the view has no row
};

const std::vector<Defined>& views() {
  static const std::vector<Defined> kViews{
      {"by_v", "*", "", "v, k, j, c, d", "v, k, j, c, d, w, writetime(w), ttl(w)"},
      {"by_c", "k, j, c, d, w", "", "(c, d), k, j", "c, d, k, j, w, writetime(w), ttl(w)"},
      {"alone", "k, j, c, d", "", "d, c, j, k", "d, c, j, k"},
      {"some", "k, j, c, d, w, v, s, m, l", "k >= 1 AND c IN (0, 2)", "(w, k), j, c, d",
       "w, k, j, c, d, v, s, m, l, writetime(v), ttl(v)"},
      {"one", "k, j, c, d, v", "k = 1 AND j = 0 AND c > 0 AND d = 1", "k, j, v, c, d",
       "v, k, j, c, d"},
  };
  return kViews;
}

void create(Scene& scene, const Defined& view) {
  std::string where = view.where;
  for (const auto* column : {"k", "j", "c", "d", "v", "w"}) {
    const bool in_key = view.key.find(column) != std::string::npos;
    if (!in_key || where.find(column) != std::string::npos) continue;
    where += fmt::format("{}{} IS NOT NULL", where.empty() ? "" : " AND ", column);
  }
  // Static columns cannot be in a view.
  const auto columns =
      view.columns == "*" ? std::string("k, j, c, d, v, w, s, l, m, m2, f") : view.columns;
  EXPECT_EQ(scene.ask(fmt::format("CREATE MATERIALIZED VIEW {} AS SELECT {} FROM t WHERE {} "
                                  "PRIMARY KEY ({})",
                                  view.name, columns, where, view.key)),
            "warning: Materialized views are experimental and are not recommended for production "
            "use.\nok");
}

/// How many rows there are is added to `rows`.
void compare(Scene& scene, const Defined& view, const std::string& after, std::size_t& rows) {
  const auto of_base = scene.ask(fmt::format("SELECT {} FROM t{} ALLOW FILTERING", view.shown,
                                             view.where.empty() ? "" : " WHERE " + view.where));
  const auto of_view = scene.ask(fmt::format("SELECT {} FROM {}", view.shown, view.name));
  const auto has = rows_of(of_view);
  ASSERT_EQ(has, rows_of(of_base)) << view.name << " after " << after;
  rows += has.size();
}

TEST(View, has_what_a_select_over_its_base_gives_after_every_write) {
  for (unsigned seed = 1; seed <= 6; ++seed) {
    std::size_t rows = 0;
    Scene scene;
    History history(scene, "t", seed);
    for (int i = 0; i < 60; ++i) history.write();
    for (const auto& view : views()) {
      create(scene, view);
      compare(scene, view, "it was made", rows);
    }
    for (int i = 0; i < 250; ++i) {
      const auto statement = history.write();
      for (const auto& view : views()) compare(scene, view, statement, rows);
      if (HasFatalFailure()) {
        ADD_FAILURE() << "seed " << seed << ", step " << i;
        return;
      }
      if (i % 100 == 50) scene.reopen();
    }
    EXPECT_GT(rows, 1000U) << "seed " << seed << " compares next to nothing";
  }
}

TEST(View, rows_whose_key_expires_are_gone_though_other_cells_stay) {
  Scene scene;
  scene.now_seconds = 2'000'000'000;
  scene.ask("CREATE TABLE t (k int PRIMARY KEY, v int, w int)");
  scene.ask(
      "CREATE MATERIALIZED VIEW by_v AS SELECT * FROM t WHERE v IS NOT NULL AND k IS NOT NULL "
      "PRIMARY KEY (v, k)");
  scene.ask("INSERT INTO t (k, w) VALUES (1, 5)");
  scene.ask("UPDATE t USING TTL 10 SET v = 7 WHERE k = 1");
  EXPECT_EQ(scene.ask("SELECT * FROM by_v"), "7, 1, 5");
  scene.now_seconds = 2'000'000'010;
  EXPECT_EQ(scene.ask("SELECT * FROM by_v"), "");
  EXPECT_EQ(scene.ask("SELECT * FROM t"), "1, null, 5");
}

TEST(View, rows_that_live_by_a_column_that_is_not_selected_are_there) {
  Scene scene;
  scene.ask("CREATE TABLE t (k int, c int, v int, w int, PRIMARY KEY (k, c))");
  scene.ask(
      "CREATE MATERIALIZED VIEW by_c AS SELECT k, c, w FROM t WHERE k IS NOT NULL AND c IS "
      "NOT NULL PRIMARY KEY (c, k)");
  scene.ask("UPDATE t SET v = 1 WHERE k = 1 AND c = 2");
  EXPECT_EQ(scene.ask("SELECT * FROM by_c"), "2, 1, null");
  scene.ask("UPDATE t SET v = null WHERE k = 1 AND c = 2");
  EXPECT_EQ(scene.ask("SELECT * FROM by_c"), "");
}

TEST(View, of_a_table_that_is_written_while_it_is_filled_is_whole) {
  Scene scene;
  scene.ask("CREATE TABLE t (k int PRIMARY KEY, v int)");
  for (int i = 0; i < 9000; i += 300) {
    std::string batch = "BEGIN UNLOGGED BATCH ";
    for (int j = i; j < i + 300; ++j)
      batch += fmt::format("INSERT INTO t (k, v) VALUES ({}, {}); ", j, j % 7);
    scene.ask(batch + "APPLY BATCH");
  }
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 2; ++thread)
    threads.emplace_back([&, thread] {
      std::mt19937 random(static_cast<unsigned>(thread));
      while (!stop)
        EXPECT_EQ(scene.ask(fmt::format("UPDATE ks.t SET v = {} WHERE k = {}", random() % 7,
                                        random() % 9000)),
                  "ok");
    });
  scene.ask(
      "CREATE MATERIALIZED VIEW by_v AS SELECT * FROM t WHERE v IS NOT NULL AND k IS NOT NULL "
      "PRIMARY KEY (v, k)");
  while (scene.ask("SELECT view_name FROM system.built_views WHERE keyspace_name = 'ks'") !=
         "'by_v'")
    std::this_thread::yield();
  stop = true;
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(rows_of(scene.ask("SELECT v, k FROM by_v")), rows_of(scene.ask("SELECT v, k FROM t")));
  scene.ask("TRUNCATE t");
  EXPECT_EQ(scene.ask("SELECT v, k FROM by_v"), "");
}

}  // namespace
}  // namespace tailrace::cql_query
