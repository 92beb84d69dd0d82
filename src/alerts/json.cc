#include "alerts/json.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>

namespace tailrace::alerts {
namespace {

constexpr std::array kStates = {State::kPending, State::kFiring, State::kResolved};
constexpr std::array kKinds = {MessageKind::kFiring, MessageKind::kRepeat, MessageKind::kResolved,
                               MessageKind::kNotice, MessageKind::kTest};

template <typename Enum, std::size_t N>
Enum named(const std::string& word, const std::array<Enum, N>& all) {
  for (const Enum one : all)
    if (name(one) == word) return one;
  throw nlohmann::json::type_error::create(302, "no such word: " + word, nullptr);
}

Labels labels_of(const Json& json) {
  Labels labels;
  for (const auto& [label, value] : json.items()) labels[label] = value.get<std::string>();
  return labels;
}

Json json_of(const Seen& seen) {
  Json fields = Json::array();
  for (const auto& [name, value] : seen.fields)
    fields.push_back({{"name", name}, {"value", value}});
  return {{"value", seen.value},
          {"summary", seen.summary},
          {"look", seen.look},
          {"link", seen.link},
          {"fields", fields},
          {"details", seen.details},
          {"occurrence", seen.occurrence}};
}

Seen seen_of(const Json& json) {
  Seen seen{.labels = {},
            .value = json.at("value"),
            .summary = json.at("summary"),
            .look = json.at("look"),
            .link = json.at("link"),
            .occurrence = json.at("occurrence"),
            .fields = {},
            .details = json.at("details")};
  for (const Json& field : json.at("fields"))
    seen.fields.emplace_back(field.at("name"), field.at("value"));
  return seen;
}

Alert read_alert(const Json& json) {
  return {.rule = json.at("rule"),
          .labels = labels_of(json.at("labels")),
          .state = named(json.at("state").get<std::string>(), kStates),
          .since = json.at("since_ms"),
          .fired_at = json.at("fired_ms"),
          .ended_at = json.at("ended_ms"),
          .told = json.at("told"),
          .told_at = json.at("told_ms"),
          .told_occurrence = json.at("told_occurrence"),
          .seen = seen_of(json.at("seen"))};
}

template <typename Read>
auto read(std::string_view text, const Read& how) -> Result<decltype(how(Json()))> {
  try {
    return how(Json::parse(text));
  } catch (const nlohmann::json::exception& e) {
    return error(Code::kDataLoss, fmt::format("alerts.db has what is no alert: {}", e.what()));
  }
}

}  // namespace

Json json_of(const Labels& labels) {
  Json json = Json::object();
  for (const auto& [label, value] : labels) json[label] = value;
  return json;
}

Json json_of(const Alert& alert) {
  return {{"rule", alert.rule},
          {"labels", json_of(alert.labels)},
          {"state", name(alert.state)},
          {"since_ms", alert.since},
          {"fired_ms", alert.fired_at},
          {"ended_ms", alert.ended_at},
          {"told", alert.told},
          {"told_ms", alert.told_at},
          {"told_occurrence", alert.told_occurrence},
          {"seen", json_of(alert.seen)}};
}

Json json_of(const Message& message) {
  Json firing = Json::array(), resolved = Json::array();
  for (const Alert& alert : message.firing) firing.push_back(json_of(alert));
  for (const Alert& alert : message.resolved) resolved.push_back(json_of(alert));
  return {
      {"kind", name(message.kind)}, {"rule", message.rule},        {"group", message.group},
      {"at_ms", message.at},        {"repeat_ms", message.repeat}, {"severity", message.severity},
      {"runbook", message.runbook}, {"link", message.link},        {"text", message.text},
      {"firing", firing},           {"resolved", resolved},        {"channels", message.channels}};
}

Result<Alert> alert_of(std::string_view text) {
  return read(text, [](const Json& json) { return read_alert(json); });
}

Result<Message> message_of(std::string_view text) {
  return read(text, [](const Json& json) {
    Message message{.kind = named(json.at("kind").get<std::string>(), kKinds),
                    .rule = json.at("rule"),
                    .group = json.at("group"),
                    .at = json.at("at_ms"),
                    .repeat = json.at("repeat_ms"),
                    .severity = json.at("severity"),
                    .runbook = json.at("runbook"),
                    .link = json.at("link"),
                    .text = json.at("text"),
                    .firing = {},
                    .resolved = {},
                    .channels = json.at("channels").get<std::vector<std::string>>()};
    for (const Json& alert : json.at("firing")) message.firing.push_back(read_alert(alert));
    for (const Json& alert : json.at("resolved")) message.resolved.push_back(read_alert(alert));
    return message;
  });
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string time_text(Ms ms) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(static_cast<std::time_t>(ms / 1000)), ms % 1000);
}

std::string cut(std::string_view text, std::size_t bytes) {
  constexpr std::string_view kMore = "…";
  if (text.size() <= bytes) return std::string(text);
  std::size_t end = bytes > kMore.size() ? bytes - kMore.size() : 0;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + std::string(kMore);
}

}  // namespace tailrace::alerts
