// Requests to a door whose sources are threads of the test that settle what comes.
#include "hooks/door.h"

#include <gmock/gmock.h>

#include <thread>

#include "net/gzip.h"
#include "net/http_client.h"

namespace tailrace::hooks {
namespace {

using connect::Delivery;
using testing::HasSubstr;

/// Takes what is delivered, and says that it is durable.
class Taker {
 public:
  explicit Taker(std::shared_ptr<connect::Inbox> inbox) : inbox_(std::move(inbox)) {
    inbox_->open(true);
    thread_ = std::jthread([this](std::stop_token stop) { take(std::move(stop)); });
  }
  ~Taker() {
    thread_.request_stop();
    thread_.join();
    inbox_->open(false);
  }
  std::vector<std::string> values() const {
    std::lock_guard lock(mutex_);
    return values_;
  }

 private:
  void take(std::stop_token stop) {
    while (!stop.stop_requested()) {
      for (Delivery& delivery : inbox_->take(100, std::chrono::milliseconds(5), stop)) {
        const std::size_t bytes = size_of(delivery);
        const bool known = !delivery.id.empty() && !ids_.insert(delivery.id).second;
        {
          std::lock_guard lock(mutex_);
          for (const auto& item : delivery.items)
            if (!known) values_.push_back(item.value);
        }
        delivery.done(known ? Status(error(Code::kAlreadyExists, "again")) : Status());
        inbox_->settled(bytes, 1);
      }
    }
  }

  std::shared_ptr<connect::Inbox> inbox_;
  std::set<std::string> ids_;
  mutable std::mutex mutex_;
  std::vector<std::string> values_;
  std::jthread thread_;
};

class DoorTest : public testing::Test {
 protected:
  void start(std::map<std::string, std::string> options = {}, connect::InboxLimits limits = {}) {
    options.emplace("path", "orders/new");
    auto read = connect::webhook_options(
        {.name = "orders", .type = "webhook", .options = options, .folder = "/"});
    ASSERT_TRUE(read) << read.error().what;
    inbox_ = std::make_shared<connect::Inbox>(limits);
    DoorConfig config{.port = 0};
    config.hooks.push_back({.name = "orders", .options = *read, .inbox = inbox_});
    auto door = Door::start(std::move(config));
    ASSERT_TRUE(door) << door.error().what;
    door_ = std::move(*door);
  }
  /// "STATUS body"
  std::string ask(const std::string& method, const std::string& path, const std::string& body = {},
                  std::vector<std::pair<std::string, std::string>> headers = {}) {
    net::HttpOptions options;
    headers.emplace_back("Content-Type", "application/json");
    options.headers = std::move(headers);
    std::optional<std::string_view> sent;
    if (method != "GET") sent = body;
    auto got = client_.request(method, door_->url() + path, sent, options);
    if (!got) return got.error().what;
    last_ = *got;
    return std::to_string(got->status) + " " + got->body;
  }
  std::string post(const std::string& body,
                   std::vector<std::pair<std::string, std::string>> headers = {}) {
    return ask("POST", "/hooks/orders/new", body, std::move(headers));
  }

  net::HttpClient client_;
  net::HttpResponse last_;
  std::shared_ptr<connect::Inbox> inbox_;
  std::unique_ptr<Door> door_;
};

TEST_F(DoorTest, a_record_is_answered_when_the_source_says_that_it_is_durable) {
  start();
  EXPECT_THAT(post("{}"), HasSubstr("503"));  // the source does not run
  EXPECT_EQ(last_.header("retry-after"), "1");
  Taker taker(inbox_);
  EXPECT_EQ(post(R"({"n": 1})"), R"(200 {"records": 1})");
  EXPECT_THAT(taker.values(), testing::ElementsAre(R"({"n": 1})"));
  MetricsText metrics;
  door_->write_metrics(metrics);
  EXPECT_THAT(metrics.finish(),
              HasSubstr(R"(tailrace_hooks_requests_total{source="orders",answer="accepted"} 1)"));
}

TEST_F(DoorTest, what_is_sent_again_has_the_same_answer_and_is_taken_once) {
  start();
  Taker taker(inbox_);
  for (const char* again : {"", "true", "true"}) {
    EXPECT_EQ(post("{}", {{"Idempotency-Key", "k"}}), R"(200 {"records": 1})");
    EXPECT_EQ(last_.header("idempotent-replayed"), again);
  }
  EXPECT_EQ(post("{}", {{"Idempotency-Key", std::string(5000, 'k')}}), R"(200 {"records": 1})");
  EXPECT_EQ(taker.values().size(), 2u);
}

TEST_F(DoorTest, bad_lines_are_named_and_the_others_are_taken) {
  start({{"format", "ndjson"}});
  Taker taker(inbox_);
  EXPECT_THAT(post("{\"n\":1}\nno\n{\"n\":3}\n"),
              HasSubstr(R"(200 {"records":2,"rejected":1,"lines":[{"line":2,"error":"line 1)"));
  EXPECT_EQ(taker.values().size(), 2u);
}

TEST_F(DoorTest, the_rest_is_refused_with_a_reason) {
  start({{"max_body", "10"}, {"token", "s3cret"}});
  Taker taker(inbox_);
  EXPECT_THAT(post("{}"), HasSubstr("401 {\"error\":\"the token is missing"));
  EXPECT_THAT(post("{}", {{"Authorization", "Bearer s3cret"}}), HasSubstr("200"));
  EXPECT_THAT(post("[1,2,3,4,5,6]", {{"Authorization", "Bearer s3cret"}}), HasSubstr("413"));
  EXPECT_THAT(post("{", {{"Authorization", "Bearer s3cret"}}), HasSubstr("400"));
  EXPECT_THAT(ask("GET", "/hooks/orders/new"), HasSubstr("405"));
  EXPECT_EQ(last_.header("allow"), "POST");
  EXPECT_THAT(ask("POST", "/hooks/order"), HasSubstr("404 {\"error\":\"nothing is here; POST is "
                                                     "taken at /hooks/orders/new"));
  EXPECT_EQ(ask("GET", "/healthz"), R"(200 {"status": "ok"})");
}

TEST_F(DoorTest, strangers_are_not_told_what_there_is) {
  start();
  EXPECT_THAT(ask("GET", "/hooks"), HasSubstr("orders/new"));
  EXPECT_EQ(ask("GET", "/hooks", "", {{"X-Forwarded-For", "203.0.113.9"}}),
            R"(404 {"error":"nothing is here"})");
}

TEST_F(DoorTest, beyond_its_rate_a_client_is_told_when_to_come_again) {
  start({{"client_rate", "0.5"}, {"burst", "2"}});
  Taker taker(inbox_);
  EXPECT_THAT(post("{}"), HasSubstr("200"));
  EXPECT_THAT(post("{}"), HasSubstr("200"));
  EXPECT_THAT(post("{}"), HasSubstr("429"));
  EXPECT_EQ(last_.header("retry-after"), "2");
}

TEST_F(DoorTest, strangers_do_not_use_up_the_rate_of_those_who_may_send) {
  start({{"rate", "0.5"}, {"burst", "1"}, {"token", "s3cret"}});
  Taker taker(inbox_);
  const std::pair<std::string, std::string> token = {"Authorization", "Bearer s3cret"};
  for (int i = 0; i < 3; ++i) EXPECT_THAT(post("{}"), HasSubstr("401"));
  EXPECT_THAT(post("{}", {token}), HasSubstr("200"));
  EXPECT_THAT(post("{}", {token}), HasSubstr("429"));
  EXPECT_EQ(last_.header("retry-after"), "2");
  EXPECT_THAT(post("{}"), HasSubstr("401"));
}

TEST_F(DoorTest, a_full_inbox_pushes_back) {
  start({}, {.bytes = 32 << 20, .deliveries = 0});
  Taker taker(inbox_);
  EXPECT_THAT(post("{}"), HasSubstr("503"));
  EXPECT_EQ(last_.header("retry-after"), "1");
}

TEST_F(DoorTest, greetings_are_answered_and_are_no_records) {
  start({{"signature", "github"}, {"secret", "It's a Secret to Everybody"}});
  Taker taker(inbox_);
  EXPECT_THAT(post("{}", {{"X-GitHub-Event", "ping"}}), HasSubstr("401"));
  const std::string digest =
      "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
  EXPECT_EQ(post("Hello, World!", {{"X-GitHub-Event", "ping"}, {"X-Hub-Signature-256", digest}}),
            R"(200 {"records": 0, "ping": "pong"})");
  EXPECT_EQ(taker.values().size(), 0u);
}

TEST_F(DoorTest, an_address_that_others_reach_wants_a_guard) {
  const auto started = [](std::map<std::string, std::string> options) {
    auto read = connect::webhook_options(
        {.name = "orders", .type = "webhook", .options = std::move(options), .folder = "/"});
    EXPECT_TRUE(read) << read.error().what;
    DoorConfig config{.host = "0.0.0.0", .port = 0};
    config.hooks.push_back(
        {.name = "orders", .options = *read, .inbox = std::make_shared<connect::Inbox>()});
    auto door = Door::start(std::move(config));
    return door ? std::string() : door.error().what;
  };
  EXPECT_THAT(started({}), HasSubstr("give it a `token` or a `signature`"));
  EXPECT_EQ(started({{"token", "t"}}), "");
  EXPECT_EQ(started({{"open", "true"}}), "");
}

TEST(RateLimit, a_bucket_fills_at_its_rate_up_to_its_burst) {
  using namespace std::chrono_literals;
  RateLimit limit({.rate = 10, .client_rate = 0, .burst = 2});
  EXPECT_EQ(limit.take_of_all(0s), 0s);
  EXPECT_EQ(limit.take_of_all(0s), 0s);
  EXPECT_EQ(limit.take_of_all(0s), 100ms);
  EXPECT_EQ(limit.take_of_all(50ms), 50ms);
  EXPECT_EQ(limit.take_of_all(100ms), 0s);
  EXPECT_EQ(limit.take_of_all(10s), 0s);
  EXPECT_EQ(limit.take_of_all(10s), 0s);
  EXPECT_GT(limit.take_of_all(10s), 0s);
}

TEST(RateLimit, each_client_has_its_own_and_the_least_recent_is_forgotten) {
  using namespace std::chrono_literals;
  RateLimit limit({.rate = 0, .client_rate = 1, .burst = 1});
  EXPECT_EQ(limit.take_of("a", 0s), 0s);
  EXPECT_EQ(limit.take_of("b", 0s), 0s);
  EXPECT_EQ(limit.take_of("a", 0s), 1s);
  for (std::size_t i = 0; i < RateLimit::kMostClients; ++i)
    EXPECT_EQ(limit.take_of(std::to_string(i), 0s), 0s);
  EXPECT_EQ(limit.take_of("a", 0s), 0s);
}

TEST(WebhookOptions, mistakes_are_named) {
  const auto mistake = [](std::map<std::string, std::string> options) {
    auto read = connect::webhook_options(
        {.name = "orders", .type = "webhook", .options = std::move(options), .folder = "/"});
    return read ? std::string() : read.error().what;
  };
  EXPECT_THAT(mistake({{"signature", "gitlab"}}), HasSubstr("option signature"));
  EXPECT_THAT(mistake({{"signature", "github"}}), HasSubstr("option secret: is needed"));
  EXPECT_THAT(mistake({{"secret", "x"}}), HasSubstr("option signature: is needed"));
  EXPECT_THAT(mistake({{"path", "../x y"}}), HasSubstr("option path"));
  EXPECT_THAT(mistake({{"fromat", "json"}}), HasSubstr("format"));
  EXPECT_THAT(mistake({{"token", ""}}), HasSubstr("option token"));
  EXPECT_EQ(mistake({{"signature", "github"}, {"secrets.old", "x"}, {"secrets.new", "y"}}), "");
}

}  // namespace
}  // namespace tailrace::hooks
