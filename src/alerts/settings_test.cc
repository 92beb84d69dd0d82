// `alerts` of tailrace.yml: what is read, and the message for each fault.
#include "alerts/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace tailrace::alerts {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SettingsTest : public testing::Test {
 protected:
  SettingsTest() {
    std::string pattern = testing::TempDir() + "alertsXXXXXX";
    folder_ = mkdtemp(pattern.data());
    setenv("ALERTS_TEST_HOOK", "http://h/services/T/B/sesame", 1);
    unsetenv("ALERTS_TEST_UNSET");
  }
  ~SettingsTest() override { std::filesystem::remove_all(folder_); }

  Result<Settings> read(const std::string& alerts) {
    std::ofstream(folder_ + "/tailrace.yml") << "alerts:\n" << alerts;
    return load_settings(folder_);
  }
  std::string fault(const std::string& alerts) {
    const auto settings = read(alerts);
    return settings ? "" : settings.error().what;
  }

  std::string folder_;
};

TEST_F(SettingsTest, reads_channels_rules_silences_and_maintenance) {
  const auto settings = read(R"(  page: https://t.example.com/
  channels:
    ops: {slack: {webhook: '${ALERTS_TEST_HOOK}'}}
    bot: {slack: {token: xoxb-1, channel: C1}, delivery: at_least_once}
    v6: {email: {smtp: 'smtp+plain://[::1]:2525', from: a@b.c, to: [d@e.f]}}
    mail: {email: {smtp: 'smtp://h', user: u, password: p, from: a@b.c, to: [d@e.f]}}
    duty: {pagerduty: {routing_key: R}}
    router: {alertmanager: {url: 'http://h:9093/'}}
  rules:
    - {hop: 'fetched.*', empty_for: 10m, for: 1m, channels: [ops, duty], severity: critical}
    - {expectation: t.small, failure_rate: 0.05, over: 1h, group_by: [table]}
    - {name: q, query: 'SELECT 1', every: 5s, labels: {team: data}}
    - {workflow: d, late: 10m}
    - {anomaly: rate of served.users, season: week, deviations: 3, timezone: Europe/Berlin}
  silences: [{matchers: ['alertname="q"'], ends: '2026-12-01T00:00:00Z', comment: why}]
  maintenance: [{name: n, cron: '0 2 * * *', duration: 1h, timezone: Europe/Berlin}]
)");
  ASSERT_TRUE(settings) << settings.error().what;
  EXPECT_EQ(settings->page, "https://t.example.com");
  EXPECT_THAT(settings->channel("ops")->secrets, ElementsAre("services/T/B/sesame"));
  EXPECT_TRUE(settings->channel("bot")->at_least_once);
  EXPECT_EQ(settings->channel("mail")->smtp.port, 587);
  EXPECT_EQ(settings->channel("v6")->smtp.host, "::1");
  EXPECT_EQ(settings->channel("v6")->smtp.port, 2525);
  EXPECT_EQ(settings->channel("router")->url, "http://h:9093");
  const RuleSpec& empty = settings->rules[0];
  EXPECT_EQ(empty.kind, RuleKind::kEmpty);
  EXPECT_EQ(empty.name, "fetched.* is empty");
  EXPECT_EQ(empty.window, 600'000);
  EXPECT_EQ(empty.for_ms, 60'000);
  EXPECT_THAT(empty.channels, ElementsAre("ops", "duty"));
  EXPECT_EQ(settings->rules[1].channels.size(), 6U);
  EXPECT_EQ(settings->rules[2].labels.at("team"), "data");
  EXPECT_EQ(settings->rules[3].kind, RuleKind::kRunLate);
  EXPECT_EQ(settings->rules[4].subject, "served.users");
  EXPECT_EQ(settings->rules[4].season, Season::kWeek);
  EXPECT_EQ(settings->rules[4].zone.name(), "Europe/Berlin");
  EXPECT_EQ(settings->silences[0].ends, 1'796'083'200'000);
  EXPECT_EQ(settings->maintenance[0].duration, 3'600'000);
}

TEST_F(SettingsTest, a_wrong_setting_is_named_with_its_place_and_the_nearest_word) {
  for (const auto& [text, what] : std::map<std::string, std::string>{
           {"  chanels: {}", "tailrace.yml:2:3: unknown key `chanels`; did you mean `channels`?"},
           {"  channels: {a: {slak: {}}}", "did you mean `slack`?"},
           {"  channels: {a: {slack: {}}}", "a `webhook`, or a `token`"},
           {"  channels: {a: {slack: {webhook: 'http://h/x', channel: C}}}", "goes with a `token`"},
           {"  channels: {a: {webhook: {url: 'ftp://h'}}}", "`url` is an http or https URL"},
           {"  channels: {a: {email: {smtp: h, from: a, to: b}}}", "`smtp` is smtp://HOST:587"},
           {"  channels: {a: {email: {smtp: 'smtp://::1:25', from: a, to: b}}}",
            "`smtp` is smtp://HOST:587"},
           {"  channels: {a: {email: {smtp: 'smtp://h:0', from: a, to: b}}}",
            "`smtp` is smtp://HOST:587"},
           {"  channels: {a: {email: {smtp: 'smtp+plain://h', user: u, password: p, from: a, to: "
            "b}}}",
            "a password goes by TLS only"},
           {"  rules: [{hop: a}]", "when? Say one of: empty_for, error, lag"},
           {"  rules: [{hop: a, error: true, lag: 1s}]", "make two of it"},
           {"  rules: [{hop: a, eror: true}]", "did you mean `error`?"},
           {"  rules: [{hop: a, lag: 30}]", "write it like 500ms, 5s, 10m, 4h, 7d"},
           {"  rules: [{hop: a, error: true}, {hop: a, error: true}]",
            "is named `a has an error`, too"},
           {"  rules: [{expectation: t.x, failure_rate: 5}]", "over 0, at most 1"},
           {"  rules: [{expectation: x, failure_rate: 0.5}]", "named TABLE.NAME"},
           {"  rules: [{workflow: d, succeeded: true, for: 1m}]", "has no `for`"},
           {"  rules: [{anomaly: served.x}]", "`rate of HOP` or `value of SELECT"},
           {"  channels: {ops: {webhook: {url: 'http://h'}}}\n"
            "  rules: [{hop: a, error: true, channels: [opps]}]",
            "tailrace.yml:3:43: there is no channel `opps`; did you mean `ops`?"},
           {"  rules: [{hop: a, error: true, link: there}]", "`link` is an http or https URL"},
           {"  silences: [{matchers: [], ends: 2026-01-01}]", "it would hide all"},
           {"  silences: [{matchers: ['x'], ends: 2026-01-01}]", "is no matcher"},
           {"  maintenance: [{cron: '61 * * * *', duration: 1h}]", "tailrace.yml:2:24"}}) {
    EXPECT_THAT(fault(text + "\n"), HasSubstr(what)) << text;
  }
}

TEST_F(SettingsTest, a_channel_whose_variable_is_not_set_is_off) {
  const auto settings = read("  channels: {ops: {slack: {webhook: '${ALERTS_TEST_UNSET}'}}}\n");
  ASSERT_TRUE(settings) << settings.error().what;
  EXPECT_EQ(settings->channel("ops")->off, "ALERTS_TEST_UNSET is not set in the environment");
  EXPECT_THAT(fault("  rules: [{hop: '${ALERTS_TEST_UNSET}', error: true}]\n"),
              HasSubstr("ALERTS_TEST_UNSET"));
}

TEST_F(SettingsTest, a_project_without_alerts_has_none) {
  EXPECT_TRUE(load_settings(folder_)->rules.empty());
  std::ofstream(folder_ + "/tailrace.yml") << "topics: {}\n";
  EXPECT_TRUE(load_settings(folder_)->channels.empty());
}

TEST(Duration, is_told_in_the_longest_units_that_fit) {
  EXPECT_EQ(duration_text(600'000), "10m");
  EXPECT_EQ(duration_text(61'500), "1m 1s");
  EXPECT_EQ(duration_text(250), "250ms");
  EXPECT_EQ(duration_text(90'061'000), "25h 1m");
}

}  // namespace
}  // namespace tailrace::alerts
