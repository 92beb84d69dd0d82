// Foreign statements: their cells, parameters, refusals, and what is kept of them.
#include "sqlite/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace tailrace::sqlite {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SqliteClient : public testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() /
            ("tailrace_sqlite_client_" + std::to_string(::getpid()));
    std::filesystem::remove(path_);
  }
  void TearDown() override { std::filesystem::remove(path_); }

  std::unique_ptr<Client> open() {
    auto client = Client::open(path_.string());
    EXPECT_TRUE(client) << client.error().what;
    return client ? std::move(*client) : nullptr;
  }
  static Result<Answer> run(Client& client, const std::string& sql,
                            const std::vector<std::pair<std::string, Cell>>& parameters = {}) {
    return client.run(sql, parameters, 10, {});
  }

  std::filesystem::path path_;
};

TEST_F(SqliteClient, cells_have_the_types_of_their_values) {
  const auto client = open();
  const auto answer =
      run(*client, "SELECT 1 AS a, 1.5, 'x', NULL, ?, :n", {{"", std::int64_t{7}}, {"", "é"}});
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_TRUE(answer->has_rows);
  EXPECT_EQ(answer->columns.front(), "a");
  EXPECT_THAT(answer->rows.at(0), ElementsAre(Cell(std::int64_t{1}), Cell(1.5), Cell("x"), Cell(),
                                              Cell(std::int64_t{7}), Cell("é")));
}

TEST_F(SqliteClient, what_is_not_committed_is_not_kept) {
  auto client = open();
  ASSERT_TRUE(run(*client, "CREATE TABLE t (n)"));
  ASSERT_TRUE(run(*client, "INSERT INTO t VALUES (1)"));
  client = open();
  EXPECT_TRUE(run(*client, "SELECT * FROM t")->rows.empty());
  ASSERT_TRUE(run(*client, "INSERT INTO t VALUES (2)"));
  ASSERT_TRUE(client->commit());
  client = open();
  EXPECT_EQ(run(*client, "SELECT * FROM t")->rows.size(), 1U);
}

TEST_F(SqliteClient, what_cannot_be_run_is_said_in_sqlites_words) {
  const auto client = open();
  EXPECT_THAT(run(*client, "SELECT missing").error().what, HasSubstr("no such column: missing"));
  EXPECT_THAT(run(*client, "SELECT 1; SELECT 2").error().what,
              HasSubstr("one statement at a time"));
  EXPECT_THAT(run(*client, "SELECT ?").error().what, HasSubstr("uses 1, and there are 0"));
  EXPECT_THAT(run(*client, "SELECT :a", {{"b", Cell()}}).error().what, HasSubstr(":a"));
  EXPECT_EQ(run(*client,
                "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) "
                "SELECT * FROM r")
                .error()
                .code,
            Code::kResourceExhausted);
}

}  // namespace
}  // namespace tailrace::sqlite
