// The client against our own server and against ports where nobody listens.
#include "net/http_client.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>

#include "net/http_message.h"
#include "net/http_server.h"
#include "net/testing/cutting_server.h"

namespace tailrace::net {
namespace {

using testing::HasSubstr;
using testing::Not;

Response redirect(std::string to, int status = 302) {
  Response response;
  response.status = status;
  response.headers.emplace_back("Location", std::move(to));
  return response;
}

Response origin(const Request& request) {
  if (request.path == "/loop") return redirect("/loop");
  if (request.path == "/file") return redirect("file:///etc/passwd");
  if (request.path == "/away")
    return redirect("http://localhost:" + *request.param("port") + "/headers");
  Response response;
  if (request.path == "/etag") {
    response.status = request.header("if-none-match") == "\"v1\"" ? 304 : 200;
    response.headers.emplace_back("ETag", "\"v1\"");
  }
  if (request.path == "/headers") response.body = "key=" + std::string(request.header("x-api-key"));
  if (request.path == "/large") response.body = std::string(1 << 20, 'x');
  if (request.path == "/echo") response.body = request.method + request.body;
  if (request.path == "/slow") {
    response.stream =
        TextStream{.every_ms = 10, .next = [] { return std::optional<std::string>(""); }};
  }
  if (request.path == "/gone") response.status = 404;
  if (request.path == "/count" || request.path == "/stuck") {
    const bool ends = request.path == "/count";
    response.stream = TextStream{.every_ms = 1, .next = [ends, n = 0]() mutable {
                                   if (ends && n == 100) return std::optional<std::string>();
                                   return std::optional(n < 100 ? fmt::format("{}\n", n++) : "");
                                 }};
  }
  if (request.path == "/moved") return redirect("/count");
  return response;
}

class Client : public testing::Test {
 protected:
  std::unique_ptr<HttpServer> server_ = std::move(*HttpServer::start({}, origin));
  HttpClient client_;

  std::string url(std::string_view path) const { return server_->url() + std::string(path); }
};

TEST_F(Client, any_status_is_an_answer) {
  EXPECT_EQ(client_.get(url("/"))->status, 200);
  EXPECT_EQ(client_.get(url("/gone"))->status, 404);
  EXPECT_EQ(client_.post(url("/echo"), "hello")->body, "POSThello");
}

TEST_F(Client, etag_turns_an_unchanged_answer_into_304) {
  auto first = client_.get(url("/etag"));
  ASSERT_TRUE(first);
  auto second = client_.get(url("/etag"), {.etag = std::string(first->etag())});
  ASSERT_TRUE(second) << second.error().what;
  EXPECT_EQ(second->status, 304);
}

TEST_F(Client, a_body_over_the_limit_is_cut_off_while_received) {
  auto answer = client_.get(url("/large"), {.max_body_bytes = 1000});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kResourceExhausted);
}

TEST_F(Client, redirects_are_counted_and_stay_within_http) {
  EXPECT_EQ(client_.get(url("/loop")).error().code, Code::kFailedPrecondition);
  EXPECT_EQ(client_.get(url("/file")).error().code, Code::kInvalidArgument);
}

TEST_F(Client, headers_do_not_follow_a_redirect_to_another_origin) {
  HttpOptions options;
  options.headers = {{"X-Api-Key", "s3cret"}};
  EXPECT_EQ(client_.get(url("/headers"), options)->body, "key=s3cret");
  auto away = client_.get(url("/away?port=" + std::to_string(server_->port())), options);
  ASSERT_TRUE(away) << away.error().what;
  EXPECT_EQ(away->body, "key=");
}

TEST_F(Client, timeouts_and_stops_say_so) {
  HttpOptions options;
  options.timeout_ms = 100;
  auto slow = client_.get(url("/slow"), options);
  EXPECT_EQ(slow.error().code, Code::kDeadlineExceeded);
  EXPECT_THAT(slow.error().what, HasSubstr("timed out after 100 ms"));
  std::stop_source source;
  source.request_stop();
  options.stop = source.get_token();
  EXPECT_EQ(client_.get(url("/slow"), options).error().code, Code::kCancelled);
}

struct Heard {
  int heads = 0, status = 0;
  std::string bytes;
  HttpSink sink() {
    return {.head =
                [this](const HttpResponse& head) {
                  ++heads;
                  status = head.status;
                  return Status();
                },
            .bytes =
                [this](std::string_view piece) {
                  bytes += piece;
                  return Status();
                },
            .idle_timeout_ms = 300};
  }
};

TEST_F(Client, a_stream_is_told_as_it_comes_through_redirects_to_its_end) {
  std::string all;
  for (int n = 0; n < 100; ++n) all += fmt::format("{}\n", n);
  for (const char* path : {"/count", "/moved"}) {
    Heard heard;
    const auto ended = client_.stream(url(path), {.timeout_ms = 1}, heard.sink());
    ASSERT_TRUE(ended) << ended.error().what;
    EXPECT_EQ(heard.bytes, all);
    EXPECT_EQ(heard.heads, 1);
    EXPECT_EQ(heard.status, 200);
  }
  Heard gone;
  EXPECT_EQ(client_.stream(url("/gone"), {}, gone.sink())->status, 404);
  EXPECT_EQ(gone.status, 404);
}

TEST_F(Client, a_stream_ends_when_it_is_silent_stopped_or_not_wanted) {
  Heard heard;
  const auto silent = client_.stream(url("/stuck"), {}, heard.sink());
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().code, Code::kDeadlineExceeded);
  EXPECT_THAT(silent.error().what, HasSubstr("nothing came for 300 ms"));
  EXPECT_THAT(heard.bytes, HasSubstr("99\n"));

  std::stop_source stop;
  HttpSink sink = heard.sink();
  sink.idle_timeout_ms = 60'000;
  sink.bytes = [&](std::string_view) {
    stop.request_stop();
    return Status();
  };
  EXPECT_EQ(client_.stream(url("/stuck"), {.stop = stop.get_token()}, sink).error().code,
            Code::kCancelled);
  sink.bytes = [](std::string_view) { return Status(error(Code::kDataLoss, "no more of this")); };
  EXPECT_EQ(client_.stream(url("/stuck"), {}, sink).error().what, "no more of this");
  sink.head = [](const HttpResponse&) { return Status(error(Code::kDataLoss, "not this head")); };
  EXPECT_EQ(client_.stream(url("/stuck"), {}, sink).error().what, "not this head");
}

TEST_F(Client, errors_name_the_place_and_no_credentials) {
  auto port = server_->port();
  server_->stop();
  server_.reset();
  auto answer =
      client_.get("http://ann:pa55@127.0.0.1:" + std::to_string(port) + "/x?api_key=abc&page=2");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().what, "connection refused by 127.0.0.1:" + std::to_string(port) +
                                     " (http://127.0.0.1:" + std::to_string(port) +
                                     "/x?api_key=***&page=2)");
  EXPECT_EQ(client_.get("ftp://localhost/").error().code, Code::kInvalidArgument);
  EXPECT_EQ(client_.get("not a url").error().code, Code::kInvalidArgument);
}

TEST(KeptConnection, a_request_on_a_cut_one_is_sent_again_unless_it_may_arrive_once_only) {
  CuttingServer server({2, 4});
  HttpClient client;
  ASSERT_TRUE(client.get(server.url()));
  EXPECT_TRUE(client.post(server.url(), "again"));
  EXPECT_EQ(server.requests(), 3);
  EXPECT_EQ(client.post(server.url(), "once", {.at_most_once = true}).error().code,
            Code::kUnavailable);
  EXPECT_EQ(server.requests(), 4);
  EXPECT_TRUE(client.post(server.url(), "once", {.at_most_once = true}));
  EXPECT_EQ(server.connections(), 4);
}

TEST(Redaction, blanks_user_password_and_token_like_parameters) {
  EXPECT_EQ(redact_url("https://u:p@h:1/a?Token=x&b=1&X-Amz-Signature=9#frag"),
            "https://h:1/a?Token=***&b=1&X-Amz-Signature=***");
  EXPECT_EQ(redact_url("http://h/a@b"), "http://h/a@b");
  EXPECT_EQ(redact_url("u:p@h/x"), "h/x");
}

TEST(Target, is_decoded_after_it_is_split) {
  auto target = parse_target("/api/tables/a%2Fb/k+1?x=1+2&y=%26&z");
  ASSERT_TRUE(target);
  EXPECT_THAT(target->segments, testing::ElementsAre("api", "tables", "a/b", "k+1"));
  EXPECT_EQ(target->query.find("x")->second, "1 2");
  EXPECT_EQ(target->query.find("y")->second, "&");
  EXPECT_TRUE(target->query.contains("z"));
}

}  // namespace
}  // namespace tailrace::net
