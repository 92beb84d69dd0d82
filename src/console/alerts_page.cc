#include "console/alerts_page.h"

#include <fmt/format.h>

#include "alerts/json.h"
#include "alerts/matcher_text.h"
#include "console/errors.h"
#include "console/json.h"
#include "console/params.h"

namespace tailrace::console {
namespace {

using alerts::Alerts;
using alerts::Json;
using net::Request;
using net::Response;

constexpr std::int64_t kMessagesShown = 50;
constexpr int kMostHistory = 1000;
constexpr alerts::Ms kLongestSilence = 366 * 86'400'000LL;

Json labels_json(const alerts::Labels& labels) {
  return alerts::json_of(labels);
}

Json rule_json(const alerts::RuleState& state) {
  const alerts::RuleSpec& rule = *state.rule;
  return {{"name", rule.name},      {"state", state.state},     {"severity", rule.severity},
          {"firing", state.firing}, {"pending", state.pending}, {"channels", rule.channels},
          {"place", rule.place},    {"trouble", state.trouble}};
}

Json alert_json(const alerts::Shown& shown) {
  const alerts::Alert& alert = shown.alert;
  Json fields = Json::array();
  for (const auto& [name, value] : alert.seen.fields)
    fields.push_back({{"name", name}, {"value", value}});
  return {{"rule", alert.rule},
          {"state", alerts::name(alert.state)},
          {"severity", alert.labels.at("severity")},
          {"labels", labels_json(alert.labels)},
          {"value", alert.seen.value},
          {"summary", alert.seen.summary},
          {"look", alert.seen.look},
          {"link", alert.seen.link},
          {"details", alert.seen.details},
          {"fields", fields},
          {"since_ms", alert.since},
          {"told_ms", alert.told_at},
          {"muted_by", shown.muted_by}};
}

Json channel_json(const alerts::Delivery::ChannelState& channel) {
  return {{"name", channel.name},       {"type", channel.type},       {"where", channel.where},
          {"off", channel.off},         {"waiting", channel.waiting}, {"sent", channel.sent},
          {"refused", channel.refused}, {"unknown", channel.unknown}, {"retried", channel.retried},
          {"failing", channel.failing}, {"last", channel.last},       {"last_ms", channel.last_at}};
}

Json silence_json(const alerts::Silence& silence) {
  Json matchers = Json::array();
  for (const alerts::Matcher& matcher : silence.matchers) matchers.push_back(matcher.text());
  return {{"id", silence.id},
          {"matchers", matchers},
          {"ends_ms", silence.ends},
          {"comment", silence.comment}};
}

Json message_json(const alerts::Outgoing& one) {
  return {{"id", one.id},
          {"channel", one.channel},
          {"state", one.state},
          {"kind", alerts::name(one.message.kind)},
          {"rule", one.message.rule},
          {"title", alerts::title(one.message)},
          {"text", alerts::summary(one.message)},
          {"made_ms", one.made},
          {"over_ms", one.over},
          {"attempts", one.attempts},
          {"said", one.said}};
}

template <typename List, typename Write>
Json list_json(const List& list, Write write) {
  Json all = Json::array();
  for (const auto& one : list) all.push_back(write(one));
  return all;
}

Result<Json> overview(Alerts* alerts, const Request& request) {
  TRY(only_params(request, {}));
  if (alerts == nullptr)
    return Json{{"rules", Json::array()},
                {"alerts", Json::array()},
                {"channels", Json::array()},
                {"silences", Json::array()},
                {"messages", Json::array()}};
  ASSIGN(const auto silences, alerts->silences());
  ASSIGN(const auto messages, alerts->messages(kMessagesShown));
  return Json{{"rules", list_json(alerts->rules(), rule_json)},
              {"alerts", list_json(alerts->alerts(), alert_json)},
              {"channels", list_json(alerts->channels(), channel_json)},
              {"silences", list_json(silences, silence_json)},
              {"messages", list_json(messages, message_json)}};
}

Result<Json> history(Alerts* alerts, const Request& request) {
  TRY(only_params(request, {"rule", "limit"}));
  ASSIGN(const int limit, number_of(request, "limit", 1, kMostHistory, 100));
  if (alerts == nullptr) return Json{{"history", Json::array()}};
  ASSIGN(const auto all, alerts->history(request.param("rule").value_or(""), limit));
  return Json{
      {"history", list_json(all, [](const alerts::Transition& one) {
         return Json{
             {"at_ms", one.at},       {"rule", one.rule}, {"labels", labels_json(one.labels)},
             {"from", one.from},      {"to", one.to},     {"value", one.value},
             {"summary", one.summary}};
       })}};
}

Result<Json> body_of(const Request& request, std::initializer_list<std::string_view> known) {
  Json body = Json::parse(request.body, nullptr, false);
  if (!body.is_object()) return error(Code::kInvalidArgument, "the body is a JSON object");
  for (const auto& [key, value] : body.items())
    if (std::ranges::find(known, key) == known.end())
      return error(Code::kInvalidArgument,
                   fmt::format("unknown member `{}`; there are: {}", key, fmt::join(known, ", ")));
  return body;
}

Result<std::string> text_of(const Json& body, const char* key) {
  if (!body.contains(key)) return std::string();
  if (!body[key].is_string())
    return error(Code::kInvalidArgument, fmt::format("`{}` is a text", key));
  return body[key].get<std::string>();
}

Result<Json> silence(Alerts& alerts, const Request& request) {
  ASSIGN(const Json body, body_of(request, {"matchers", "duration", "comment"}));
  ASSIGN(const std::string duration, text_of(body, "duration"));
  ASSIGN(const std::string comment, text_of(body, "comment"));
  const auto ms = alerts::parse_duration(duration);
  if (!ms || *ms < 1000 || *ms > kLongestSilence)
    return error(Code::kInvalidArgument, "`duration` is 1s to 366d, as in 2h");
  std::vector<alerts::Matcher> matchers;
  if (!body.contains("matchers") || !body["matchers"].is_array())
    return error(Code::kInvalidArgument, "`matchers` is a list, as in [\"alertname=\\\"x\\\"\"]");
  for (const Json& one : body["matchers"]) {
    if (!one.is_string()) return error(Code::kInvalidArgument, "a matcher is a text");
    ASSIGN(auto matcher, alerts::Matcher::parse(one.get<std::string>()));
    matchers.push_back(std::move(matcher));
  }
  ASSIGN(const auto made, alerts.silence(std::move(matchers), *ms, comment.substr(0, 1000)));
  return silence_json(made);
}

Result<Json> end_silence(Alerts& alerts, const Request& request) {
  ASSIGN(const Json body, body_of(request, {}));
  TRY(alerts.unsilence(request.segments[3]));
  return Json{{"id", request.segments[3]}};
}

Result<Json> test(Alerts& alerts, const Request& request) {
  ASSIGN(const Json body, body_of(request, {"name"}));
  ASSIGN(const std::string name, text_of(body, "name"));
  ASSIGN(const auto tested, alerts.test(name));
  return Json{{"tested", list_json(tested, [](const Alerts::Tested& one) {
                 return Json{{"channel", one.channel},
                             {"sent", one.attempt.end == alerts::Attempt::End::kSent},
                             {"said", one.attempt.said}};
               })}};
}

Response answer_of(const Result<Json>& result) {
  if (!result) return error_response(result.error());
  Response response;
  response.content_type = kJsonType;
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = alerts::dump(*result);
  return response;
}

Response wrong_method(std::string allowed) {
  Response response = refusal_response(405, "this address takes " + allowed);
  response.headers.emplace_back("Allow", std::move(allowed));
  return response;
}

}  // namespace

net::Response alerts_response(Alerts* alerts, const Request& request) {
  const auto& segments = request.segments;
  const bool get = request.method == "GET";
  const bool reads = segments.size() == 2 || (segments.size() == 3 && segments[2] == "history");
  if (reads) {
    if (!get) return wrong_method("GET");
    return answer_of(segments.size() == 2 ? overview(alerts, request) : history(alerts, request));
  }
  Result<Json> (*change)(Alerts&, const Request&) = nullptr;
  if (segments.size() == 3 && segments[2] == "silences") change = silence;
  if (segments.size() == 3 && segments[2] == "test") change = test;
  if (segments.size() == 5 && segments[2] == "silences" && segments[4] == "end")
    change = end_silence;
  if (change == nullptr)
    return error_response({Code::kNotFound, "no such address: " + request.path});
  if (request.method != "POST") return wrong_method("POST");
  if (alerts == nullptr)
    return error_response({Code::kFailedPrecondition,
                           "the project has no alerts: describe channels and rules under `alerts` "
                           "in tailrace.yml"});
  return answer_of(change(*alerts, request));
}

}  // namespace tailrace::console
