// A connection to the real server of TAILRACE_POSTGRES (tests/real/test_postgres.py starts one).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "postgres/connection.h"

namespace tailrace::postgres {
namespace {

using std::chrono::milliseconds;

class RealPostgres : public testing::Test {
 protected:
  void SetUp() override {
    const char* url = std::getenv("TAILRACE_POSTGRES");
    if (url == nullptr) GTEST_SKIP() << "TAILRACE_POSTGRES names no server";
    settings_.url = url;
    settings_.password = std::getenv("TAILRACE_POSTGRES_PASSWORD");
    auto opened = Connection::open(settings_);
    ASSERT_TRUE(opened) << opened.error().what;
    connection_ = std::move(*opened);
  }
  std::string text(const std::string& sql) {
    const auto rows = connection_->run(sql);
    if (!rows) return rows.error().what;
    return std::string(rows->cell(0, 0).value_or("NULL"));
  }

  Settings settings_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(RealPostgres, parameters_are_texts_and_nulls) {
  const std::optional<std::string> given[] = {"it's", std::nullopt, "7"};
  const auto rows =
      connection_->query("SELECT $1::text AS a, $2::int AS b, $3::int + 1 AS c", given);
  ASSERT_TRUE(rows) << rows.error().what;
  ASSERT_EQ(rows->size(), 1);
  EXPECT_EQ(rows->cell(0, 0), "it's");
  EXPECT_EQ(rows->cell(0, 1), std::nullopt);
  EXPECT_EQ(rows->cell(0, 2), "8");
  EXPECT_EQ(rows->columns()[2].name, "c");
  EXPECT_EQ(rows->columns()[2].type, 23U);
}

TEST_F(RealPostgres, several_statements_give_the_rows_of_the_last_in_one_transaction) {
  EXPECT_EQ(text("CREATE TABLE several (a int); INSERT INTO several VALUES (1), (2); "
                 "SELECT count(*) FROM several"),
            "2");
  const auto failed = connection_->run("INSERT INTO several VALUES (3); SELECT 1/0");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::kInvalidArgument);
  EXPECT_THAT(failed.error().what, testing::HasSubstr("division by zero (22012)"));
  EXPECT_EQ(text("SELECT count(*) FROM several"), "2");
  EXPECT_EQ(connection_->run("UPDATE several SET a = 5")->affected(), 2);
}

TEST_F(RealPostgres, steps_that_go_together_are_done_or_not_as_one) {
  ASSERT_TRUE(connection_->run("CREATE TABLE joined (a int PRIMARY KEY)"));
  const Step put{"INSERT INTO joined VALUES ($1)", {"1"}};
  const Step count{"SELECT count(*), $1::text FROM joined", {"x"}};
  for (int round = 0; round < 2; ++round) {  // prepared, then by its name
    const Step wrong{"SELECT 1 / $1::int", {"0"}};
    const Step all[] = {put, count, wrong, {"SELECT now()", {}}};
    const auto failed = connection_->together(all);
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().what, testing::HasSubstr("division by zero (22012)"));
    EXPECT_EQ(text("SELECT count(*) FROM joined"), "0");
  }
  const Step both[] = {put, count};
  const auto done = connection_->together(both);
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(done->at(0).affected(), 1);
  EXPECT_EQ(done->at(1).cell(0, 0), "1");
  EXPECT_EQ(done->at(1).cell(0, 1), "x");
  EXPECT_EQ(connection_->together(both).error().code, Code::kAlreadyExists);
  const Step faulty[] = {{"SELEKT", {}}};
  EXPECT_EQ(connection_->together(faulty).error().code, Code::kInvalidArgument);
  EXPECT_EQ(connection_->together(faulty).error().code, Code::kInvalidArgument);
  EXPECT_EQ(text("SELECT count(*) FROM joined"), "1");
}

TEST_F(RealPostgres, large_batches_with_large_answers_pass) {
  std::vector<Step> steps;
  const std::string word(2000, 'x');
  for (int i = 0; i < 3000; ++i)
    steps.push_back({"SELECT repeat($1, 2), $2::int", {word, std::to_string(i)}});
  const auto done = connection_->together(steps);
  ASSERT_TRUE(done) << done.error().what;
  ASSERT_EQ(done->size(), 3000U);
  EXPECT_EQ(done->at(2999).cell(0, 0)->size(), 4000U);
  EXPECT_EQ(done->at(2999).cell(0, 1), "2999");
}

TEST_F(RealPostgres, errors_are_told_apart) {
  const auto code = [&](const std::string& sql) { return connection_->run(sql).error().code; };
  EXPECT_EQ(code("SELECT * FROM nowhere"), Code::kNotFound);
  EXPECT_EQ(code("SELEKT"), Code::kInvalidArgument);
  EXPECT_EQ(code("COPY pg_class TO STDOUT"), Code::kInvalidArgument);
}

TEST_F(RealPostgres, who_has_no_right_password_is_not_let_in) {
  settings_.password = "wrong-one";
  const auto opened = Connection::open(settings_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kPermissionDenied) << opened.error().what;
  EXPECT_THAT(opened.error().what, testing::Not(testing::HasSubstr("wrong-one")));
}

TEST_F(RealPostgres, a_database_that_is_not_there_is_not_found) {
  settings_.url.replace(settings_.url.rfind('/'), std::string::npos, "/nowhere");
  const auto opened = Connection::open(settings_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kNotFound) << opened.error().what;
}

TEST_F(RealPostgres, a_stopped_query_ends_and_the_connection_goes_on) {
  std::stop_source stop;
  std::jthread later([&] {
    std::this_thread::sleep_for(milliseconds(100));
    stop.request_stop();
  });
  const auto rows = connection_->query("SELECT pg_sleep(600)", {}, stop.get_token());
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().code, Code::kCancelled);
  EXPECT_EQ(text("SELECT 1"), "1");
}

TEST_F(RealPostgres, copy_takes_many_rows_or_none) {
  ASSERT_TRUE(connection_->run("CREATE TABLE copied (a int, b text)"));
  std::string rows;
  for (int i = 0; i < 200'000; ++i) rows += std::to_string(i) + "\tsome text\n";
  const auto copied = connection_->copy_in("COPY copied FROM STDIN", rows);
  ASSERT_TRUE(copied) << copied.error().what;
  EXPECT_EQ(text("SELECT count(*) || ' ' || sum(a) FROM copied"), "200000 19999900000");
  const auto refused = connection_->copy_in("COPY copied FROM STDIN", "1\tx\nno number\tx\n");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
  EXPECT_EQ(text("SELECT count(*) FROM copied"), "200000");
}

TEST_F(RealPostgres, notices_are_kept) {
  ASSERT_TRUE(connection_->run("DO $$ BEGIN RAISE NOTICE 'so much: %', 7; END $$"));
  EXPECT_THAT(connection_->notices(), testing::ElementsAre(testing::HasSubstr("so much: 7")));
  EXPECT_THAT(connection_->notices(), testing::IsEmpty());
}

TEST_F(RealPostgres, what_the_server_ends_is_unavailable) {
  const std::string pid = text("SELECT pg_backend_pid()");
  auto other = Connection::open(settings_);
  ASSERT_TRUE((*other)->run("SELECT pg_terminate_backend(" + pid + ")"));
  const auto first = connection_->run("SELECT 1");
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().code, Code::kUnavailable) << first.error().what;
  EXPECT_EQ(connection_->run("SELECT 1").error().code, Code::kUnavailable);
}

TEST_F(RealPostgres, a_slot_streams_and_ends) {
  settings_.replication = true;
  auto stream = Connection::open(settings_);
  ASSERT_TRUE(stream) << stream.error().what;
  ASSERT_TRUE((*stream)->run("CREATE_REPLICATION_SLOT ours TEMPORARY LOGICAL test_decoding"));
  ASSERT_TRUE((*stream)->start_stream("START_REPLICATION SLOT ours LOGICAL 0/0"));
  ASSERT_TRUE(connection_->run("CREATE TABLE streamed (a int); INSERT INTO streamed VALUES (42)"));
  std::string seen;
  while (seen.find("a[integer]:42") == std::string::npos) {
    const auto got = (*stream)->receive(milliseconds(10'000), {});
    ASSERT_TRUE(got) << got.error().what;
    ASSERT_TRUE(*got);
    seen += **got;
  }
  std::stop_source stop;
  stop.request_stop();
  std::string state(34, '\0');
  state[0] = 'r';
  EXPECT_TRUE((*stream)->send(state));
  const auto ended = (*stream)->end_stream();
  EXPECT_TRUE(ended) << ended.error().what;
  EXPECT_TRUE((*stream)->run("SELECT 1"));
  EXPECT_EQ((*stream)->start_stream("START_REPLICATION SLOT none LOGICAL 0/0").error().code,
            Code::kNotFound);
}

}  // namespace
}  // namespace tailrace::postgres
