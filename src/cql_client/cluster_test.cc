// Writes to scripted servers: whatever they do, each is acknowledged in the end, by who holds it.
#include "cql_client/cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "cql_client/testing/scripted_server.h"
#include "cql_types/token.h"

namespace tailrace::cql_client {
namespace {

using namespace std::chrono_literals;
using cql_types::ErrorCode;
using cql_types::Failure;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::ScriptedServer;
using testing::Written;
using Act = ScriptedServer::Act;
using Do = ScriptedServer::Do;

constexpr auto kLong = 30s;

template <typename Condition>
void wait_until(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + kLong;
  while (!condition() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(5ms);
  ASSERT_TRUE(condition());
}

ClientConfig config_for(std::uint16_t port) {
  ClientConfig config;
  config.hosts = {{"127.0.0.1", port}};
  config.most_pause = 200ms;
  return config;
}

std::unique_ptr<Cluster> open(ClientConfig config) {
  return Cluster::open(std::move(config)).value();
}

std::string cells(const std::vector<std::string>& values) {
  std::string out;
  for (const std::string& value : values) cql_types::append_part(out, value);
  return out;
}

Write one_row(std::size_t statement, const std::string& key, std::int64_t timestamp = 7) {
  return {
      .partition = key, .timestamp = timestamp, .parts = {{statement, cells({key, "v" + key})}}};
}

std::set<std::string> keys_of(const std::vector<Written>& all) {
  std::set<std::string> keys;
  for (const Written& one : all)
    for (const auto& row : one.rows) keys.insert(row.second.front().value_or("null"));
  return keys;
}

std::set<std::string> numbers(int count) {
  std::set<std::string> all;
  for (int i = 0; i < count; ++i) all.insert(std::to_string(i));
  return all;
}

void write_numbers(Cluster& cluster, int count) {
  const std::size_t insert = cluster.statement("INSERT");
  for (int i = 0; i < count; ++i) cluster.write(one_row(insert, std::to_string(i)));
}

TEST(Cluster, one_row_is_a_statement_and_several_are_a_batch_with_their_timestamp) {
  ScriptedServer server({});
  const auto cluster = open(config_for(server.port()));
  const std::size_t insert = cluster->statement("INSERT"), remove = cluster->statement("DELETE");
  cluster->write(one_row(insert, "a", 11));
  ASSERT_TRUE(cluster->wait_below(0, kLong));
  std::string with_null = cells({"b"});
  cql_types::append_part(with_null, std::nullopt);
  cluster->write(
      {.partition = "b", .timestamp = 12, .parts = {{insert, with_null}, {remove, cells({"c"})}}});
  ASSERT_TRUE(cluster->wait_below(0, kLong));
  const auto taken = server.taken();
  ASSERT_EQ(taken.size(), 2u);
  using Values = std::vector<std::optional<std::string>>;
  EXPECT_FALSE(taken[0].batch);
  EXPECT_EQ(taken[0].timestamp, 11);
  EXPECT_EQ(taken[0].rows[0], std::pair(std::string("INSERT"), Values{"a", "va"}));
  EXPECT_TRUE(taken[1].batch);
  EXPECT_EQ(taken[1].timestamp, 12);
  EXPECT_EQ(taken[1].rows[0], std::pair(std::string("INSERT"), Values{"b", std::nullopt}));
  EXPECT_EQ(taken[1].rows[1], std::pair(std::string("DELETE"), Values{"c"}));
  EXPECT_EQ(server.prepared(), 2u);
  EXPECT_EQ(cluster->health(), "");
}

TEST(Cluster, what_is_refused_is_sent_again_and_health_says_so_meanwhile) {
  std::atomic<int> refusals = 0;
  std::atomic<bool> mended = false;
  ScriptedServer server({}, [&](const Written&) -> Act {
    if (mended) return {};
    const ErrorCode codes[] = {ErrorCode::kOverloaded, ErrorCode::kWriteTimeout,
                               ErrorCode::kUnavailable, ErrorCode::kInvalid};
    return {.refusal = Failure(codes[refusals++ % 4], "not now")};
  });
  const auto cluster = open(config_for(server.port()));
  write_numbers(*cluster, 20);
  wait_until([&] { return refusals >= 8 && !cluster->health().empty(); });
  EXPECT_THAT(cluster->health(), AllOf(HasSubstr("does not take rows since "),
                                       HasSubstr(" s (not now), trying again")));
  EXPECT_EQ(cluster->open_rows(), 20u);
  mended = true;
  ASSERT_TRUE(cluster->wait_below(0, kLong));
  EXPECT_EQ(keys_of(server.taken()), numbers(20));
  wait_until([&] { return cluster->health().empty(); });
}

TEST(Cluster, statements_that_a_server_has_forgotten_are_prepared_again) {
  ScriptedServer server({});
  const auto cluster = open(config_for(server.port()));
  write_numbers(*cluster, 3);
  ASSERT_TRUE(cluster->wait_below(0, kLong));
  server.forget();
  cluster->write(one_row(0, "again"));
  ASSERT_TRUE(cluster->wait_below(0, kLong));
  EXPECT_EQ(server.prepared(), 2u);
}

TEST(Cluster, a_connection_that_ends_and_a_server_that_is_away_lose_nothing) {
  std::atomic<int> closes = 0;
  ScriptedServer server({}, [&](const Written& write) -> Act {
    const bool close = write.rows[0].second[0] == "5" && closes++ < 3;
    return {.what = close ? Do::kClose : Do::kTake};
  });
  const auto cluster = open(config_for(server.port()));
  write_numbers(*cluster, 100);
  ASSERT_TRUE(cluster->wait_below(0, kLong));
  EXPECT_EQ(keys_of(server.taken()), numbers(100));
  server.stop();
  for (int i = 100; i < 300; ++i) cluster->write(one_row(0, std::to_string(i)));
  wait_until([&] { return cluster->health().contains("does not answer since"); });
  EXPECT_THAT(cluster->health(), HasSubstr(std::to_string(server.port())));
  EXPECT_THAT(cluster->ask("SELECT").failure->message, HasSubstr("does not answer since"));
  EXPECT_EQ(cluster->open_rows(), 200u);
  server.start();
  ASSERT_TRUE(cluster->wait_below(0, kLong));
  EXPECT_EQ(keys_of(server.taken()), numbers(300));
}

TEST(Cluster, a_silent_server_is_given_up_and_asked_again) {
  std::atomic<int> left = 10;  // not to be answered
  ScriptedServer server(
      {}, [&](const Written&) -> Act { return {.what = left-- > 0 ? Do::kHold : Do::kTake}; });
  ClientConfig config = config_for(server.port());
  config.patience = 3s;
  const auto cluster = open(std::move(config));
  write_numbers(*cluster, 10);
  wait_until([&] { return server.held() >= 10; });
  wait_until([&] { return cluster->health().contains("silent"); });
  ASSERT_TRUE(cluster->wait_below(0, kLong));
  EXPECT_EQ(server.came(), 20u);
  server.release();
}

TEST(Cluster, no_more_requests_wait_for_an_answer_than_it_is_told) {
  ScriptedServer server({}, [&](const Written&) -> Act { return {.what = Do::kHold}; });
  ClientConfig config = config_for(server.port());
  config.in_flight = 4;
  const auto cluster = open(std::move(config));
  write_numbers(*cluster, 50);
  while (cluster->open_rows() > 0) {
    wait_until([&] { return server.held() == std::min<std::size_t>(4, cluster->open_rows()); });
    const std::size_t open = cluster->open_rows(), held = server.held();
    server.release();
    ASSERT_TRUE(cluster->wait_below(open - held, kLong));
  }
  EXPECT_EQ(server.came(), 50u);
}

TEST(Cluster, a_token_is_let_go_of_when_its_write_is_acknowledged) {
  std::atomic<bool> hold = true;
  ScriptedServer server(
      {}, [&](const Written&) -> Act { return {.what = hold ? Do::kHold : Do::kTake}; });
  const auto cluster = open(config_for(server.port()));
  auto token = std::make_shared<const int>(0);
  const std::weak_ptr<const int> open_yet = token;
  Write write = one_row(cluster->statement("INSERT"), "a");
  write.token = std::move(token);
  cluster->write(std::move(write));
  wait_until([&] { return server.held() == 1; });
  EXPECT_FALSE(open_yet.expired());
  server.release();
  wait_until([&] { return open_yet.expired(); });
}

TEST(Cluster, a_login_is_made_and_a_wrong_one_is_told) {
  ScriptedServer server({.user = "ada", .password = "secret"});
  ClientConfig config = config_for(server.port());
  const auto nobody = open(config);
  config.user = "ada";
  config.password = "wrong";
  const auto wrong = open(config);
  config.password = "secret";
  const auto right = open(config);
  for (const auto* cluster : {&nobody, &wrong, &right}) write_numbers(**cluster, 1);
  ASSERT_TRUE(right->wait_below(0, kLong));
  wait_until([&] { return !wrong->health().empty() && !nobody->health().empty(); });
  EXPECT_THAT(wrong->health(), HasSubstr("password are incorrect"));
  EXPECT_THAT(nobody->health(), HasSubstr("`user` and `password` below `serving`"));
  EXPECT_EQ(wrong->health().find("wrong"), std::string::npos);
  EXPECT_EQ(server.came(), 1u);
}

TEST(Cluster, each_partition_goes_to_the_node_that_holds_it) {
  constexpr std::int64_t kFirst = -1'000'000'000'000'000'000, kSecond = 3'000'000'000'000'000'000;
  ScriptedServer first({.token = kFirst, .peers = {{"127.0.0.2", kSecond}}});
  ScriptedServer second({.host = "127.0.0.2",
                         .port = first.port(),
                         .token = kSecond,
                         .peers = {{"127.0.0.1", kFirst}}});
  const auto cluster = open(config_for(first.port()));
  // Until the ring is known everything goes to who answered first.
  int more = 0;
  wait_until([&] {
    cluster->write(one_row(cluster->statement("INSERT"), "probe" + std::to_string(more++)));
    return cluster->wait_below(0, kLong) && second.came() > 0;
  });
  const std::size_t before_first = first.came(), before_second = second.came();
  std::set<std::string> of_first, of_second;
  const std::size_t insert = cluster->statement("INSERT");
  for (const std::string& key : numbers(200)) {
    const std::int64_t token = cql_types::murmur3_token(key);
    (token <= kFirst || token > kSecond ? of_first : of_second).insert(key);
    cluster->write(one_row(insert, key));
  }
  ASSERT_TRUE(cluster->wait_below(0, kLong));
  const auto since = [](const ScriptedServer& server, std::size_t before) {
    auto taken = server.taken();
    taken.erase(taken.begin(), taken.begin() + static_cast<std::ptrdiff_t>(before));
    return keys_of(taken);
  };
  EXPECT_EQ(since(first, before_first), of_first);
  EXPECT_EQ(since(second, before_second), of_second);
  // Of a node that is away the other takes them.
  second.stop();
  write_numbers(*cluster, 50);
  ASSERT_TRUE(cluster->wait_below(0, kLong));
}

TEST(Config, urls_name_hosts_a_port_and_a_keyspace) {
  const auto address = parse_url("cassandra://a:9043,b,[::1]:99/Shop").value();
  EXPECT_EQ(address.keyspace, "shop");
  EXPECT_EQ(address.hosts, (std::vector<Endpoint>{{"a", 9043}, {"b", 9043}, {"::1", 99}}));
  EXPECT_EQ(parse_url("cassandra://a/k").value().hosts.front().port, 9042);
  EXPECT_EQ(Endpoint({"::1", 99}).text(), "[::1]:99");
}

TEST(Config, a_wrong_url_is_refused_with_how_it_is_written) {
  for (const char* wrong :
       {"cassandra://", "cassandra://a", "cassandra://a/", "cassandra:///k", "cassandra://a:/k",
        "cassandra://a:0/k", "cassandra://a:70000/k", "cassandra://a:x/k", "cassandra://a,,b/k",
        "cassandra://a/k?x=1", "cassandra://a/two words", "cassandra://a/system",
        "cassandra://[::1/k", "cassandra://[::1]9042/k", "cassandra://a/k/l", "kafka://a/k"}) {
    const auto address = parse_url(wrong);
    ASSERT_FALSE(address) << wrong;
    EXPECT_EQ(address.error().code, Code::kInvalidArgument) << wrong;
    EXPECT_THAT(address.error().what, HasSubstr("write cassandra://HOST:PORT/KEYSPACE")) << wrong;
  }
  const auto login = parse_url("cassandra://ada:secret@a/k");
  ASSERT_FALSE(login);
  EXPECT_EQ(login.error().what.find("secret"), std::string::npos);
}

}  // namespace
}  // namespace tailrace::cql_client
