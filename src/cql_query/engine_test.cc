// Which reads are done on the thread that asks, and that the others give the same rows.
#include "cql_query/engine.h"

#include <gtest/gtest.h>

#include <thread>

#include "cql_query/testing/scene.h"
#include "kv/testing/page_cache.h"

namespace tailrace::cql_query {
namespace {

constexpr int kRows = 300;

struct Read {
  bool on_this_thread = false;
  int rows = 0;
  bool more = false;
};

class Reads : public ::testing::Test {
 protected:
  Reads() {
    scene_.ask("CREATE TABLE t (p int, c int, v text, PRIMARY KEY (p, c))");
    for (int c = 0; c < kRows; ++c)
      EXPECT_EQ(scene_.ask("INSERT INTO t (p, c) VALUES (1, " + std::to_string(c) + ")"), "ok");
    EXPECT_EQ(scene_.ask("INSERT INTO t (p, c) VALUES (2, 0)"), "ok");
  }

  Read read(const std::string& where, std::optional<std::int32_t> page = {}) {
    const std::string text = "SELECT * FROM ks.t " + where;
    cql_protocol::Query query;
    query.text = text;
    query.parameters.page_size = page;
    std::promise<Read> made;
    Client client;
    scene_.engine().query(
        client, query,
        [&, asking = std::this_thread::get_id()](cql_types::Outcome<cql_protocol::Answer> answer) {
          const auto& rows = std::get<cql_protocol::Rows>(answer.value().result);
          made.set_value(
              {std::this_thread::get_id() == asking, rows.count, rows.paging_state.has_value()});
        });
    return made.get_future().get();
  }

  Scene scene_;
};

TEST_F(Reads, few_rows_by_their_keys_are_read_by_the_thread_that_asks) {
  for (const auto& [where, rows] : {std::pair("WHERE p = 2", 1),
                                    {"WHERE p = 1 LIMIT 7", 7},
                                    {"WHERE p IN (2, 3)", 1},
                                    {"WHERE p = 1 AND c > 290", 9}}) {
    const Read told = read(where, 5000);
    EXPECT_TRUE(told.on_this_thread) << where;
    EXPECT_EQ(told.rows, rows) << where;
    EXPECT_FALSE(told.more) << where;
  }
  const Read page = read("WHERE p = 1", 10);
  EXPECT_TRUE(page.on_this_thread);
  EXPECT_EQ(page.rows, 10);
  EXPECT_TRUE(page.more);
}

TEST_F(Reads, many_rows_are_read_by_another_thread_and_are_all_there) {
  for (const auto& [where, rows] : {std::pair("WHERE p = 1", kRows),
                                    {"WHERE p IN (1, 2)", kRows + 1},
                                    {"WHERE p = 1 ORDER BY c DESC", kRows},
                                    {"", kRows + 1}}) {
    const Read told = read(where);
    EXPECT_FALSE(told.on_this_thread) << where;
    EXPECT_EQ(told.rows, rows) << where;
    EXPECT_FALSE(told.more) << where;
  }
  const Read page = read("WHERE p = 1", 250);
  EXPECT_FALSE(page.on_this_thread);
  EXPECT_EQ(page.rows, 250);
  EXPECT_TRUE(page.more);
}

TEST_F(Reads, a_row_on_the_disk_is_waited_for_by_another_thread) {
  const std::string text(2000, 'x');  // other blocks than those that are read at the start
  for (int c = 0; c < kRows; ++c)
    scene_.ask("INSERT INTO t (p, c, v) VALUES (7, " + std::to_string(c) + ", '" + text + "')");
  scene_.reopen();
  if (!kv::forget_tables(scene_.folder())) GTEST_SKIP() << "all files are in memory here";
  for (const bool in_memory : {false, true}) {
    const Read told = read("WHERE p = 7 AND c > 290", 5000);
    EXPECT_EQ(told.on_this_thread, in_memory);
    EXPECT_EQ(told.rows, 9);
    EXPECT_FALSE(told.more);
  }
}

TEST_F(Reads, rows_sorted_over_partitions_come_whole) {
  const Read told = read("WHERE p IN (1, 2) ORDER BY c ASC");
  EXPECT_EQ(told.rows, kRows + 1);
  EXPECT_FALSE(told.more);
}

}  // namespace
}  // namespace tailrace::cql_query
