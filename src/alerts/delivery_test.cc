// Messages on their way: what each answer makes of them, and that a crash at any point neither
// loses one silently nor sends one twice.
#include "alerts/delivery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "alerts/channel.h"
#include "net/testing/cutting_server.h"

namespace tailrace::alerts {
namespace {

using testing::HasSubstr;
using enum Attempt::End;

constexpr Ms kNow = 1'000'000'000'000;

Outgoing sending(int attempts = 1) {
  return {.id = 1,
          .channel = "ops",
          .state = "sending",
          .message = {},
          .attempts = attempts,
          .made = kNow};
}

TEST(Settle, each_end_has_its_state) {
  Outgoing one = sending();
  settle(one, {.end = kSent, .said = "ok", .reference = "C:1"}, false, kNow);
  EXPECT_EQ(one.state + " " + one.reference, "sent C:1");
  EXPECT_EQ(one.over, kNow);
  one = sending();
  settle(one, {.end = kRefused, .said = "invalid_blocks"}, true, kNow);
  EXPECT_EQ(one.state, "refused");
  one = sending();
  settle(one, {.end = kUnknown}, false, kNow);
  EXPECT_EQ(one.state, "unknown");
  one = sending();
  settle(one, {.end = kUnknown}, true, kNow);
  EXPECT_EQ(one.state, "waiting");
}

TEST(Settle, what_did_not_arrive_is_tried_later_and_later_or_when_it_is_asked_to) {
  for (const auto& [attempts, pause] :
       std::map<int, Ms>{{1, 1000}, {2, 2000}, {4, 8000}, {30, 300'000}}) {
    Outgoing one = sending(attempts);
    settle(one, {.end = kAgain}, false, kNow);
    EXPECT_EQ(one.state, "waiting");
    EXPECT_EQ(one.next, kNow + pause) << attempts;
  }
  Outgoing one = sending();
  settle(one, {.end = kAgain, .wait = 30'000}, false, kNow);
  EXPECT_EQ(one.next, kNow + 30'000);
  one = sending();
  settle(one, {.end = kAgain, .said = "no"}, false, kNow + kGiveUp + 1);
  EXPECT_EQ(one.state, "refused");
  EXPECT_THAT(one.said, HasSubstr("given up"));
}

TEST(TakeUp, what_was_left_sending_is_sent_again_only_where_that_does_no_harm) {
  Outgoing one = sending();
  EXPECT_FALSE(take_up(one, false, kNow));
  EXPECT_EQ(one.state, "unknown");
  EXPECT_EQ(one.over, kNow);
  one = sending();
  EXPECT_TRUE(take_up(one, true, kNow));
  EXPECT_EQ(one.state, "waiting");
}

TEST(Send, a_message_whose_connection_is_cut_before_the_answer_is_not_sent_twice) {
  for (const auto& [type, token] : {std::pair{ChannelType::kSlack, ""},
                                    {ChannelType::kSlack, "xoxb-1"},
                                    {ChannelType::kWebhook, ""}}) {
    net::CuttingServer server({2});
    const auto channel = Channel::make({.type = type, .url = server.url(), .token = token}, {});
    Message message{.kind = MessageKind::kTest};
    message.firing.push_back({.rule = "r"});
    channel->send(message, {.id = 1}, {});
    EXPECT_EQ(channel->send(message, {.id = 2}, {}).end, kUnknown);
    EXPECT_EQ(server.requests(), 2);
  }
}

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    std::string pattern = testing::TempDir() + "alertsXXXXXX";
    folder_ = mkdtemp(pattern.data());
    open();
  }
  ~StoreTest() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  void open() {
    store_.reset();
    auto store = Store::open(folder_ + "/alerts.db");
    ASSERT_TRUE(store) << store.error().what;
    store_ = std::move(*store);
  }

  std::string folder_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreTest, a_state_and_its_messages_are_kept_together_and_read_back_as_they_were) {
  Settings settings;
  settings.rules.push_back({.name = "r", .channels = {"ops", "mail"}});
  States states(settings);
  Seen seen{.labels = {{"hop", "ä\"\\"}}, .value = "7", .summary = "s", .look = "l", .link = "#/"};
  seen.fields = {{"a", "b"}};
  const Step step = states.observe(settings.rules[0], {seen}, kNow);
  ASSERT_TRUE(store_->keep(step, {{"rule/r", "{}"}}, kNow));
  open();
  const auto alerts = store_->alerts();
  ASSERT_TRUE(alerts);
  ASSERT_EQ(alerts->size(), 1U);
  EXPECT_EQ((*alerts)[0].key(), states.alerts()[0].key());
  EXPECT_TRUE((*alerts)[0].told);
  EXPECT_EQ(**store_->note("rule/r"), "{}");
  for (const char* channel : {"ops", "mail"}) {
    auto next = store_->next(channel);
    ASSERT_TRUE(next && *next);
    EXPECT_EQ((*next)->message.firing[0].seen.fields, seen.fields);
    (*next)->state = "sent";
    (*next)->over = kNow;
    (*next)->reference = "C:1";
    ASSERT_TRUE(store_->set(**next));
    EXPECT_FALSE(*store_->next(channel));
    EXPECT_EQ(**store_->reference(channel, (*next)->message.group), "C:1");
  }
  EXPECT_EQ(store_->history("r", 10)->size(), 2U);  // pending, firing
  EXPECT_EQ(store_->history("other", 10)->size(), 0U);
  EXPECT_EQ(store_->messages(10)->size(), 2U);
}

TEST_F(StoreTest, silences_are_kept_until_they_end) {
  const Silence silence{.id = "1",
                        .matchers = {{"hop", Matcher::Op::kMatch, "a.*"}},
                        .ends = kNow + 10,
                        .comment = "c"};
  ASSERT_TRUE(store_->add_silence(silence));
  open();
  EXPECT_THAT(*store_->silences(kNow), testing::ElementsAre(silence));
  EXPECT_THAT(*store_->silences(kNow + 10), testing::IsEmpty());
  ASSERT_TRUE(store_->add_silence(silence));
  EXPECT_TRUE(*store_->end_silence("1"));
  EXPECT_FALSE(*store_->end_silence("1"));
}

/// A channel whose program goes at a certain point of sending a message, and comes again.
TEST_F(StoreTest, a_crash_at_each_point_of_a_send_neither_doubles_nor_forgets_it) {
  enum class Crash { kBefore, kWhileSending, kAfterArrival, kAfterwards };
  for (const bool twice : {false, true})
    for (const Crash crash :
         {Crash::kBefore, Crash::kWhileSending, Crash::kAfterArrival, Crash::kAfterwards}) {
      Step step;
      step.messages.push_back({.rule = "r", .group = "g", .channels = {"ops"}});
      ASSERT_TRUE(store_->keep(step, {}, kNow));
      int arrived = 0;
      Outgoing one = **store_->next("ops");
      if (crash != Crash::kBefore) {
        one.state = "sending";
        ASSERT_TRUE(store_->set(one));
        arrived += crash != Crash::kWhileSending;
        if (crash == Crash::kAfterwards) {
          settle(one, {.end = kSent}, twice, kNow);
          ASSERT_TRUE(store_->set(one));
        }
      }
      open();
      std::string last = "sent";
      while (const auto next = *store_->next("ops")) {
        Outgoing again = *next;
        if (take_up(again, twice, kNow)) {
          ++arrived;
          settle(again, {.end = kSent}, twice, kNow);
        }
        last = again.state;
        ASSERT_TRUE(store_->set(again));
      }
      if (twice) {
        EXPECT_GE(arrived, 1);
      } else {
        EXPECT_LE(arrived, 1);
        EXPECT_TRUE(arrived == 1 || last == "unknown");
      }
    }
}

}  // namespace
}  // namespace tailrace::alerts
