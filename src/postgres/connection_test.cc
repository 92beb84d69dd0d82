// What needs no server: quoting, SQLSTATEs, sentences without passwords, a server that never
// answers.
#include "postgres/connection.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "postgres/sqlstate.h"

namespace tailrace::postgres {
namespace {

/// Takes connections and says nothing.
class SilentServer {
 public:
  SilentServer() : file_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(file_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(file_, 8), 0);
    EXPECT_EQ(::getsockname(file_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~SilentServer() { ::close(file_); }
  std::string url(const std::string& user) const {
    return "postgresql://" + user + "@127.0.0.1:" + std::to_string(port_) + "/db?sslmode=disable";
  }

 private:
  int file_;
  int port_ = 0;
};

TEST(Connection, names_and_texts_are_quoted) {
  EXPECT_EQ(quoted_name("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(quoted_text("it's"), "'it''s'");
  EXPECT_EQ(quoted_text("a\\b'"), " E'a\\\\b'''");
}

TEST(Connection, a_state_says_what_to_do) {
  EXPECT_EQ(code_of(""), Code::kUnavailable);
  EXPECT_EQ(code_of("57P01"), Code::kUnavailable);
  EXPECT_EQ(code_of("28P01"), Code::kPermissionDenied);
  EXPECT_EQ(code_of("42P01"), Code::kNotFound);
  EXPECT_EQ(code_of("42601"), Code::kInvalidArgument);
  EXPECT_EQ(code_of("40P01"), Code::kAborted);
  EXPECT_EQ(code_of("XX000"), Code::kInternal);
}

TEST(Connection, the_state_is_found_in_a_verbose_message) {
  const std::string message =
      "connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  28P01: password "
      "authentication failed for user \"me\"\nLOCATION:  auth_failed, auth.c:334\n";
  EXPECT_EQ(sqlstate_in(message), "28P01");
  EXPECT_EQ(sentence(message),
            "connection to server at \"127.0.0.1\", port 5432 failed: password authentication "
            "failed for user \"me\"");
  EXPECT_EQ(sqlstate_in("could not connect: Connection refused"), "");
}

TEST(Connection, a_password_is_never_shown) {
  const std::string url = "postgresql://me:s3cret@host/db?password=other&sslmode=disable";
  EXPECT_EQ(shown_url(url), "postgresql://me:***@host/db?password=***&sslmode=disable");
  for (const std::string rest : {"[host/db", "host/db?nonsense=1", "host:port:9/db"}) {
    const auto opened = Connection::open({.url = "postgresql://me:s3cret@" + rest});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Code::kInvalidArgument) << opened.error().what;
    EXPECT_EQ(opened.error().what.find("s3cret"), std::string::npos) << opened.error().what;
  }
}

TEST(Connection, who_refuses_is_unavailable) {
  std::string url;
  { url = SilentServer().url("me"); }
  const auto opened = Connection::open({.url = url}, {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kUnavailable) << opened.error().what;
}

TEST(Connection, stopping_ends_the_wait_for_a_silent_server) {
  const SilentServer server;
  std::stop_source stop;
  std::jthread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    stop.request_stop();
  });
  const auto opened = Connection::open(
      {.url = server.url("me"), .connect_timeout = std::chrono::minutes(10)}, stop.get_token());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kCancelled);
}

TEST(Connection, a_silent_server_is_unavailable_after_the_time_out) {
  const SilentServer server;
  const auto opened = Connection::open(
      {.url = server.url("me"), .connect_timeout = std::chrono::milliseconds(50)}, {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kUnavailable);
}

}  // namespace
}  // namespace tailrace::postgres
