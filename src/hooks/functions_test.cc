// Functions: Python's processes, the queue of calls that nobody waits for, who may call.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <stdlib.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>

#include "hooks/aws_login.h"
#include "hooks/event_queue.h"
#include "hooks/python_function.h"

namespace tailrace::hooks {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class FunctionsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);  // as the program does
    std::string name = testing::TempDir() + "functions_XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  void TearDown() override {
    function_.reset();
    std::filesystem::remove_all(folder_);
  }
  void python(const std::string& code, FunctionInfo info = {}, int workers = 1) {
    std::ofstream(folder_ + "/f.py") << code;
    info.name = "f";
    info.handler = "f.handler";
    info.memory_bytes = std::max<std::int64_t>(info.memory_bytes, 256 << 20);
    function_ = python_function(info, {.file = folder_ + "/f.py",
                                       .folder = folder_,
                                       .workers = workers,
                                       .log_file = folder_ + "/logs/f.log"});
  }
  std::future<Returned> begin(const std::string& event, const std::string& id = "id-1") {
    auto promise = std::make_shared<std::promise<Returned>>();
    function_->call({.request_id = id, .event = event},
                    [promise](Returned returned) { promise->set_value(std::move(returned)); });
    return promise->get_future();
  }
  Returned call(const std::string& event, const std::string& id = "id-1") {
    return begin(event, id).get();
  }

  std::string folder_;
  std::unique_ptr<Function> function_;
};

TEST_F(FunctionsTest, a_handler_gets_the_event_and_awss_context_in_a_process_that_stays) {
  python(
      "import os\n"
      "seen = 0\n"
      "def handler(event, context):\n"
      "    global seen\n"
      "    seen += 1\n"
      "    print('hello', event['n'])\n"
      "    return {'n': event['n'], 'seen': seen, 'id': context.aws_request_id,\n"
      "            'name': context.function_name, 'memory': context.memory_limit_in_mb,\n"
      "            'left': 0 < context.get_remaining_time_in_millis() <= 3000,\n"
      "            'secret': os.environ.get('SECRET'), 'foreign': 'FOREIGN' in os.environ}\n",
      {.environment = {{"SECRET", "s"}}});
  setenv("FOREIGN", "x", 1);
  for (int n = 1; n <= 3; ++n) {
    const Returned returned = call(fmt::format(R"({{"n": {}}})", n), fmt::format("id-{}", n));
    ASSERT_FALSE(returned.failed) << returned.payload;
    EXPECT_EQ(json::parse(returned.payload), (json{{"n", n},
                                                   {"seen", n},
                                                   {"id", fmt::format("id-{}", n)},
                                                   {"name", "f"},
                                                   {"memory", "256"},
                                                   {"left", true},
                                                   {"secret", "s"},
                                                   {"foreign", false}}));
    EXPECT_EQ(returned.log, fmt::format("hello {}\n", n));
    EXPECT_GT(returned.most_memory_kb, 1000);
  }
  std::ifstream log(folder_ + "/logs/f.log");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(log), {}), "hello 1\nhello 2\nhello 3\n");
}

TEST_F(FunctionsTest, a_failure_has_its_type_message_and_frames) {
  python("def handler(event, context):\n    raise ValueError('no ' + event)\n");
  const Returned returned = call(R"("luck")");
  EXPECT_TRUE(returned.failed);
  const json said = json::parse(returned.payload);
  EXPECT_EQ(said["errorType"], "ValueError");
  EXPECT_EQ(said["errorMessage"], "no luck");
  EXPECT_EQ(said["requestId"], "id-1");
  EXPECT_THAT(said["stackTrace"][0].get<std::string>(),
              testing::AllOf(HasSubstr("f.py\", line 2, in handler"),
                             HasSubstr("raise ValueError('no ' + event)")));
  EXPECT_EQ(said["stackTrace"].size(), 1u);
  EXPECT_THAT(returned.log, HasSubstr("ValueError: no luck"));
}

TEST_F(FunctionsTest, one_that_takes_too_long_is_killed_and_the_next_call_has_a_new_process) {
  python(
      "import os, time\n"
      "def handler(event, context):\n"
      "    print('begun', flush=True)\n"
      "    if event == 'slow': time.sleep(3600)\n"
      "    return os.getpid()\n",
      {.timeout_ms = 400});
  const Returned first = call(R"("fast")");
  const Returned slow = call(R"("slow")", "id-2");
  EXPECT_TRUE(slow.failed);
  EXPECT_EQ(json::parse(slow.payload),
            (json{{"errorType", "Sandbox.Timedout"},
                  {"errorMessage", "RequestId: id-2 Error: Task timed out after 0.40 seconds"}}));
  EXPECT_EQ(slow.log, "begun\n");
  const Returned after = call(R"("fast")");
  EXPECT_FALSE(after.failed);
  EXPECT_NE(after.payload, first.payload);
}

TEST_F(FunctionsTest, a_process_that_ends_or_cannot_begin_is_an_answer_too) {
  python("import os\ndef handler(event, context):\n    os._exit(3)\n");
  EXPECT_THAT(call("{}").payload, HasSubstr("Runtime exited with error: exit status 3"));
  python("import os\nos._exit(4)\n");
  EXPECT_THAT(call("{}").payload, HasSubstr("exit status 4"));
  python("import nonsense_that_is_nowhere\n");
  EXPECT_THAT(call("{}").payload,
              HasSubstr("Unable to import module 'f': No module named 'nonsense_that_is_nowhere'"));
  python("def other(event, context): pass\n");
  EXPECT_THAT(call("{}").payload, HasSubstr("Handler 'handler' missing on module 'f'"));
  python("def handler(event, context): return object()\n");
  EXPECT_THAT(call("{}").payload, HasSubstr("Runtime.MarshalError"));
  python("def handler(event, context): return len('x' * (1 << 30))\n");
  EXPECT_THAT(call("{}").payload, HasSubstr("MemoryError"));
  python(
      "import time\n"
      "def handler(event, context):\n"
      "    large = b'x' * (400 << 20)\n"
      "    time.sleep(3600)\n",
      {.timeout_ms = 600'000});
  EXPECT_THAT(call("{}").payload, HasSubstr("Runtime exited with error: signal: killed"));
}

TEST_F(FunctionsTest, as_many_calls_run_at_once_as_there_are_workers) {
  python(
      "import pathlib, time\n"
      "def handler(event, context):\n"
      "    pathlib.Path(event['own']).touch()\n"
      "    while not pathlib.Path(event['other']).exists(): time.sleep(0.005)\n",
      {.timeout_ms = 60'000}, 2);
  auto one = begin(json{{"own", folder_ + "/a"}, {"other", folder_ + "/b"}}.dump());
  auto two = begin(json{{"own", folder_ + "/b"}, {"other", folder_ + "/a"}}.dump());
  EXPECT_FALSE(one.get().failed);
  EXPECT_FALSE(two.get().failed);
}

/// Fails as often as it is told, and notes each call.
class Scripted final : public Function {
 public:
  explicit Scripted(int failures) : Function({.name = "f", .retry_after_ms = 1}), left_(failures) {}
  void call(Call call, Done done) override {
    calls.push_back(call.event);
    if (left_-- > 0) return done(failure("Error", "not now"));
    done({});
  }
  std::vector<std::string> calls;

 private:
  int left_;
};

TEST_F(FunctionsTest, a_queued_call_is_tried_three_times_and_then_a_dead_letter) {
  for (const auto& [failures, calls, lost] : {std::tuple{0, 1u, 0u}, {2, 3u, 0u}, {9, 3u, 1u}}) {
    Scripted function(failures);
    std::vector<LostCall> letters;
    auto queue = EventQueue::open({.file = fmt::format("{}/{}.db", folder_, failures),
                                   .function = [&](const std::string&) { return &function; },
                                   .lost = [&](const LostCall& one) -> Status {
                                     letters.push_back(one);
                                     return {};
                                   }});
    ASSERT_TRUE(queue) << queue.error().what;
    (*queue)->start();
    std::promise<Status> kept;
    (*queue)->put("f", {.request_id = "r", .event = "{}"},
                  [&](Status how) { kept.set_value(how); });
    EXPECT_TRUE(kept.get_future().get());
    while ((*queue)->waiting() > 0) std::this_thread::yield();
    (*queue)->stop();
    EXPECT_EQ(function.calls.size(), calls);
    ASSERT_EQ(letters.size(), lost);
    for (const LostCall& one : letters) EXPECT_THAT(one.why, HasSubstr("not now"));
  }
}

TEST_F(FunctionsTest, a_queued_call_outlives_the_program) {
  Scripted function(0);
  const EventQueueConfig config{.file = folder_ + "/q.db",
                                .function = [&](const std::string&) { return &function; },
                                .lost = [](const LostCall&) -> Status { return {}; }};
  {
    class Never final : public Function {
     public:
      Never() : Function({.name = "f"}) {}
      void call(Call, Done) override {}
    } never;
    EventQueueConfig stuck = config;
    stuck.function = [&](const std::string&) { return &never; };
    auto queue = EventQueue::open(stuck);
    (*queue)->start();
    std::promise<Status> kept;
    (*queue)->put("f", {.request_id = "r", .event = "[1]"},
                  [&](Status how) { kept.set_value(how); });
    EXPECT_TRUE(kept.get_future().get());
  }
  auto queue = EventQueue::open(config);
  EXPECT_EQ((*queue)->waiting(), 1);
  (*queue)->start();
  while ((*queue)->waiting() > 0) std::this_thread::yield();
  (*queue)->stop();
  EXPECT_THAT(function.calls, testing::ElementsAre("[1]"));
}

// AWS's "Signature Version 4 signing process" example: ListUsers of IAM.
TEST(AwsLogin, the_example_of_awss_documentation_is_believed) {
  const InvokeLogin login{.access_key = "AKIDEXAMPLE",
                          .secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};
  net::Request request;
  request.method = "GET";
  request.target = "/?Action=ListUsers&Version=2010-05-08";
  request.headers = {
      {"host", "iam.amazonaws.com"},
      {"content-type", "application/x-www-form-urlencoded; charset=utf-8"},
      {"x-amz-date", "20150830T123600Z"},
      {"authorization",
       "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
       "SignedHeaders=content-type;host;x-amz-date, "
       "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"}};
  constexpr std::int64_t kThen = 1440938160'000;
  const auto why = [&](std::int64_t now) {
    const Status known = check_login(login, request, now);
    return known ? std::string() : known.error().what;
  };
  EXPECT_EQ(why(kThen), "");
  EXPECT_THAT(why(kThen + 16 * 60'000), HasSubstr("Signature expired"));
  request.body = "x";
  EXPECT_THAT(why(kThen), HasSubstr("does not match"));
  request.headers.erase("authorization");
  EXPECT_EQ(why(kThen), "Missing Authentication Token");
}

}  // namespace
}  // namespace tailrace::hooks
