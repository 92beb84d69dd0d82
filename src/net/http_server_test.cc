// The server on real sockets, spoken to by hand-written bytes.
#include "net/http_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>

#include "net/gzip.h"
#include "net/http_client.h"

namespace tailrace::net {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

/// A blocking socket to a port of this machine; reads give up after thirty seconds.
class Wire {
 public:
  explicit Wire(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    timeval limit{.tv_sec = 30, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~Wire() { close(fd_); }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  void send(std::string_view text) {
    std::ignore = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
  }

  std::string read_until(std::string_view end) {
    while (seen_.find(end) == seen_.npos && read_some()) {
    }
    auto at = seen_.find(end);
    auto length = at == seen_.npos ? seen_.size() : at + end.size();
    auto out = seen_.substr(0, length);
    seen_.erase(0, length);
    return out;
  }

  /// Everything until the server closes; `closed()` tells whether it did.
  std::string read_all() {
    while (read_some()) {
    }
    return std::exchange(seen_, "");
  }
  bool closed() const { return closed_; }

 private:
  bool read_some() {
    char buffer[8192];
    auto got = recv(fd_, buffer, sizeof buffer, 0);
    closed_ = got == 0 || (got < 0 && errno == ECONNRESET);
    if (got > 0) seen_.append(buffer, static_cast<std::size_t>(got));
    return got > 0;
  }

  int fd_;
  std::string seen_;
  bool closed_ = false;
};

Response echo(const Request& request) {
  if (request.path == "/throw") throw std::runtime_error("boom");
  Response response;
  response.body = request.method + " " + request.path + " [" + request.body + "]";
  if (request.path == "/large") response.body = std::string(100'000, 'x');
  return response;
}

std::unique_ptr<HttpServer> serve(HttpLimits limits = {}, Handler handler = echo) {
  auto server = HttpServer::start(
      {.allowed_hosts = {"pipes.test"}, .flag = "--console", .limits = limits}, std::move(handler));
  EXPECT_TRUE(server) << server.error().what;
  return std::move(*server);
}

std::string ask(const HttpServer& server, std::string_view text) {
  Wire wire(server.port());
  wire.send(text);
  return wire.read_all();
}

TEST(HttpServer, one_connection_serves_request_after_request) {
  auto server = serve();
  Wire wire(server->port());
  for (int i = 0; i < 3; ++i) {
    wire.send("GET /a%20b HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_THAT(wire.read_until("[]"),
                AllOf(StartsWith("HTTP/1.1 200 OK"), EndsWith("GET /a b []")));
  }
  wire.send("GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /2 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(wire.read_until("/2 []"), HasSubstr("/1 []"));
}

std::unique_ptr<HttpServer> serve_later(LaterHandler handler, HttpLimits limits = {}) {
  auto server = HttpServer::start({.flag = "--console", .limits = limits}, std::move(handler));
  EXPECT_TRUE(server) << server.error().what;
  return std::move(*server);
}

TEST(HttpServer, an_answer_comes_later_and_from_another_thread_while_others_are_served) {
  std::mutex mutex;
  std::vector<Respond> waiting;
  auto server = serve_later([&](Request request, const Respond& respond) {
    if (request.path == "/now") return respond(echo(request));
    std::lock_guard lock(mutex);
    waiting.push_back(respond);
  });
  Wire first(server->port()), second(server->port()), third(server->port());
  first.send("GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  second.send("GET /2 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto size = [&] {
    std::lock_guard lock(mutex);
    return waiting.size();
  };
  while (size() < 2) std::this_thread::yield();
  third.send("GET /now HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(third.read_until("[]"), EndsWith("GET /now []"));
  for (const Respond& respond : waiting) respond({.body = "late."});
  EXPECT_THAT(first.read_until("late."), EndsWith("late."));
  EXPECT_THAT(second.read_until("late."), EndsWith("late."));
  for (const Respond& respond : waiting) respond({.body = "twice."});  // changes nothing
  first.send("GET /now HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(first.read_until("[]"), AllOf(StartsWith("HTTP/1.1 200"), EndsWith("GET /now []")));
  server.reset();
  waiting.front()({});  // nobody is there to be answered
}

TEST(HttpServer, an_answer_that_never_comes_is_503) {
  std::vector<Respond> kept;
  auto server =
      serve_later([&](const Request&, const Respond& respond) { kept.push_back(respond); },
                  {.answer_timeout_ms = 20});
  Wire wire(server->port());
  wire.send("GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(wire.read_until("again"), StartsWith("HTTP/1.1 503"));
}

TEST(HttpServer, large_and_packed_bodies_do_not_hold_up_the_servers_own_thread) {
  std::mutex mutex;
  std::set<std::thread::id> seen;
  auto server = serve_later([&](const Request& request, const Respond& respond) {
    std::lock_guard lock(mutex);
    seen.insert(std::this_thread::get_id());
    respond({.body = std::to_string(request.body.size()) + " bytes."});
  });
  Wire wire(server->port());
  wire.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_THAT(wire.read_until("bytes."), EndsWith("2 bytes."));
  wire.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" +
            std::string(100'000, 'x'));
  EXPECT_THAT(wire.read_until("bytes."), EndsWith("100000 bytes."));
  const std::string packed = gzip(std::string(1000, 'y'));
  wire.send(
      fmt::format("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\n"
                  "Content-Length: {}\r\n\r\n{}",
                  packed.size(), packed));
  EXPECT_THAT(wire.read_until("bytes."), EndsWith("1000 bytes."));
  EXPECT_GE(seen.size(), 2u);
}

TEST(HttpServer, connection_close_and_http_1_0_are_obeyed) {
  auto server = serve();
  Wire closing(server->port());
  closing.send("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(closing.read_all(), EndsWith("GET / []"));
  EXPECT_TRUE(closing.closed());
  Wire old(server->port());
  old.send("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(old.read_all(), EndsWith("GET / []"));
  EXPECT_TRUE(old.closed());
}

TEST(HttpServer, head_has_the_length_and_no_body) {
  auto server = serve();
  auto text = ask(*server, "HEAD /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(text, AllOf(HasSubstr("Content-Length: 100000"), EndsWith("\r\n\r\n")));
}

TEST(HttpServer, malformed_requests_are_400_and_closed) {
  auto server = serve();
  for (const char* bad :
       {"nonsense\r\n\r\n", "GET /%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        "GET /%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        "GET relative HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"}) {
    EXPECT_THAT(ask(*server, bad), StartsWith("HTTP/1.1 400")) << bad;
  }
}

TEST(HttpServer, bodies_and_heads_over_the_limit_are_refused) {
  auto server = serve({.head_bytes = 1000, .body_bytes = 100});
  EXPECT_THAT(ask(*server, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 101\r\n\r\n"),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(ask(*server,
                  "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "65\r\n" +
                      std::string(101, 'a') + "\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(ask(*server,
                  "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(2000, 'a') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(
      ask(*server,
          "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\nConnection: close\r\n\r\n" +
              std::string(100, 'b')),
      StartsWith("HTTP/1.1 200"));
}

TEST(HttpServer, a_dripping_client_is_closed_and_does_not_hold_others) {
  auto server = serve({.idle_timeout_ms = 300, .head_timeout_ms = 300, .body_timeout_ms = 300});
  std::vector<std::unique_ptr<Wire>> slow;
  for (int i = 0; i < 20; ++i) {
    slow.push_back(std::make_unique<Wire>(server->port()));
    slow.back()->send(i % 2 ? "GET / HTT"
                            : "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nab");
  }
  Wire idle(server->port());
  while (!ask(*server, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
              .starts_with("HTTP/1.1 200")) {
  }  // again on a machine so slow that this one, too, was late
  for (auto& wire : slow) {
    wire->read_all();
    EXPECT_TRUE(wire->closed());
  }
  idle.read_all();
  EXPECT_TRUE(idle.closed());
}

TEST(HttpServer, two_hundred_connections_are_served_at_once) {
  auto server = serve();
  std::vector<std::unique_ptr<Wire>> wires;
  for (int i = 0; i < 200; ++i) wires.push_back(std::make_unique<Wire>(server->port()));
  for (auto& wire : wires) wire->send("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
  for (auto& wire : wires) EXPECT_THAT(wire->read_until("[]"), EndsWith("GET /x []"));
  EXPECT_EQ(server->connections(), 200u);
}

TEST(HttpServer, connections_over_the_limit_get_503) {
  auto server = serve({.connections = 1});
  Wire first(server->port());
  first.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  first.read_until("[]");
  Wire second(server->port());
  EXPECT_THAT(second.read_all(), StartsWith("HTTP/1.1 503"));
}

TEST(HttpServer, a_throwing_handler_is_500_and_the_connection_lives) {
  auto server = serve();
  Wire wire(server->port());
  wire.send("GET /throw HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(wire.read_until("more\n"), StartsWith("HTTP/1.1 500"));
  wire.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(wire.read_until("[]"), StartsWith("HTTP/1.1 200"));
}

TEST(HttpServer, foreign_host_names_and_foreign_origins_are_refused) {
  auto server = serve();
  auto get = [&](std::string_view host) {
    return ask(*server,
               "GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\nConnection: close\r\n\r\n");
  };
  EXPECT_THAT(get("evil.example"), StartsWith("HTTP/1.1 421"));
  EXPECT_THAT(get("evil.example"), HasSubstr("by its IP address, by localhost or pipes.test"));
  std::array<char, 256> own{};
  ASSERT_EQ(gethostname(own.data(), own.size() - 1), 0);
  EXPECT_THAT(get(own.data()), StartsWith("HTTP/1.1 200"));
  for (auto host : {"localhost:99", "127.0.0.1", "[::1]:5", "pipes.test", "a.localhost"}) {
    EXPECT_THAT(get(host), StartsWith("HTTP/1.1 200")) << host;
  }
  auto post = [&](std::string_view header) {
    return ask(*server, "POST / HTTP/1.1\r\nHost: localhost:9\r\nConnection: close\r\n" +
                            std::string(header) + "Content-Length: 0\r\n\r\n");
  };
  EXPECT_THAT(post("Origin: http://evil.example\r\n"), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(post("Origin: null\r\n"), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(post("Origin: http://localhost:10\r\n"), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(post("Sec-Fetch-Site: cross-site\r\n"), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(post("Origin: http://localhost:9\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(post(""), StartsWith("HTTP/1.1 200"));
}

TEST(HttpServer, a_taken_port_gives_one_clear_line) {
  auto server = serve();
  auto second = HttpServer::start({.port = server->port(), .flag = "--console"}, echo);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kUnavailable);
  EXPECT_EQ(second.error().what,
            fmt::format("127.0.0.1:{} is in use by net_test, pid {}; choose another with --console "
                        "HOST:PORT, or port 0 for a free one",
                        server->port(), getpid()));
}

TEST(HttpServer, a_stream_pushes_until_its_end) {
  auto counter = std::make_shared<std::atomic<int>>(0);
  auto server = serve({}, [counter](const Request&) {
    Response response;
    response.content_type = "text/event-stream";
    response.stream = TextStream{.every_ms = 5, .next = [counter]() -> std::optional<std::string> {
                                   int n = ++*counter;
                                   if (n > 3) return std::nullopt;
                                   return "data: " + std::to_string(n) + "\n\n";
                                 }};
    return response;
  });
  auto text = ask(*server, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(text, EndsWith("data: 1\n\ndata: 2\n\ndata: 3\n\n"));
}

TEST(HttpServer, stop_lets_a_request_in_flight_finish_and_ends_streams) {
  std::atomic<bool> entered = false;
  std::atomic<bool> release = false;
  auto server = serve({}, [&](const Request& request) {
    Response response;
    if (request.path == "/stream") {
      response.stream = TextStream{.every_ms = 60'000,
                                   .next = [] { return std::optional<std::string>("hello"); }};
      return response;
    }
    entered = true;
    entered.notify_all();
    release.wait(false);
    response.body = "finished";
    return response;
  });
  Wire streaming(server->port());
  streaming.send("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
  streaming.read_until("hello");
  Wire wire(server->port());
  wire.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  entered.wait(false);
  std::thread stopper([&] { server->stop(); });
  streaming.read_all();
  EXPECT_TRUE(streaming.closed());
  release = true;
  release.notify_all();
  EXPECT_THAT(wire.read_all(), EndsWith("finished"));
  stopper.join();
  EXPECT_TRUE(wire.closed());
}

TEST(HttpServer, large_text_is_compressed_for_those_who_take_it) {
  auto server = serve();
  auto packed = ask(*server,
                    "GET /large HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: "
                    "gzip\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(packed, HasSubstr("Content-Encoding: gzip"));
  EXPECT_LT(packed.size(), 2000u);
  HttpClient client;
  auto answer = client.get(server->url() + "/large");
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->body, std::string(100'000, 'x'));
}

TEST(HttpServer, expect_continue_is_answered_before_the_body) {
  auto server = serve();
  Wire wire(server->port());
  wire.send(
      "POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_THAT(wire.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 100 Continue"));
  wire.send("hi");
  EXPECT_THAT(wire.read_until("[hi]"), StartsWith("HTTP/1.1 200"));
}

}  // namespace
}  // namespace tailrace::net
