#include "alerts/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "alerts/matcher_text.h"
#include "base/check.h"
#include "net/address.h"
#include "yaml/file.h"

namespace tailrace::alerts {
namespace {

using Keys = std::vector<std::string_view>;

Result<Ms> duration(const yaml::File& file, const YAML::Node& node, std::string_view key) {
  ASSIGN(const std::string text, file.text(node, key));
  if (const auto ms = parse_duration(text)) return *ms;
  return file.fail(
      node,
      fmt::format("`{}: {}` is not understood; write it like 500ms, 5s, 10m, 4h, 7d", key, text));
}

Status read_zone(const yaml::File& file, const YAML::Node& node, calendar::Zone& zone) {
  if (!node["timezone"]) return {};
  ASSIGN(const std::string name, file.text(node["timezone"], "timezone"));
  const auto found = calendar::Zone::find(name);
  if (!found) return file.fail(node["timezone"], found.error().what);
  zone = *found;
  return {};
}

Status read_duration(const yaml::File& file, const YAML::Node& mapping, const char* key, Ms& to) {
  if (!mapping[key]) return {};
  ASSIGN(to, duration(file, mapping[key], key));
  return {};
}

Status read_text(const yaml::File& file, const YAML::Node& mapping, const char* key,
                 std::string& to) {
  if (!mapping[key]) return {};
  ASSIGN(to, file.text(mapping[key], key));
  return {};
}

/// One text or a list of them.
Status read_texts(const yaml::File& file, const YAML::Node& mapping, const char* key,
                  std::vector<std::string>& to) {
  if (!mapping[key]) return {};
  to.clear();
  if (mapping[key].IsScalar()) {
    ASSIGN(std::string one, file.text(mapping[key], key));
    to.push_back(std::move(one));
    return {};
  }
  ASSIGN(const auto items, file.items(mapping[key], key, fmt::format("{}: [A, B]", key)));
  for (const YAML::Node& item : items) {
    ASSIGN(std::string one, file.text(item, key));
    to.push_back(std::move(one));
  }
  return {};
}

Status read_word(const yaml::File& file, const YAML::Node& mapping, const char* key,
                 const Keys& words, std::string& to) {
  TRY(read_text(file, mapping, key, to));
  if (!mapping[key] || std::ranges::find(words, to) != words.end()) return {};
  return file.fail(mapping[key],
                   fmt::format("`{}: {}` is none of: {}", key, to, fmt::join(words, ", ")));
}

/// The first variable of the environment that a text names and that is not set.
std::string unset_variable(const YAML::Node& node) {
  if (!node.IsScalar()) return "";
  const std::string& text = node.Scalar();
  for (std::size_t at = text.find("${"); at != text.npos; at = text.find("${", at + 2)) {
    const std::size_t close = text.find('}', at);
    if (close == text.npos) return "";
    const std::string name = text.substr(at + 2, close - at - 2);
    if (const char* value = std::getenv(name.c_str()); value == nullptr || *value == 0) return name;
  }
  return "";
}

class ChannelReader {
 public:
  ChannelReader(const yaml::File& file, ChannelSpec& spec) : file_(file), spec_(spec) {}

  Status read(const YAML::Node& node) {
    const Keys types = {"slack", "email", "webhook", "pagerduty", "alertmanager"};
    Keys known = types;
    known.push_back("delivery");
    TRY(file_.only_keys(node, known));
    std::string type;
    for (const std::string_view one : types) {
      if (!node.IsMap() || !node[std::string(one)]) continue;
      if (!type.empty())
        return file_.fail(
            node, fmt::format("channel `{}` is {} and {}: make two of it", spec_.name, type, one));
      type = one;
    }
    if (type.empty())
      return file_.fail(
          node, fmt::format("channel `{}` says none of: {}", spec_.name, fmt::join(types, ", ")));
    std::string delivery = "at_most_once";
    TRY(read_word(file_, node, "delivery", {"at_most_once", "at_least_once"}, delivery));
    spec_.at_least_once = delivery == "at_least_once";
    spec_.type = static_cast<ChannelType>(std::ranges::find(types, type) - types.begin());
    const YAML::Node inner = node[type];
    if (!inner.IsMap())
      return file_.fail(inner, fmt::format("`{}` has keys, as in {}", type, "slack: {webhook: …}"));
    switch (spec_.type) {
      case ChannelType::kSlack:
        return slack(inner);
      case ChannelType::kEmail:
        return email(inner);
      case ChannelType::kWebhook:
        return webhook(inner);
      case ChannelType::kPagerDuty:
        return pagerduty(inner);
      case ChannelType::kAlertmanager:
        return alertmanager(inner);
    }
    CHECK(false);
  }

 private:
  /// A key without which the channel has no address: a variable that is not set turns it off.
  Status address(const YAML::Node& node, const char* key, std::string& to, bool secret) {
    if (!node[key]) return {};
    if (const std::string unset = unset_variable(node[key]); !unset.empty()) {
      spec_.off = fmt::format("{} is not set in the environment", unset);
      return {};
    }
    TRY(read_text(file_, node, key, to));
    if (to.empty()) spec_.off = fmt::format("its `{}` is empty", key);
    if (secret && !to.empty()) spec_.secrets.push_back(to);
    return {};
  }

  Status http(const YAML::Node& node, const char* key) {
    if (!spec_.off.empty() || spec_.url.starts_with("http://") || spec_.url.starts_with("https://"))
      return {};
    return file_.fail(node[key] ? node[key] : node,
                      fmt::format("`{}` is an http or https URL", key));
  }

  /// What is secret of a URL: all behind its origin.
  void hide_path() {
    const auto begin = spec_.url.find("://");
    const auto slash = begin == spec_.url.npos ? begin : spec_.url.find('/', begin + 3);
    if (slash != spec_.url.npos && slash + 1 < spec_.url.size())
      spec_.secrets.push_back(spec_.url.substr(slash + 1));
  }

  Status slack(const YAML::Node& node) {
    TRY(file_.only_keys(node, {"webhook", "token", "channel", "api"}));
    if (bool(node["webhook"]) == bool(node["token"]))
      return file_.fail(node, "`slack` has a `webhook`, or a `token` with a `channel`");
    if (node["webhook"]) {
      for (const char* key : {"channel", "api"})
        if (node[key])
          return file_.fail(node[key], fmt::format("`{}` goes with a `token`: a webhook knows its "
                                                   "channel",
                                                   key));
      TRY(address(node, "webhook", spec_.url, false));
      hide_path();
      return http(node, "webhook");
    }
    TRY(address(node, "token", spec_.token, true));
    TRY(address(node, "channel", spec_.channel, false));
    if (!node["channel"]) return file_.fail(node, "`channel` is missing: the id of a conversation");
    spec_.url = "https://slack.com/api";
    TRY(read_text(file_, node, "api", spec_.url));
    while (spec_.url.ends_with('/')) spec_.url.pop_back();
    return http(node, "api");
  }

  Status email(const YAML::Node& node) {
    TRY(file_.only_keys(node, {"smtp", "user", "password", "from", "to", "ca_file"}));
    for (const char* needed : {"smtp", "from", "to"})
      if (!node[needed]) return file_.fail(node, fmt::format("`{}` is missing in `email`", needed));
    TRY(address(node, "smtp", spec_.url, false));
    TRY(address(node, "password", spec_.smtp.password, true));
    TRY(read_text(file_, node, "user", spec_.smtp.user));
    TRY(read_text(file_, node, "from", spec_.from));
    TRY(read_texts(file_, node, "to", spec_.to));
    TRY(read_text(file_, node, "ca_file", spec_.smtp.ca_file));
    if (!spec_.smtp.ca_file.empty() && spec_.smtp.ca_file[0] != '/')
      spec_.smtp.ca_file =
          (std::filesystem::path(file_.path).parent_path() / spec_.smtp.ca_file).string();
    if (!spec_.off.empty()) return {};
    if (spec_.to.empty()) return file_.fail(node["to"], "`to` is empty");
    if (spec_.smtp.user.empty() != spec_.smtp.password.empty())
      return file_.fail(node, "`user` and `password` go together");
    return smtp(node["smtp"]);
  }

  /// smtp://HOST[:PORT] with STARTTLS (587), smtps://HOST[:PORT] (465), smtp+plain:// without TLS.
  Status smtp(const YAML::Node& node) {
    using Tls = net::SmtpServer::Tls;
    const auto wrong = [&] {
      return file_.fail(node,
                        "`smtp` is smtp://HOST:587 (STARTTLS), smtps://HOST:465, or "
                        "smtp+plain://HOST:25 without TLS");
    };
    std::string_view rest = spec_.url;
    for (const auto& [scheme, tls, port] : {std::tuple{"smtp://", Tls::kStartTls, 587},
                                            {"smtps://", Tls::kFromTheBegin, 465},
                                            {"smtp+plain://", Tls::kNone, 25}}) {
      if (!rest.starts_with(scheme)) continue;
      rest.remove_prefix(std::string_view(scheme).size());
      spec_.smtp.tls = tls;
      spec_.smtp.port = port;
      std::string whole(rest);
      // Without a port it ends with a name or with a bracket.
      if (const auto bracket = rest.rfind(']');
          rest.find(':', bracket == rest.npos ? 0 : bracket) == rest.npos)
        whole += fmt::format(":{}", port);
      const auto at = net::parse_address(whole);
      if (!at || at->port == 0 || at->host.empty() ||
          at->host.find_first_of("/@ ") != std::string::npos)
        return wrong();
      spec_.smtp.host = at->host;
      spec_.smtp.port = at->port;
      if (tls == Tls::kNone && !spec_.smtp.user.empty())
        return file_.fail(node, "a password goes by TLS only: smtp:// or smtps://");
      return {};
    }
    return wrong();
  }

  Status webhook(const YAML::Node& node) {
    TRY(file_.only_keys(node, {"url", "headers"}));
    if (!node["url"]) return file_.fail(node, "`url` is missing in `webhook`");
    TRY(address(node, "url", spec_.url, false));
    hide_path();
    TRY(headers(node));
    return http(node, "url");
  }

  Status headers(const YAML::Node& node) {
    ASSIGN(const auto entries, file_.entries(node["headers"], "headers", "NAME: VALUE"));
    for (const yaml::File::Entry& entry : entries) {
      std::string value;
      if (const std::string unset = unset_variable(entry.value); !unset.empty()) {
        spec_.off = fmt::format("{} is not set in the environment", unset);
        continue;
      }
      ASSIGN(value, file_.text(entry.value, entry.key));
      if (entry.value.Scalar() != value) spec_.secrets.push_back(value);
      spec_.headers.emplace_back(entry.key, std::move(value));
    }
    return {};
  }

  Status pagerduty(const YAML::Node& node) {
    TRY(file_.only_keys(node, {"routing_key", "url"}));
    if (!node["routing_key"]) return file_.fail(node, "`routing_key` is missing in `pagerduty`");
    TRY(address(node, "routing_key", spec_.routing_key, true));
    spec_.url = "https://events.pagerduty.com/v2/enqueue";
    TRY(read_text(file_, node, "url", spec_.url));
    return http(node, "url");
  }

  Status alertmanager(const YAML::Node& node) {
    TRY(file_.only_keys(node, {"url", "headers"}));
    if (!node["url"]) return file_.fail(node, "`url` is missing: http://HOST:9093");
    TRY(address(node, "url", spec_.url, false));
    while (spec_.url.ends_with('/')) spec_.url.pop_back();
    TRY(headers(node));
    return http(node, "url");
  }

  const yaml::File& file_;
  ChannelSpec& spec_;
};

const Keys kCommonKeys = {"name",       "for",     "severity", "channels", "repeat", "group_by",
                          "group_wait", "message", "link",     "runbook",  "labels"};

class RuleReader {
 public:
  RuleReader(const yaml::File& file, const Settings& settings) : file_(file), settings_(settings) {}

  Result<RuleSpec> read(const YAML::Node& node) {
    const Keys subjects = {"hop", "expectation", "contract", "query", "workflow", "anomaly"};
    std::string subject;
    for (const std::string_view one : subjects) {
      if (!node.IsMap() || !node[std::string(one)]) continue;
      if (!subject.empty())
        return file_.fail(node,
                          fmt::format("a rule has `{}` or `{}`: make two of it", subject, one));
      subject = one;
    }
    if (subject.empty()) {
      Keys all = kCommonKeys;
      all.insert(all.begin(), subjects.begin(), subjects.end());
      if (node.IsMap()) {
        for (const char* more : {"empty_for", "error", "lag", "failure_rate", "over", "every",
                                 "failed", "late", "succeeded", "season", "deviations"})
          all.emplace_back(more);
        TRY(file_.only_keys(node, all));
      }
      return file_.fail(node, fmt::format("a rule says one of: {}", fmt::join(subjects, ", ")));
    }
    rule_.place = file_.place(node);
    ASSIGN(rule_.subject, file_.text(node[subject], subject));
    if (rule_.subject.empty())
      return file_.fail(node[subject], fmt::format("`{}` is empty", subject));
    if (subject == "hop") TRY(hop(node));
    if (subject == "expectation") TRY(expectation(node));
    if (subject == "contract") TRY(contract(node));
    if (subject == "query") TRY(query(node));
    if (subject == "workflow") TRY(workflow(node));
    if (subject == "anomaly") TRY(anomaly(node));
    TRY(common(node));
    return std::move(rule_);
  }

 private:
  Status only(const YAML::Node& node, const Keys& own) {
    Keys known = own;
    known.insert(known.end(), kCommonKeys.begin(), kCommonKeys.end());
    return file_.only_keys(node, known);
  }

  /// Which of the keys is there: one and no other.
  Result<std::string> one_of(const YAML::Node& node, const Keys& keys) {
    std::string found;
    for (const std::string_view key : keys) {
      if (!node[std::string(key)]) continue;
      if (!found.empty())
        return file_.fail(node, fmt::format("a rule has `{}` or `{}`: make two of it", found, key));
      found = key;
    }
    if (found.empty())
      return file_.fail(node, fmt::format("when? Say one of: {}", fmt::join(keys, ", ")));
    return found;
  }

  Status is_true(const YAML::Node& node, const std::string& key) {
    ASSIGN(const std::string word, file_.text(node[key], key));
    if (word == "true") return {};
    return file_.fail(node[key], fmt::format("`{}: true`, or leave it out", key));
  }

  Status hop(const YAML::Node& node) {
    TRY(only(node, {"hop", "empty_for", "error", "lag"}));
    ASSIGN(const std::string when, one_of(node, {"empty_for", "error", "lag"}));
    if (when == "error") {
      rule_.kind = RuleKind::kError;
      rule_.name = rule_.subject + " has an error";
      return is_true(node, when);
    }
    rule_.kind = when == "lag" ? RuleKind::kLag : RuleKind::kEmpty;
    rule_.name = rule_.subject + (when == "lag" ? " lags" : " is empty");
    return read_duration(file_, node, when.c_str(), rule_.window);
  }

  Result<double> number(const YAML::Node& node, const char* key, double above, double most) {
    ASSIGN(const std::string text, file_.text(node[key], key));
    double value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code == std::errc() && end == text.data() + text.size() && value > above && value <= most)
      return value;
    return file_.fail(node[key],
                      fmt::format("`{}` is a number over {:g}, at most {:g}", key, above, most));
  }

  Status expectation(const YAML::Node& node) {
    TRY(only(node, {"expectation", "failure_rate", "over", "at_least"}));
    rule_.kind = RuleKind::kExpectation;
    rule_.name = "expectation " + rule_.subject + " fails";
    if (rule_.subject.find('.') == rule_.subject.npos)
      return file_.fail(node["expectation"],
                        "an expectation is named TABLE.NAME; all of a table: "
                        "TABLE.*");
    if (!node["failure_rate"])
      return file_.fail(node, "`failure_rate` is missing: a share of rows, as in 0.05");
    ASSIGN(rule_.limit, number(node, "failure_rate", 0, 1));
    rule_.window = 5 * 60'000;
    TRY(read_duration(file_, node, "over", rule_.window));
    if (rule_.window < 1000) return file_.fail(node["over"], "`over` is 1s or more");
    if (!node["at_least"]) return {};
    ASSIGN(rule_.at_least, file_.integer(node["at_least"], "at_least"));
    return {};
  }

  Status contract(const YAML::Node& node) {
    TRY(only(node, {"contract"}));
    rule_.kind = RuleKind::kContract;
    rule_.name = "contract " + rule_.subject + " is broken";
    if (rule_.subject.find('.') == rule_.subject.npos && rule_.subject != "*")
      return file_.fail(node["contract"],
                        "a contract's rule is named TABLE.RULE; all of a table: TABLE.*");
    return {};
  }

  Status every(const YAML::Node& node) {
    TRY(read_duration(file_, node, "every", rule_.every));
    if (rule_.every < 250) return file_.fail(node["every"], "`every` is 250ms or more");
    return {};
  }

  Status query(const YAML::Node& node) {
    TRY(only(node, {"query", "every", "by"}));
    rule_.kind = RuleKind::kQuery;
    rule_.name = "query of line " + std::to_string(node.Mark().line + 1);
    TRY(read_texts(file_, node, "by", rule_.labels_of_rows));
    return every(node);
  }

  Status workflow(const YAML::Node& node) {
    TRY(only(node, {"workflow", "failed", "late", "succeeded"}));
    ASSIGN(const std::string when, one_of(node, {"failed", "late", "succeeded"}));
    rule_.name = fmt::format("workflow {} {}", rule_.subject, when == "late" ? "is late" : when);
    if (when == "late") {
      rule_.kind = RuleKind::kRunLate;
      return read_duration(file_, node, "late", rule_.window);
    }
    rule_.kind = when == "failed" ? RuleKind::kRunFailed : RuleKind::kRunSucceeded;
    if (when == "succeeded") rule_.severity = "info";
    return is_true(node, when);
  }

  Status anomaly(const YAML::Node& node) {
    TRY(only(node, {"anomaly", "season", "every", "deviations", "timezone"}));
    const std::string text = rule_.subject;
    constexpr std::string_view kRateOf = "rate of ", kValueOf = "value of ";
    if (text.starts_with(kRateOf)) {
      rule_.kind = RuleKind::kRate;
      rule_.subject = text.substr(kRateOf.size());
    } else if (text.starts_with(kValueOf)) {
      rule_.kind = RuleKind::kValue;
      rule_.subject = text.substr(kValueOf.size());
    } else {
      return file_.fail(node["anomaly"], "`anomaly` is `rate of HOP` or `value of SELECT …`");
    }
    rule_.name = rule_.kind == RuleKind::kRate
                     ? "anomaly of " + rule_.subject
                     : "anomaly of line " + std::to_string(node.Mark().line + 1);
    std::string season = "day";
    TRY(read_word(file_, node, "season", {"day", "week", "none"}, season));
    rule_.season = season == "day"    ? Season::kDay
                   : season == "week" ? Season::kWeek
                                      : Season::kNone;
    TRY(read_zone(file_, node, rule_.zone));
    rule_.limit = 4;
    if (node["deviations"]) {
      ASSIGN(rule_.limit, number(node, "deviations", 0, 1000));
    }
    return every(node);
  }

  Status common(const YAML::Node& node) {
    TRY(read_text(file_, node, "name", rule_.name));
    if (rule_.name.empty() || rule_.name.size() > 200)
      return file_.fail(node["name"], "`name` has 1 to 200 bytes");
    if (const RuleSpec* other = settings_.rule(rule_.name))
      return file_.fail(node, fmt::format("the rule of {} is named `{}`, too: give one a `name`",
                                          other->place, rule_.name));
    TRY(read_duration(file_, node, "for", rule_.for_ms));
    if (node["for"] && is_notice(rule_.kind))
      return file_.fail(node["for"], "what happened once has no `for`");
    TRY(read_duration(file_, node, "repeat", rule_.repeat));
    TRY(read_duration(file_, node, "group_wait", rule_.group_wait));
    TRY(read_word(file_, node, "severity", {"critical", "error", "warning", "info"},
                  rule_.severity));
    TRY(read_texts(file_, node, "group_by", rule_.group_by));
    TRY(read_text(file_, node, "message", rule_.message));
    TRY(read_text(file_, node, "link", rule_.link));
    TRY(read_text(file_, node, "runbook", rule_.runbook));
    for (const auto& [key, text] : {std::pair{"link", &rule_.link}, {"runbook", &rule_.runbook}})
      if (!text->empty() && !text->starts_with("http://") && !text->starts_with("https://"))
        return file_.fail(node[key], fmt::format("`{}` is an http or https URL", key));
    TRY(labels(node));
    for (const ChannelSpec& channel : settings_.channels) rule_.channels.push_back(channel.name);
    TRY(read_texts(file_, node, "channels", rule_.channels));
    for (const std::string& name : rule_.channels) {
      if (settings_.channel(name) != nullptr) continue;
      Keys known;
      for (const ChannelSpec& channel : settings_.channels) known.push_back(channel.name);
      const std::string near = yaml::nearest(name, known);
      return file_.fail(node["channels"],
                        fmt::format("there is no channel `{}`{}", name,
                                    near.empty() ? "" : "; did you mean `" + near + "`?"));
    }
    return {};
  }

  Status labels(const YAML::Node& node) {
    ASSIGN(const auto entries, file_.entries(node["labels"], "labels", "{team: data}"));
    for (const yaml::File::Entry& entry : entries) {
      if (!is_label(entry.key) || entry.key == "alertname" || entry.key == "severity")
        return file_.fail(entry.key_node, fmt::format("`{}` is no label's name", entry.key));
      ASSIGN(rule_.labels[entry.key], file_.text(entry.value, entry.key));
    }
    return {};
  }

  const yaml::File& file_;
  const Settings& settings_;
  RuleSpec rule_;
};

Status read_matchers(const yaml::File& file, const YAML::Node& node, std::vector<Matcher>& to) {
  std::vector<std::string> texts;
  TRY(read_texts(file, node, "matchers", texts));
  for (const std::string& text : texts) {
    auto matcher = Matcher::parse(text);
    if (!matcher) return file.fail(node["matchers"], matcher.error().what);
    to.push_back(std::move(*matcher));
  }
  return {};
}

Result<Silence> read_silence(const yaml::File& file, const YAML::Node& node, std::size_t number) {
  TRY(file.only_keys(node, {"matchers", "ends", "comment"}));
  Silence silence;
  silence.id = fmt::format("file-{}", number);
  if (!node.IsMap() || !node["matchers"] || !node["ends"])
    return file.fail(node, "a silence has `matchers` and `ends`");
  TRY(read_matchers(file, node, silence.matchers));
  if (silence.matchers.empty()) return file.fail(node, "`matchers` is empty: it would hide all");
  ASSIGN(const std::string ends, file.text(node["ends"], "ends"));
  const auto moment = calendar::parse_moment(ends);
  if (!moment) return file.fail(node["ends"], "`ends` is a time, as in 2026-12-01T00:00:00Z");
  silence.ends = moment->instant / 1000;
  TRY(read_text(file, node, "comment", silence.comment));
  return silence;
}

Result<Maintenance> read_maintenance(const yaml::File& file, const YAML::Node& node) {
  TRY(file.only_keys(node, {"name", "cron", "duration", "timezone", "matchers"}));
  Maintenance window;
  if (!node.IsMap() || !node["cron"] || !node["duration"])
    return file.fail(node, "a maintenance window has `cron` and `duration`");
  window.name = "maintenance";
  TRY(read_text(file, node, "name", window.name));
  ASSIGN(const std::string cron, file.text(node["cron"], "cron"));
  auto parsed = calendar::Cron::parse(cron);
  if (!parsed) return file.fail(node["cron"], parsed.error().what);
  window.cron = std::move(*parsed);
  TRY(read_duration(file, node, "duration", window.duration));
  if (window.duration < 1000) return file.fail(node["duration"], "`duration` is 1s or more");
  TRY(read_zone(file, node, window.zone));
  TRY(read_matchers(file, node, window.matchers));
  return window;
}

Result<Settings> read_settings(const yaml::File& file, const YAML::Node& node) {
  Settings settings;
  TRY(file.only_keys(node, {"page", "channels", "rules", "silences", "maintenance"}));
  if (!node.IsMap()) return settings;
  TRY(read_text(file, node, "page", settings.page));
  while (settings.page.ends_with('/')) settings.page.pop_back();
  ASSIGN(const auto channels,
         file.entries(node["channels"], "channels", "NAME: {slack: {webhook: …}}"));
  for (const yaml::File::Entry& entry : channels) {
    ChannelSpec channel;
    channel.name = entry.key;
    channel.place = file.place(entry.key_node);
    TRY(ChannelReader(file, channel).read(entry.value));
    settings.channels.push_back(std::move(channel));
  }
  ASSIGN(const auto rules, file.items(node["rules"], "rules", "- {hop: NAME, error: true}"));
  for (const YAML::Node& rule : rules) {
    ASSIGN(auto read, RuleReader(file, settings).read(rule));
    settings.rules.push_back(std::move(read));
  }
  ASSIGN(const auto silences, file.items(node["silences"], "silences", "- {matchers: …, ends: …}"));
  for (const YAML::Node& one : silences) {
    ASSIGN(auto silence, read_silence(file, one, settings.silences.size() + 1));
    settings.silences.push_back(std::move(silence));
  }
  ASSIGN(const auto windows,
         file.items(node["maintenance"], "maintenance", "- {cron: …, duration: 1h}"));
  for (const YAML::Node& one : windows) {
    ASSIGN(auto window, read_maintenance(file, one));
    settings.maintenance.push_back(std::move(window));
  }
  return settings;
}

}  // namespace

std::string_view name(ChannelType type) {
  switch (type) {
    case ChannelType::kSlack:
      return "slack";
    case ChannelType::kEmail:
      return "email";
    case ChannelType::kWebhook:
      return "webhook";
    case ChannelType::kPagerDuty:
      return "pagerduty";
    case ChannelType::kAlertmanager:
      return "alertmanager";
  }
  CHECK(false);
}

std::string_view name(Season season) {
  return season == Season::kNone ? "none" : season == Season::kDay ? "day" : "week";
}

bool is_notice(RuleKind kind) {
  return kind == RuleKind::kRunSucceeded;
}

bool Maintenance::holds(Ms now) const {
  // The last begin that is not after now; previous() is strictly before.
  const auto begin = cron.previous(now * 1000 + 1, zone);
  return begin && now * 1000 < *begin + duration * 1000;
}

const RuleSpec* Settings::rule(std::string_view wanted) const {
  const auto at = std::ranges::find(rules, wanted, &RuleSpec::name);
  return at == rules.end() ? nullptr : &*at;
}

const ChannelSpec* Settings::channel(std::string_view wanted) const {
  const auto at = std::ranges::find(channels, wanted, &ChannelSpec::name);
  return at == channels.end() ? nullptr : &*at;
}

Result<Settings> load_settings(const std::string& folder) {
  const std::string path = (std::filesystem::path(folder) / "tailrace.yml").string();
  if (!std::filesystem::exists(path)) return Settings();
  ASSIGN(const yaml::File file, yaml::File::load(path));
  if (!file.root.IsMap() || !file.root["alerts"] || file.root["alerts"].IsNull()) return Settings();
  return read_settings(file, file.root["alerts"]);
}

}  // namespace tailrace::alerts
