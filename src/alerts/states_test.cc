// The states of alerts on a clock of the test's own: what is told, when, and how often.
#include "alerts/states.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tailrace::alerts {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Ms kMinute = 60'000;

Matcher matcher(std::string_view text) {
  auto parsed = Matcher::parse(text);
  EXPECT_TRUE(parsed) << parsed.error().what;
  return parsed ? *parsed : Matcher{};
}

Seen seen_at(const std::string& hop, const std::string& value = "1", const std::string& run = "") {
  return {.labels = {{"hop", hop}},
          .value = value,
          .summary = "it is " + value,
          .look = "tailrace status",
          .link = "#/",
          .occurrence = run,
          .fields = {},
          .details = {}};
}

class StatesTest : public testing::Test {
 protected:
  StatesTest() {
    settings_.rules.push_back({.name = "r"});
    settings_.rules.push_back({.name = "later", .for_ms = 2 * kMinute});
    settings_.rules.push_back({.name = "noted", .kind = RuleKind::kRunSucceeded});
  }
  RuleSpec& rule(std::size_t i = 0) { return settings_.rules[i]; }

  /// What one step told, as words: `firing 2 0`: kind, how many fire, how many are resolved.
  std::vector<std::string> told(const Step& step) {
    std::vector<std::string> words;
    for (const Message& message : step.messages)
      words.push_back(std::string(name(message.kind)) + " " +
                      std::to_string(message.firing.size()) + " " +
                      std::to_string(message.resolved.size()));
    return words;
  }
  std::vector<std::string> observe(std::vector<Seen> seen, Ms now, std::size_t i = 0) {
    return told(states_.observe(rule(i), std::move(seen), now));
  }

  Settings settings_;
  States states_{settings_};
};

TEST_F(StatesTest, fires_at_once_without_for_and_is_resolved_once) {
  EXPECT_THAT(observe({seen_at("a")}, 1000), ElementsAre("firing 1 0"));
  EXPECT_THAT(observe({seen_at("a", "2")}, 2000), IsEmpty());
  EXPECT_THAT(observe({}, 3000), ElementsAre("resolved 0 1"));
  EXPECT_THAT(observe({}, 4000), IsEmpty());
  EXPECT_THAT(states_.alerts(), IsEmpty());
}

TEST_F(StatesTest, is_pending_for_as_long_as_the_rule_says_without_a_word) {
  EXPECT_THAT(observe({seen_at("a")}, 0, 1), IsEmpty());
  EXPECT_EQ(states_.alerts()[0].state, State::kPending);
  EXPECT_THAT(observe({seen_at("a")}, 2 * kMinute - 1, 1), IsEmpty());
  EXPECT_THAT(observe({}, 2 * kMinute, 1), IsEmpty());  // over: its time begins anew
  EXPECT_THAT(observe({seen_at("a")}, 3 * kMinute, 1), IsEmpty());
  EXPECT_THAT(observe({seen_at("a")}, 5 * kMinute, 1), ElementsAre("firing 1 0"));
  EXPECT_EQ(states_.alerts()[0].since, 3 * kMinute);
}

TEST_F(StatesTest, alerts_of_a_rule_share_a_message_unless_group_by_parts_them) {
  EXPECT_THAT(observe({seen_at("a"), seen_at("b")}, 0), ElementsAre("firing 2 0"));
  EXPECT_THAT(observe({seen_at("b"), seen_at("c")}, 1), ElementsAre("firing 2 1"));
  rule(0).group_by = {"hop"};
  States apart(settings_);
  EXPECT_THAT(told(apart.observe(rule(), {seen_at("a"), seen_at("b")}, 0)),
              ElementsAre("firing 1 0", "firing 1 0"));
}

TEST_F(StatesTest, group_wait_gathers_what_fires_together) {
  rule().group_wait = 5000;
  EXPECT_THAT(observe({seen_at("a")}, 0), IsEmpty());
  EXPECT_THAT(observe({seen_at("a"), seen_at("b")}, 4000), IsEmpty());
  EXPECT_THAT(told(states_.tick(9000)), ElementsAre("firing 2 0"));
}

TEST_F(StatesTest, what_still_fires_is_repeated_after_repeat) {
  rule().repeat = kMinute;
  (void)observe({seen_at("a")}, 0);
  EXPECT_THAT(told(states_.tick(kMinute - 1)), IsEmpty());
  EXPECT_THAT(told(states_.tick(kMinute)), ElementsAre("repeat 1 0"));
  EXPECT_THAT(told(states_.tick(kMinute + 1)), IsEmpty());
}

TEST_F(StatesTest, another_run_that_fails_is_told_though_the_alert_fires_already) {
  EXPECT_THAT(observe({seen_at("dag", "1", "run1")}, 0), ElementsAre("firing 1 0"));
  EXPECT_THAT(observe({seen_at("dag", "1", "run1")}, 1), IsEmpty());
  EXPECT_THAT(observe({seen_at("dag", "1", "run2")}, 2), ElementsAre("firing 1 0"));
  EXPECT_THAT(observe({}, 3), ElementsAre("resolved 0 1"));
}

TEST_F(StatesTest, a_silence_holds_a_message_back_until_it_ends) {
  states_.set_silences({{.id = "1", .matchers = {matcher("hop=~\"a.*\"")}, .ends = 1000}});
  EXPECT_THAT(observe({seen_at("abc"), seen_at("b")}, 0), ElementsAre("firing 1 0"));
  EXPECT_THAT(told(states_.tick(999)), IsEmpty());
  EXPECT_THAT(told(states_.tick(1000)), ElementsAre("firing 2 0"));
}

TEST_F(StatesTest, what_fired_and_ended_within_a_silence_is_never_told) {
  states_.set_silences({{.id = "1", .matchers = {matcher("alertname=r")}, .ends = 1000}});
  EXPECT_THAT(observe({seen_at("a")}, 0), IsEmpty());
  EXPECT_THAT(observe({}, 500), IsEmpty());
  EXPECT_THAT(told(states_.tick(1000)), IsEmpty());
}

TEST_F(StatesTest, the_end_of_what_was_told_is_told_within_a_silence_too) {
  (void)observe({seen_at("a")}, 0);
  states_.set_silences({{.id = "1", .matchers = {matcher("alertname=r")}, .ends = 1000}});
  EXPECT_THAT(observe({}, 500), ElementsAre("resolved 0 1"));
}

TEST_F(StatesTest, a_maintenance_window_mutes_by_its_cron_and_zone) {
  auto cron = calendar::Cron::parse("0 2 * * *");
  auto zone = calendar::Zone::find("Europe/Berlin");
  ASSERT_TRUE(cron && zone);
  settings_.maintenance.push_back({.name = "nightly",
                                   .cron = *cron,
                                   .zone = *zone,
                                   .duration = 60 * kMinute,
                                   .matchers = {matcher("severity=\"warning\"")}});
  const Ms begin = calendar::parse_moment("2026-01-10T01:00:00Z")->instant / 1000;  // 2:00 there
  EXPECT_FALSE(settings_.maintenance[0].holds(begin - 1));
  EXPECT_TRUE(settings_.maintenance[0].holds(begin));
  EXPECT_TRUE(settings_.maintenance[0].holds(begin + 60 * kMinute - 1));
  EXPECT_FALSE(settings_.maintenance[0].holds(begin + 60 * kMinute));
  EXPECT_THAT(observe({seen_at("a")}, begin), IsEmpty());
  EXPECT_EQ(states_.muted_by(states_.alerts()[0].labels, begin), "maintenance: nightly");
  EXPECT_THAT(told(states_.tick(begin + 60 * kMinute)), ElementsAre("firing 1 0"));
}

TEST_F(StatesTest, what_happened_once_is_told_once_and_leaves_no_state) {
  EXPECT_THAT(told(states_.happened(rule(2), seen_at("dag", "1", "run1"), 0)),
              ElementsAre("notice 1 0"));
  EXPECT_THAT(states_.alerts(), IsEmpty());
}

TEST_F(StatesTest, a_rule_has_a_thousand_alerts_at_most) {
  std::vector<Seen> many;
  for (int i = 0; i < 1200; ++i) many.push_back(seen_at(std::to_string(i)));
  const Step step = states_.observe(rule(), many, 0);
  ASSERT_THAT(step.messages, SizeIs(1));
  EXPECT_THAT(step.messages[0].firing, SizeIs(kMostOfRule));
}

TEST_F(StatesTest, a_rule_that_is_gone_takes_its_alerts_with_it) {
  (void)observe({seen_at("a")}, 0);
  Settings fewer;
  States after(fewer);
  after.restore(states_.alerts(), 10);
  EXPECT_THAT(after.tick(11).gone, SizeIs(1));
  EXPECT_THAT(after.alerts(), IsEmpty());
}

/// A crash after each step of a life: what was kept goes on where it was, and each message of the
/// life is told exactly once.
TEST_F(StatesTest, a_crash_after_any_step_neither_loses_nor_doubles_a_message) {
  struct Moment {
    Ms at;
    std::vector<Seen> seen;
  };
  const std::vector<Moment> life = {{0, {seen_at("a")}},
                                    {60'000, {seen_at("a")}},
                                    {2 * kMinute, {seen_at("a")}},
                                    {3 * kMinute, {seen_at("a"), seen_at("b")}},
                                    {5 * kMinute, {seen_at("a"), seen_at("b")}},
                                    {6 * kMinute, {seen_at("b")}},
                                    {7 * kMinute, {}},
                                    {8 * kMinute, {}}};
  const auto live = [&](std::size_t crash_after) {
    std::map<std::string, Alert> kept;
    std::vector<std::string> messages;
    auto states = std::make_unique<States>(settings_);
    const auto keep = [&](const Step& step) {
      for (const auto& [key, alert] : step.changed) kept[key] = alert;
      for (const std::string& key : step.gone) kept.erase(key);
      for (const std::string& word : told(step)) messages.push_back(word);
    };
    for (std::size_t i = 0; i < life.size(); ++i) {
      keep(states->observe(rule(1), life[i].seen, life[i].at));
      if (i != crash_after) continue;
      states = std::make_unique<States>(settings_);
      std::vector<Alert> alerts;
      for (const auto& [key, alert] : kept) alerts.push_back(alert);
      states->restore(alerts, life[i].at + 1);
    }
    EXPECT_THAT(kept, IsEmpty()) << "crash after " << crash_after;
    return messages;
  };
  const auto whole = live(life.size());
  EXPECT_THAT(whole, ElementsAre("firing 1 0", "firing 2 0", "firing 1 1", "resolved 0 1"));
  for (std::size_t i = 0; i < life.size(); ++i) EXPECT_EQ(live(i), whole) << "crash after " << i;
}

TEST_F(StatesTest, after_a_start_an_alert_is_not_resolved_before_it_can_have_been_seen) {
  (void)observe({seen_at("a")}, 0);
  States after(settings_);
  after.restore(states_.alerts(), 100);
  EXPECT_THAT(told(after.observe(rule(), {}, 200)), IsEmpty());
  EXPECT_THAT(told(after.observe(rule(), {}, 100 + kSettle)), ElementsAre("resolved 0 1"));
  States seen_again(settings_);
  seen_again.restore(states_.alerts(), 100);
  EXPECT_THAT(told(seen_again.observe(rule(), {seen_at("a")}, 200)), IsEmpty());
  EXPECT_THAT(told(seen_again.observe(rule(), {}, 300)), ElementsAre("resolved 0 1"));
}

TEST_F(StatesTest, a_run_that_worked_after_a_start_ends_the_alert_at_once) {
  rule().kind = RuleKind::kRunFailed;
  (void)observe({seen_at("dag", "1", "run1")}, 0);
  States after(settings_);
  after.restore(states_.alerts(), 100);
  EXPECT_THAT(told(after.observe(rule(), {}, 200)), ElementsAre("resolved 0 1"));
}

TEST(Message, places_of_a_template_are_filled_in) {
  Alert alert{.rule = "r", .labels = {{"hop", "a"}, {"severity", "critical"}}};
  alert.seen.value = "7";
  alert.seen.fields = {{"rows", "12"}};
  EXPECT_EQ(filled_in("{{ labels.hop }} is {{value}} ({{ rows }}), {{ severity }}: {{ other }} {{",
                      alert),
            "a is 7 (12), critical: {{ other }} {{");
}

TEST(Matcher, is_written_as_in_alertmanager) {
  const Labels labels = {{"hop", "fetched.a"}, {"severity", "info"}};
  EXPECT_TRUE(matcher("hop = fetched.a").fits(labels));
  EXPECT_TRUE(matcher("hop=~\"fetched.*\"").fits(labels));
  EXPECT_FALSE(matcher("hop=~\"fetched\"").fits(labels));  // the whole value
  EXPECT_TRUE(matcher("hop!=\"b\"").fits(labels));
  EXPECT_FALSE(matcher("hop!~\".*a\"").fits(labels));
  EXPECT_TRUE(matcher("team=\"\"").fits(labels));
  EXPECT_EQ(matcher("a=\"x\\\"y\\\\\"").text(), "a=\"x\\\"y\\\\\"");
  for (const char* wrong : {"", "hop", "=x", "hop=~\"(\"", "hop=\"x", "1a=x"})
    EXPECT_FALSE(Matcher::parse(wrong)) << wrong;
}

}  // namespace
}  // namespace tailrace::alerts
