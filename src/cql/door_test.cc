// The door on real sockets: logins, events, answers in any order, compressed and in parts.
#include "cql/door.h"

#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <thread>

#include "cql/testing/fake_engine.h"
#include "cql/testing/wire.h"
#include "cql_protocol/answers.h"
#include "cql_protocol/compression.h"
#include "cql_protocol/requests.h"
#include "cql_protocol/wire.h"

namespace tailrace::cql {
namespace {

using cql_protocol::Compression;
using cql_protocol::Opcode;
using cql_protocol::Query;
using cql_protocol::ServerMessage;
using cql_types::ErrorCode;
using cql_types::Failure;

/// A client that speaks one version with one compression ("" for none).
class Client {
 public:
  Client(std::uint16_t port, int version, std::string compression = {})
      : version_(version), compression_(std::move(compression)), wire_(port) {}

  ServerMessage start() {
    cql_protocol::Startup startup;
    startup.options["CQL_VERSION"] = "3.0.0";
    if (!compression_.empty()) startup.options["COMPRESSION"] = compression_;
    const auto answer = ask(startup);
    started_ = true;
    if (version_ >= 5) wire_.expect_segments(compression_ == "lz4");
    return answer;
  }

  void send(const cql_protocol::Request& request, std::int16_t stream = 0) {
    wire_.send(bytes_of(request, stream));
  }
  void send_bytes(std::string_view bytes) { wire_.send(std::string(bytes)); }

  std::string bytes_of(const cql_protocol::Request& request, std::int16_t stream = 0) const {
    std::string message, framed;
    cql_protocol::append_request_message(message, version_, stream, request);
    if (started_ && version_ >= 5)
      cql_protocol::append_segments(framed, message, {}, compression_ == "lz4");
    return framed.empty() ? message : framed;
  }

  struct Received {
    cql_protocol::Head head;
    ServerMessage message;
  };
  Received receive() {
    auto got = wire_.next();
    EXPECT_TRUE(got);
    if (!got) return {{}, {Failure(ErrorCode::kServer, "closed")}};
    std::string body = got->body;
    if ((got->head.flags & cql_protocol::flag::kCompressed) != 0) {
      const auto how = *cql_protocol::compression_of(compression_);
      EXPECT_TRUE(cql_protocol::decompress(how, got->body, 64 << 20, body));
    }
    auto message = cql_protocol::decode_message(got->head, body);
    EXPECT_TRUE(message) << message.error().message;
    return {got->head, std::move(*message)};
  }
  ServerMessage ask(const cql_protocol::Request& request) {
    send(request);
    return receive().message;
  }

 private:
  const int version_;
  const std::string compression_;
  bool started_ = false;
  Wire wire_;
};

template <typename T>
bool is(const ServerMessage& message) {
  return std::holds_alternative<T>(message.body);
}

std::string failure_of(const ServerMessage& message) {
  const auto* failure = std::get_if<Failure>(&message.body);
  return failure == nullptr ? "none" : failure->message;
}

struct Running {
  explicit Running(DoorConfig config = {}) {
    config.port = 0;
    config.threads = 2;
    auto started = Door::start(engine, std::move(config));
    EXPECT_TRUE(started);
    door = std::move(*started);
  }
  std::uint16_t port() const { return door->port(); }

  FakeEngine engine;
  std::unique_ptr<Door> door;
};

/// Answers from a thread of its own.
class OneUser : public Authenticator {
 public:
  ~OneUser() override {
    for (auto& thread : threads_) thread.join();
  }
  void check(Credentials credentials, Done done) override {
    threads_.emplace_back([given = std::move(credentials), done = std::move(done)]() mutable {
      if (given.user == "ada" && given.password == "right") return done(given.user);
      done(wrong_credentials(given.user));
    });
  }

 private:
  std::vector<std::thread> threads_;
};

std::string metrics_of(const Door& door) {
  MetricsText out;
  door.write_metrics(out);
  return out.finish();
}

TEST(metrics, count_requests_errors_and_bytes) {
  Running running;
  Client client(running.port(), 4);
  client.start();
  client.ask(Query{FakeEngine::kSelect, {}});
  client.ask(Query{FakeEngine::kSelect, {}});
  client.ask(Query{"SELEC", {}});
  client.ask(cql_protocol::Options{});
  const std::string text = metrics_of(*running.door);
  for (const char* line : {
           "tailrace_cql_connections 1\n",
           "tailrace_cql_accepted_connections_total 1\n",
           "tailrace_cql_requests_total{opcode=\"QUERY\"} 3\n",
           "tailrace_cql_requests_total{opcode=\"OPTIONS\"} 1\n",
           "tailrace_cql_requests_total{opcode=\"STARTUP\"} 1\n",
           "tailrace_cql_request_duration_seconds_count{opcode=\"QUERY\"} 3\n",
           "tailrace_cql_errors_total{code=\"SYNTAX_ERROR\"} 1\n",
           "tailrace_cql_errors_total{code=\"INVALID\"} 0\n",
       })
    EXPECT_TRUE(text.contains(line)) << line << text;
  EXPECT_FALSE(text.contains("_bytes_total 0\n")) << text;
  EXPECT_FALSE(text.contains("opcode=\"EXECUTE\"")) << text;
}

TEST(metrics, what_is_no_request_is_counted_as_none) {
  Running running;
  Client client(running.port(), 4);
  client.start();
  client.send_bytes(std::string("\x04\0\0\1\x7F\0\0\0\0", 9));
  client.receive();
  const std::string text = metrics_of(*running.door);
  EXPECT_TRUE(text.contains("tailrace_cql_requests_total{opcode=\"none\"} 1\n")) << text;
  EXPECT_TRUE(text.contains("tailrace_cql_errors_total{code=\"PROTOCOL_ERROR\"} 1\n")) << text;
}

TEST(login, is_asked_for_and_its_role_is_the_clients) {
  Running running({.authenticator = std::make_shared<OneUser>()});
  std::string role;
  running.engine.on_query = [&role](auto& client, const auto&, auto done) {
    role = client.role;
    done(FakeEngine::version_row());
  };
  for (const int version : {3, 4, 5}) {
    role = "nobody";
    Client client(running.port(), version);
    const auto asked = client.start();
    ASSERT_TRUE(is<cql_protocol::Authenticate>(asked));
    EXPECT_EQ(std::get<cql_protocol::Authenticate>(asked.body).authenticator,
              "org.apache.cassandra.auth.PasswordAuthenticator");
    EXPECT_EQ(failure_of(client.ask(Query{FakeEngine::kSelect, {}})),
              "Unexpected message QUERY, expecting SASL_RESPONSE");
    EXPECT_EQ(role, "nobody");
    const std::string wrong("\0ada\0wrong", 10), right("\0ada\0right", 10);
    const auto refused = client.ask(cql_protocol::AuthResponse{wrong});
    EXPECT_EQ(failure_of(refused), "Provided username ada and/or password are incorrect");
    EXPECT_EQ(std::get<Failure>(refused.body).code, ErrorCode::kBadCredentials);
    EXPECT_TRUE(is<cql_protocol::AuthSuccess>(client.ask(cql_protocol::AuthResponse{right})));
    EXPECT_TRUE(is<cql_protocol::AnyResult>(client.ask(Query{FakeEngine::kSelect, {}})));
    EXPECT_EQ(role, "ada");
  }
}

/// Answers when it is told to.
class Undecided : public Authenticator {
 public:
  void check(Credentials credentials, Done done) override {
    const std::lock_guard lock(mutex);
    waiting.emplace_back(std::move(credentials.user), std::move(done));
  }
  std::mutex mutex;
  std::vector<std::pair<std::string, Done>> waiting;
};

TEST(login, is_checked_one_at_a_time_and_no_more_when_it_was_right) {
  const auto undecided = std::make_shared<Undecided>();
  Running running({.authenticator = undecided});
  Client client(running.port(), 4);
  client.start();
  const cql_protocol::AuthResponse ada{std::string_view("\0ada\0right", 10)};
  const cql_protocol::AuthResponse bob{std::string_view("\0bob\0right", 10)};
  client.send(ada, 1);
  client.send(bob, 2);
  auto answer = client.receive();
  EXPECT_EQ(answer.head.stream, 2);
  EXPECT_EQ(failure_of(answer.message),
            "Unexpected message AUTH_RESPONSE, a login is being checked");
  const auto decide = [&](cql_types::Outcome<std::string> role) {
    std::unique_lock lock(undecided->mutex);
    ASSERT_EQ(undecided->waiting.size(), 1U);
    auto one = std::move(undecided->waiting.front());
    undecided->waiting.clear();
    lock.unlock();
    one.second(std::move(role));
  };
  decide(wrong_credentials("ada"));
  answer = client.receive();
  EXPECT_EQ(answer.head.stream, 1);
  client.send(bob, 3);
  client.send(ada, 4);
  EXPECT_EQ(client.receive().head.stream, 4);  // bob's is being checked
  decide("bob");
  EXPECT_TRUE(is<cql_protocol::AuthSuccess>(client.receive().message));
  EXPECT_EQ(failure_of(client.ask(ada)),
            "Unexpected message AUTH_RESPONSE, the connection is already initialized");
}

TEST(login, takes_a_user_and_a_password_between_zero_bytes_alone) {
  const auto read = [](std::string_view token) {
    const auto got = plain_credentials(token);
    return got ? got->user + ":" + got->password : got.error().message;
  };
  using namespace std::string_view_literals;
  EXPECT_EQ(read("\0ada\0secret"sv), "ada:secret");
  EXPECT_EQ(read("as whom\0ada\0secret"sv), "ada:secret");
  EXPECT_EQ(read("secret"), "Password must not be null");
  EXPECT_EQ(read("\0ada\0"sv), "Password must not be null");
  EXPECT_EQ(read("\0secret"sv), "Authentication ID must not be null");
  EXPECT_EQ(read("\0\0secret"sv), "Authentication ID must not be null");
  EXPECT_EQ(
      read("\0ada\0se\0cret"sv),
      "Credential format error: username or password is empty or contains NUL(\\0) character");
}

TEST(events, reach_who_registered_in_the_form_of_his_version) {
  Running running;
  Client silent(running.port(), 4), plain(running.port(), 3), segments(running.port(), 5, "lz4");
  silent.start();
  for (Client* one : {&plain, &segments}) {
    ASSERT_TRUE(is<cql_protocol::Ready>(one->start()));
    ASSERT_TRUE(is<cql_protocol::Ready>(one->ask(cql_protocol::Register{{"SCHEMA_CHANGE"}})));
    one->ask(cql_protocol::Register{{"SCHEMA_CHANGE"}});  // twice is once
  }
  running.engine.tell({"CREATED", "FUNCTION", "ks", "f", {"int"}});
  const auto of_plain = plain.receive(), of_segments = segments.receive();
  EXPECT_EQ(of_plain.head.stream, cql_protocol::kEventStream);
  const auto change = [](const ServerMessage& message) {
    return std::get<cql_protocol::SchemaChange>(std::get<cql_protocol::Event>(message.body));
  };
  EXPECT_EQ(change(of_plain.message).target, "KEYSPACE");  // version 3 knows no functions
  EXPECT_EQ(change(of_segments.message).target, "FUNCTION");
  EXPECT_EQ(change(of_segments.message).argument_types, std::vector<std::string>{"int"});
  for (Client* one : {&silent, &plain, &segments})
    EXPECT_TRUE(is<cql_protocol::AnyResult>(one->ask(Query{FakeEngine::kSelect, {}})));
}

TEST(answers, come_in_any_order_each_with_its_stream) {
  Running running;
  std::mutex mutex;
  std::vector<FakeEngine::Done> waiting;
  running.engine.on_query = [&](auto&, const auto& request, auto done) {
    if (request.text == FakeEngine::kSelect) return done(FakeEngine::version_row());
    const std::lock_guard lock(mutex);
    waiting.push_back(std::move(done));
  };
  Client client(running.port(), 4);
  client.start();
  for (std::int16_t stream = 1; stream <= 20; ++stream) client.send(Query{"later", {}}, stream);
  client.send(Query{FakeEngine::kSelect, {}}, 21);
  EXPECT_EQ(client.receive().head.stream, 21);
  std::vector<std::thread> threads;
  for (auto& done : waiting)
    threads.emplace_back([&done] { done(FakeEngine::Answer{cql_protocol::Void{}}); });
  std::set<int> streams;
  while (streams.size() < 20) streams.insert(client.receive().head.stream);
  EXPECT_EQ(*streams.begin() + *streams.rbegin(), 21);
  for (auto& thread : threads) thread.join();
}

TEST(answers, of_every_size_come_whole_in_every_form) {
  Running running;
  std::size_t size = 0;
  running.engine.on_query = [&size](auto&, const auto&, auto done) {
    auto answer = FakeEngine::version_row();
    auto& rows = std::get<cql_protocol::Rows>(answer.result);
    rows.content.clear();
    cql_protocol::append_bytes(rows.content, std::string(size / 2, 'v') + std::string(size, 'w'));
    answer.warnings = {"a warning"};
    done(std::move(answer));
  };
  for (const auto& [version, compression] : std::vector<std::pair<int, std::string>>{
           {3, ""}, {4, ""}, {4, "lz4"}, {4, "snappy"}, {5, ""}, {5, "lz4"}}) {
    Client client(running.port(), version, compression);
    ASSERT_TRUE(is<cql_protocol::Ready>(client.start()));
    for (const std::size_t most :
         {0, 1, 200, 10'000, 11'000, 87'000, 88'000, 1'000'000, 9'000'000}) {
      size = most;
      const auto answer = client.ask(Query{"SELECT", {}});
      const auto& rows =
          std::get<cql_protocol::Rows>(std::get<cql_protocol::AnyResult>(answer.body));
      ASSERT_EQ(rows.content.size(), 4 + size / 2 + size);
      EXPECT_TRUE(rows.content.ends_with(std::string(size, 'w')));
      EXPECT_EQ(answer.warnings.size(), version >= 4 ? 1u : 0u);
    }
  }
}

TEST(answers, of_a_traced_statement_have_an_id) {
  Running running;
  Wire wire(running.port());
  std::string bytes;
  std::string body;
  cql_protocol::append_request(body, 4, cql_protocol::Startup{{{"CQL_VERSION", "3.0.0"}}});
  cql_protocol::append_head(
      bytes, {.version = 4, .opcode = 1, .length = static_cast<std::uint32_t>(body.size())});
  bytes += body;
  body.clear();
  cql_protocol::append_request(body, 4, Query{FakeEngine::kSelect, {}});
  cql_protocol::append_head(bytes, {.version = 4,
                                    .flags = cql_protocol::flag::kTracing,
                                    .stream = 1,
                                    .opcode = static_cast<std::uint8_t>(Opcode::kQuery),
                                    .length = static_cast<std::uint32_t>(body.size())});
  wire.send(bytes + body);
  ASSERT_TRUE(wire.next());
  const auto answer = wire.next();
  ASSERT_TRUE(answer);
  const auto message = cql_protocol::decode_message(answer->head, answer->body);
  ASSERT_TRUE(message);
  ASSERT_TRUE(message->tracing_id);
  EXPECT_EQ(static_cast<unsigned char>((*message->tracing_id)[6]) >> 4, 1);  // a timeuuid
}

TEST(limits, a_message_too_long_is_refused_and_the_next_is_served) {
  Running running({.frame_bytes = 1 << 20, .message_bytes = 1 << 20});
  const std::string text(2 << 20, 'x');
  for (const int version : {4, 5}) {
    Client client(running.port(), version);
    client.start();
    const auto refused = failure_of(client.ask(Query{text, {}}));
    EXPECT_TRUE(refused.contains("exceeds")) << refused;
    EXPECT_TRUE(is<cql_protocol::AnyResult>(client.ask(Query{FakeEngine::kSelect, {}})));
  }
}

TEST(limits, messages_that_came_in_part_share_memory_and_who_finds_none_is_told_so) {
  Running running({.unfinished_bytes = 2 << 20});
  running.engine.on_query = [](auto&, const auto&, auto done) { done(FakeEngine::version_row()); };
  const std::string large(1'300'000, 'x'), small(40'000, 'x');
  for (const int version : {4, 5}) {
    Client other(running.port(), version);
    other.start();
    // Whose part comes first has the room: until that is the slow one's, another slow one.
    std::optional<Client> slow;
    std::optional<Failure> refused;
    std::string bytes;
    for (int round = 0; round < 100 && !refused; ++round) {
      slow.emplace(running.port(), version);
      slow->start();
      bytes = slow->bytes_of(Query{large, {}}, 3);
      slow->send_bytes(std::string_view(bytes).substr(0, 1'200'000));
      std::this_thread::sleep_for(std::chrono::milliseconds(10 * (round + 1)));
      const auto answer = other.ask(Query{large, {}});
      if (const auto* failure = std::get_if<Failure>(&answer.body)) refused = *failure;
    }
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->code, ErrorCode::kOverloaded) << refused->message;
    EXPECT_TRUE(is<cql_protocol::AnyResult>(other.ask(Query{small, {}})));
    slow->send_bytes(std::string_view(bytes).substr(1'200'000));
    const auto answer = slow->receive();
    EXPECT_EQ(answer.head.stream, 3);
    EXPECT_TRUE(is<cql_protocol::AnyResult>(answer.message)) << failure_of(answer.message);
    EXPECT_TRUE(is<cql_protocol::AnyResult>(other.ask(Query{large, {}})));
  }
}

TEST(limits, who_leaves_within_a_message_gives_its_memory_back) {
  Running running({.unfinished_bytes = 2 << 20});
  running.engine.on_query = [](auto&, const auto&, auto done) { done(FakeEngine::version_row()); };
  const std::string large(1'300'000, 'x');
  for (const int version : {4, 5}) {
    for (int i = 0; i < 5; ++i) {
      Client left(running.port(), version);
      left.start();
      left.send_bytes(left.bytes_of(Query{large, {}}).substr(0, 1'200'000));
    }
    Client client(running.port(), version);
    client.start();
    while (running.door->connections() > 1) std::this_thread::yield();
    EXPECT_TRUE(is<cql_protocol::AnyResult>(client.ask(Query{large, {}})));
  }
}

TEST(door, tells_the_engine_where_it_listens) {
  const Running running;
  EXPECT_EQ(running.engine.address, std::string("\x7F\0\0\1", 4));
  EXPECT_EQ(running.engine.told_port, running.port());
}

}  // namespace
}  // namespace tailrace::cql
