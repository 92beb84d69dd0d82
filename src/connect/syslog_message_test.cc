// The examples of RFC 5424 §6.5 and RFC 3164 §5.4, and what senders make of them.
#include "connect/syslog_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tailrace::connect {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr std::int64_t kNow = 1'790'000'000'000;  // 2026-09-21T14:13:20Z

json parsed(std::string_view message, const calendar::Zone& zone = calendar::Zone::utc(),
            std::int64_t now_ms = kNow) {
  const auto text = parse_syslog(message, now_ms, zone);
  return text ? json::parse(*text + "}") : json(text.error().what);
}

TEST(Syslog, reads_the_examples_of_rfc_5424) {
  EXPECT_EQ(parsed("<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - "
                   "\xEF\xBB\xBF'su root' failed for lonvick on /dev/pts/8"),
            (json{{"facility", 4},
                  {"facility_name", "auth"},
                  {"severity", 2},
                  {"severity_name", "crit"},
                  {"timestamp", "2003-10-11T22:14:15.003Z"},
                  {"host", "mymachine.example.com"},
                  {"app", "su"},
                  {"procid", nullptr},
                  {"msgid", "ID47"},
                  {"structured_data", json::object()},
                  {"message", "'su root' failed for lonvick on /dev/pts/8"}}));
  const json second = parsed(
      "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make "
      "the do-nuts.");
  EXPECT_EQ(second["facility_name"], "local4");
  EXPECT_EQ(second["severity_name"], "notice");
  EXPECT_EQ(second["timestamp"], "2003-08-24T05:14:15.000003-07:00");
  EXPECT_EQ(second["procid"], "8710");
  EXPECT_EQ(second["message"], "%% It's time to make the do-nuts.");
  const json third = parsed(
      "<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 "
      "iut=\"3\" eventSource=\"Application\" eventID=\"1011\"] \xEF\xBB\xBF"
      "An application event log "
      "entry...");
  EXPECT_EQ(third["structured_data"],
            (json{{"exampleSDID@32473",
                   {{"iut", "3"}, {"eventSource", "Application"}, {"eventID", "1011"}}}}));
  EXPECT_EQ(third["message"], "An application event log entry...");
  const json fourth = parsed(
      "<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 "
      "iut=\"3\" eventSource=\"Application\" eventID=\"1011\"][examplePriority@32473 "
      "class=\"high\"]");
  EXPECT_EQ(fourth["structured_data"]["examplePriority@32473"]["class"], "high");
  EXPECT_EQ(fourth["message"], "");
}

// RFC 5424 §6.3.3 and §7.2.
TEST(Syslog, unescapes_structured_data_and_keeps_repeated_names) {
  const json message = parsed(
      "<0>1 - - - - - [origin ip=\"192.0.2.1\" ip=\"192.0.2.129\" x=\"a\\\"b\\]c\\\\d\\n\"][e] m");
  EXPECT_EQ(message["structured_data"]["origin"]["ip"], (json{"192.0.2.1", "192.0.2.129"}));
  EXPECT_EQ(message["structured_data"]["origin"]["x"], "a\"b]c\\d\\n");
  EXPECT_EQ(message["structured_data"]["e"], json::object());
  EXPECT_TRUE(message["timestamp"].is_null());
  EXPECT_TRUE(message["host"].is_null());
}

TEST(Syslog, reads_the_examples_of_rfc_3164) {
  const json first =
      parsed("<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8");
  EXPECT_EQ(first["timestamp"], "2026-10-11T22:14:15+00:00");
  EXPECT_EQ(first["host"], "mymachine");
  EXPECT_EQ(first["app"], "su");
  EXPECT_EQ(first["message"], "'su root' failed for lonvick on /dev/pts/8");
  // "Use the BFG!": no timestamp, so all of it is the message.
  const json second = parsed("<13>Use the BFG!");
  EXPECT_EQ(second["message"], "Use the BFG!");
  EXPECT_TRUE(second["host"].is_null());
  const json third = parsed(
      "<165>Aug 24 05:34:00 CST 1987 mymachine myproc[10]: %% It's time to make the do-nuts.  %%");
  EXPECT_EQ(third["timestamp"], "2026-08-24T05:34:00+00:00");
  const json fourth = parsed(
      "<0>1990 Oct 22 10:52:01 TZ-6 scapegoat.dmz.example.org 10.1.2.3 "
      "sched[0]: That's All Folks!");
  EXPECT_EQ(fourth["severity_name"], "emerg");
  EXPECT_EQ(
      fourth["message"],
      "1990 Oct 22 10:52:01 TZ-6 scapegoat.dmz.example.org 10.1.2.3 sched[0]: That's All Folks!");
}

TEST(Syslog, takes_what_senders_write_in_the_old_form) {
  const json rsyslog =
      parsed("<13>2026-11-22T17:40:00.123456+01:00 web1 nginx[77]: GET / \xE2\x82\xAC \xFF");
  EXPECT_EQ(rsyslog["timestamp"], "2026-11-22T17:40:00.123456+01:00");
  EXPECT_EQ(rsyslog["host"], "web1");
  EXPECT_EQ(rsyslog["app"], "nginx");
  EXPECT_EQ(rsyslog["procid"], "77");
  EXPECT_EQ(rsyslog["message"], "GET / \xE2\x82\xAC \xEF\xBF\xBD");
  const json local = parsed("<30>Nov  2 07:04:09 cron[12]: (root) CMD");
  EXPECT_EQ(local["timestamp"], "2026-11-02T07:04:09+00:00");
  EXPECT_TRUE(local["host"].is_null());
  EXPECT_EQ(local["app"], "cron");
  const json python = parsed(std::string_view("<11>service: it broke\0", 22));
  EXPECT_EQ(python["app"], "service");
  EXPECT_EQ(python["message"], "it broke");
}

TEST(Syslog, a_time_without_a_year_is_the_nearest_in_its_zone) {
  const auto berlin = calendar::Zone::fixed(3600);
  constexpr std::int64_t kNewYear = 1'798'761'600'000;  // 2027-01-01T00:00:00Z
  EXPECT_EQ(parsed("<1>Dec 31 23:59:59 h a: m", berlin, kNewYear)["timestamp"],
            "2026-12-31T23:59:59+01:00");
  EXPECT_EQ(parsed("<1>Jan  1 00:10:00 h a: m", berlin, kNewYear - 3'600'000)["timestamp"],
            "2027-01-01T00:10:00+01:00");
  EXPECT_EQ(parsed("<1>Feb 29 00:10:00 h a: m", berlin)["message"], "Feb 29 00:10:00 h a: m");
}

TEST(Syslog, says_what_is_wrong_with_a_malformed_message) {
  EXPECT_THAT(parsed("hello").get<std::string>(), HasSubstr("does not begin with <PRIORITY>"));
  EXPECT_THAT(parsed("").get<std::string>(), HasSubstr("does not begin with <PRIORITY>"));
  EXPECT_THAT(parsed("<192>1 - - - - - -").get<std::string>(), HasSubstr("<192> is no priority"));
  EXPECT_THAT(parsed("<-1>x").get<std::string>(), HasSubstr("no priority"));
  EXPECT_THAT(parsed("<1>1 yesterday h a p m - x").get<std::string>(), HasSubstr("no timestamp"));
  EXPECT_THAT(parsed("<1>1 2026-13-01T00:00:00Z h a p m - x").get<std::string>(),
              HasSubstr("no timestamp"));
  EXPECT_THAT(parsed("<1>1 - h a").get<std::string>(), HasSubstr("ends behind its app name"));
  EXPECT_THAT(parsed("<1>1 - h a p m [x y=\"z").get<std::string>(), HasSubstr("does not end"));
  EXPECT_THAT(parsed("<1>1 - h a p m [x y] m").get<std::string>(), HasSubstr("has no value"));
  EXPECT_THAT(parsed("<1>1 - h a p m x").get<std::string>(), HasSubstr("neither - nor"));
}

}  // namespace
}  // namespace tailrace::connect
