// What tailrace.yml says under `alerts`: channels, rules, silences, maintenance windows.
//
//   alerts:
//     page: https://tailrace.example.com            where links lead; the page's own address if not
//     said channels:                                     by name; one of these in each
//       ops:    {slack: {webhook: ${SLACK_WEBHOOK}}}          or {token: …, channel: C0123}
//       mail:   {email: {smtp: smtp://HOST:587, user: …, password: …, from: …, to: […]}}
//       hook:   {webhook: {url: …, headers: {…}}}
//       duty:   {pagerduty: {routing_key: …}}
//       router: {alertmanager: {url: http://HOST:9093}}
//     rules:                                        a list; one of these in each
//       - {hop: NAME, empty_for: 10m}   {hop: NAME, error: true}   {hop: NAME, lag: 30s}
//       - {expectation: TABLE.NAME, failure_rate: 0.05, over: 5m}
//       - {contract: TABLE.RULE}                  a contract's rule over all rows does not hold
//       - {query: SELECT … HAVING …, every: 1m}     each row is an alert
//       - {workflow: DAG, failed: true}   {… late: 10m}   {… succeeded: true}
//       - {anomaly: rate of HOP, season: day}       or: value of SELECT …
//     silences:    [{matchers: [alertname="x"], ends: 2026-12-01T00:00:00Z, comment: …}]
//     maintenance: [{name: nightly, cron: "0 2 * * *", duration: 1h, timezone: Europe/Berlin}]
//
// docs/project.md describes every key. An unknown key is an error with its place and the nearest
// one. A channel whose address names a variable of the environment that is not set is off, and
// says so; all else that names such a variable is an error.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "calendar/cron.h"
#include "net/mail.h"

namespace tailrace::alerts {

using Labels = std::map<std::string, std::string>;
/// Milliseconds, of a moment since 1970-01-01 UTC.
using Ms = std::int64_t;

/// `alertname="x"`, `hop=~"fetched\..*"`, `!=`, `!~`, as Alertmanager writes them. A label that is
/// not there is empty; a regular expression is of the whole value.
struct Matcher {
  enum class Op { kEqual, kNotEqual, kMatch, kNotMatch };
  std::string label = {};
  Op op = Op::kEqual;
  std::string value = {};

  static Result<Matcher> parse(std::string_view text);
  bool fits(const Labels& labels) const;
  std::string text() const;
  bool operator==(const Matcher&) const = default;
};

/// Whether every matcher fits; none fits everything.
bool fits(const std::vector<Matcher>& matchers, const Labels& labels);

/// Nothing is told of alerts that fit until it ends.
struct Silence {
  std::string id = {};
  std::vector<Matcher> matchers = {};
  Ms ends = 0;
  std::string comment = {};
  bool operator==(const Silence&) const = default;
};

/// Nothing is told of alerts that fit from each time of the cron on, for so long.
struct Maintenance {
  std::string name = {};
  calendar::Cron cron = {};
  calendar::Zone zone = {};
  Ms duration = 0;
  std::vector<Matcher> matchers = {};

  bool holds(Ms now) const;
};

enum class ChannelType { kSlack, kEmail, kWebhook, kPagerDuty, kAlertmanager };
std::string_view name(ChannelType type);  ///< `slack` …

struct ChannelSpec {
  std::string name = {};
  ChannelType type = ChannelType::kWebhook;
  std::string url = {};                  ///< all but e-mail; of Slack with a token: its API
  std::string token = {}, channel = {};  ///< Slack's bot token and the conversation's id
  std::string routing_key = {};          ///< PagerDuty's
  std::vector<std::pair<std::string, std::string>> headers = {};
  net::SmtpServer smtp = {};
  std::string from = {};
  std::vector<std::string> to = {};
  /// Send again what may have arrived already: after a crash, or an answer that did not come.
  bool at_least_once = false;
  std::string off = {};                   ///< why it is not used; empty: it is
  std::vector<std::string> secrets = {};  ///< never in a text
  std::string place = {};
};

enum class RuleKind {
  kEmpty,
  kError,
  kLag,
  kExpectation,
  kQuery,
  kRunFailed,
  kRunLate,
  kRunSucceeded,
  kRate,   ///< anomaly: rate of a hop
  kValue,  ///< anomaly: value of a query
  kContract,
};
enum class Season { kNone, kDay, kWeek };
std::string_view name(Season season);

struct RuleSpec {
  std::string name = {};
  RuleKind kind = RuleKind::kError;
  std::string subject = {};   ///< a hop (`*` for any text), TABLE.EXPECTATION or .RULE, SQL, a
                              ///< DAG's id
  double limit = 0;           ///< kExpectation: a share; anomalies: deviations
  Ms window = 0;              ///< kEmpty: for so long; kLag, kRunLate: longer; kExpectation: over
  Ms every = 60'000;          ///< of queries and anomalies
  std::int64_t at_least = 1;  ///< kExpectation: rows in the window before there is a rate
  Season season = Season::kDay;
  calendar::Zone zone = {};  ///< of the season's days and hours
  Ms for_ms = 0;
  Ms repeat = 4 * 3'600'000LL;
  Ms group_wait = 0;
  std::string severity = "warning";
  std::vector<std::string> channels = {};  ///< by name
  std::vector<std::string> group_by = {};  ///< labels; `...`: each alert by itself
  std::vector<std::string> labels_of_rows =
      {};  ///< kQuery: columns; empty: those that are no numbers
  Labels labels = {};
  std::string message = {}, link = {}, runbook = {};
  std::string place = {};
};
/// Whether it tells of what happened once, and has no states.
bool is_notice(RuleKind kind);

struct Settings {
  std::string page = {};
  std::vector<ChannelSpec> channels = {};
  std::vector<RuleSpec> rules = {};
  std::vector<Silence> silences = {};
  std::vector<Maintenance> maintenance = {};

  const RuleSpec* rule(std::string_view name) const;
  const ChannelSpec* channel(std::string_view name) const;
};

/// Of FOLDER/tailrace.yml; empty where it has no `alerts`.
Result<Settings> load_settings(const std::string& folder);

/// `10m` of 600'000: the longest unit that says it in a whole number.
std::string duration_text(Ms ms);

}  // namespace tailrace::alerts
