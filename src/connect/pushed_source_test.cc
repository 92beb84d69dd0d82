// What is delivered is appended once, and its sender is told when it is durable.
#include "connect/pushed_source.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "connect/noted_state.h"
#include "connect/runner.h"
#include "connect/spool.h"

namespace tailrace::connect {
namespace {

class PushedSourceTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "pushed_XXXXXX";
    folder_ = mkdtemp(name.data());
    start();
  }
  void TearDown() override {
    runner_.reset();
    log_.reset();
    std::filesystem::remove_all(folder_);
  }

  /// As a process does that begins on the folder; what the one before had in memory is gone.
  void start(InboxLimits limits = {}) {
    runner_.reset();
    log_.reset();
    auto log = log::Log::open(folder_ + "/log", {});
    ASSERT_TRUE(log) << log.error().what;
    log_ = std::move(*log);
    log::TopicSettings settings;
    settings.partitions = 2;
    ASSERT_TRUE(log_->ensure_topic("events", settings));
    inbox_ = std::make_shared<Inbox>(limits);
    PushedConfig config{.name = "hook", .describe = "a hook", .ids_folder = folder_ + "/ingest"};
    auto runner =
        SourceRunner::open({.name = "hook", .topic = "events", .folder = folder_ + "/ingest"},
                           pushed_source(config, inbox_, nullptr, clock_), *log_);
    ASSERT_TRUE(runner) << runner.error().what;
    runner_ = std::move(*runner);
    step();
  }

  void step() {
    const auto stepped = runner_->step();
    ASSERT_TRUE(stepped) << stepped.error().what;
  }

  Status deliver(const std::string& value, const std::string& id = "") {
    Delivery delivery;
    delivery.items.push_back({.key = "k", .value = value, .timestamp_ms = -1});
    delivery.id = id;
    delivery.done = [this](const Status& how) { news_.push_back(how ? "ok" : how.error().what); };
    return inbox_->offer(std::move(delivery));
  }

  std::string take_state() {
    std::ifstream file(folder_ + "/ingest/hook.json");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void put_state(const std::string& text) { std::ofstream(folder_ + "/ingest/hook.json") << text; }

  std::int64_t appended() {
    std::int64_t sum = 0;
    for (int i = 0; i < 2; ++i)
      sum += (*log_->partition("events", PartitionId(i)))->next_offset().value;
    return sum;
  }

  std::string folder_;
  rt::ManualClock clock_{TimestampMs(1'000'000)};
  std::unique_ptr<log::Log> log_;
  std::shared_ptr<Inbox> inbox_;
  std::unique_ptr<SourceRunner> runner_;
  std::vector<std::string> news_;
};

TEST_F(PushedSourceTest, a_sender_hears_when_its_records_are_appended) {
  ASSERT_TRUE(deliver("a"));
  ASSERT_TRUE(deliver("b"));
  EXPECT_TRUE(news_.empty());
  step();
  EXPECT_EQ(news_, (std::vector<std::string>{"ok", "ok"}));
  EXPECT_EQ(appended(), 2);
  EXPECT_EQ(inbox_->bytes(), 0U);
}

TEST_F(PushedSourceTest, an_id_is_taken_once_also_after_a_restart) {
  ASSERT_TRUE(deliver("a", "one"));
  ASSERT_TRUE(deliver("a", "one"));
  step();
  ASSERT_TRUE(deliver("a", "one"));
  step();
  start();
  ASSERT_TRUE(deliver("a", "one"));
  ASSERT_TRUE(deliver("b", "two"));
  step();
  EXPECT_EQ(news_, (std::vector<std::string>{"ok", "ok", "it was delivered before",
                                             "it was delivered before", "ok"}));
  EXPECT_EQ(appended(), 2);
}

TEST_F(PushedSourceTest, an_id_is_forgotten_after_its_time) {
  ASSERT_TRUE(deliver("a", "one"));
  step();
  clock_.advance(std::chrono::hours(25));
  ASSERT_TRUE(deliver("a", "one"));
  step();
  EXPECT_EQ(appended(), 2);
}

TEST_F(PushedSourceTest, a_full_inbox_refuses_and_has_room_again) {
  start({.bytes = 800, .deliveries = 100});
  ASSERT_TRUE(deliver(std::string(100, 'a')));
  ASSERT_TRUE(deliver(std::string(100, 'b')));
  const auto refused = deliver(std::string(100, 'c'));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kResourceExhausted);
  step();
  EXPECT_TRUE(deliver(std::string(100, 'c')));
}

TEST_F(PushedSourceTest, what_waits_when_the_source_ends_is_refused) {
  ASSERT_TRUE(deliver("a"));
  runner_.reset();
  EXPECT_EQ(news_, std::vector<std::string>{"the source stops"});
  const auto late = deliver("b");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::kUnavailable);
  EXPECT_EQ(appended(), 0);
}

TEST_F(PushedSourceTest, a_closed_inbox_is_emptied_before_the_source_is_finished) {
  ASSERT_TRUE(deliver("a"));
  inbox_->close();
  step();
  EXPECT_FALSE(runner_->status().idle);
  step();
  EXPECT_TRUE(runner_->status().idle);
  EXPECT_EQ(appended(), 1);
}

// What a kill between append and note leaves: the state before, the log after.
TEST_F(PushedSourceTest, what_was_appended_and_not_noted_hides_nothing_that_follows) {
  ASSERT_TRUE(deliver("a"));
  step();
  const auto noted = take_state();
  ASSERT_TRUE(deliver("b"));
  step();
  put_state(noted);
  start();
  ASSERT_TRUE(deliver("c", "three"));
  step();
  EXPECT_EQ(appended(), 3);
}

// The same of a chunk with ids, which is spooled: it is appended again and dropped by the log.
TEST_F(PushedSourceTest, a_delivery_with_an_id_survives_a_crash_between_append_and_note_once) {
  ASSERT_TRUE(deliver("a"));
  step();
  const auto before = take_state();
  ASSERT_TRUE(deliver("b", "two"));
  step();
  const auto state_before = *decode_state(before);
  Chunk chunk;
  chunk.add("k", "b", 1);
  chunk.place = "hook";
  chunk.position = decode_state(take_state())->position;
  put_state(before);
  std::ofstream(folder_ + "/ingest/hook.spool")
      << encode_spool({state_before.records, state_before.position}, chunk);
  std::filesystem::remove(folder_ + "/ingest/hook.ids");
  start();
  step();
  ASSERT_TRUE(deliver("b", "two"));
  step();
  EXPECT_EQ(news_.back(), "it was delivered before");
  EXPECT_EQ(appended(), 2);
}

}  // namespace
}  // namespace tailrace::connect
