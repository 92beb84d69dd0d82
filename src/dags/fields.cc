#include "dags/fields.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "dags/python_types.h"

namespace tailrace::dags {
namespace {

using calendar::Micros;
using jinja::Value;

std::nullopt_t wrong(const Node& node, std::string_view name, const char* takes,
                     Findings& findings) {
  findings.fatal(node.place, "`" + std::string(name) + "` is " + takes + ", not " + node.what());
  return std::nullopt;
}

/// What json.dumps takes.
bool is_json(const Node& node) {
  if (node.is_object()) return false;
  if (node.kind == Node::Kind::kScalar)
    return !node.scalar.moment() && !node.scalar.delta() && !node.scalar.object();
  return std::ranges::all_of(node.items, is_json);
}

std::optional<Param> param_of(const std::string& name, const Node& node, Findings& findings) {
  Param param{.name = name, .value = {}, .description = {}, .schema = {}, .place = node.place};
  const auto refuse = [&](const Node& value) {
    findings.fatal(value.place, "the param `" + name +
                                    "` must be what JSON can say: null, a "
                                    "bool, a number, a text, a list or a mapping, not " +
                                    value.what());
    return std::nullopt;
  };
  if (known_type(node) != "Param") {
    if (!is_json(node)) return refuse(node);
    param.value = to_value(node);
    param.schema = Value(jinja::Dict());
    return param;
  }
  param.value = Value(jinja::Undefined{name});
  jinja::Dict schema;
  static constexpr std::array<std::string_view, 3> kPositional = {"default", "description",
                                                                  "source"};
  const auto take = [&](std::string_view key, const Node& value) -> bool {
    if (key == "default") {
      if (!is_json(value)) return false;
      param.value = to_value(value);
    } else if (key == "description") {
      param.description = value.is_none() ? "" : to_value(value).text();
    } else if (key == "schema") {
      if (const Value given = to_value(value); given.dict()) schema = *given.dict();
    } else if (key != "source") {
      schema.set(Value(std::string(key)), to_value(value));
    }
    return true;
  };
  for (std::size_t i = 0; i < node.positional.size() && i < kPositional.size(); ++i)
    if (!take(kPositional[i], node.positional[i])) return refuse(node.positional[i]);
  for (std::size_t i = 0; i < node.keys.size(); ++i)
    if (!take(node.keys[i].text(), node.items[i])) return refuse(node.items[i]);
  param.schema = Value(std::move(schema));
  return param;
}

}  // namespace

std::optional<std::string> text_field(const Node& node, std::string_view name, Findings& findings) {
  if (const std::string* text = node.text()) return *text;
  return wrong(node, name, "a text; quote it", findings);
}

std::optional<bool> bool_field(const Node& node, std::string_view name, Findings& findings) {
  if (const bool* value = node.scalar.boolean()) return *value;
  return wrong(node, name, "true or false", findings);
}

std::optional<std::int64_t> integer_field(const Node& node, std::string_view name,
                                          Findings& findings) {
  if (node.kind == Node::Kind::kScalar)
    if (const auto value = node.scalar.index()) return *value;
  return wrong(node, name, "a whole number", findings);
}

std::optional<Micros> seconds_field(const Node& node, std::string_view name, Findings& findings) {
  if (known_type(node) == "timedelta") return timedelta_of(node, findings);
  if (node.kind == Node::Kind::kScalar)
    if (const auto seconds = node.scalar.number(); seconds && std::abs(*seconds) < 8e12)
      return static_cast<Micros>(std::llround(*seconds * 1e6));
  return wrong(node, name, "a number of seconds, or {__type__: datetime.timedelta, minutes: 5}",
               findings);
}

std::optional<Micros> relative_time(const std::string& text) {
  std::size_t at = 0;
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
  if (at == 0 || at > 9) return std::nullopt;
  const std::int64_t count = std::stoll(text.substr(0, at));
  const std::size_t blanks = at;
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  if (at == blanks) return std::nullopt;
  std::string word = text.substr(at);
  for (char& c : word)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  for (const auto& [unit, seconds] : {std::pair("hour", 3600), std::pair("minute", 60),
                                      std::pair("second", 1), std::pair("day", 86400)})
    if (word.starts_with(unit)) return count * seconds * 1'000'000;
  return std::nullopt;
}

std::optional<calendar::Moment> date_field(const Node& node, std::string_view name,
                                           const calendar::Zone& zone, Micros now,
                                           Findings& findings) {
  const auto in_zone = [&](const calendar::Local& local) {
    return calendar::Moment{zone.to_instant(local), zone};
  };
  if (const auto local = local_of(node.scalar)) return in_zone(*local);
  if (const auto moment = moment_of(node, zone))
    return in_zone(moment->zone.to_local(moment->instant));
  const std::string* text = node.text();
  if (!text) return wrong(node, name, "a date, 2026-01-31, with or without a time", findings);
  if (const auto moment = calendar::parse_moment(*text))
    return in_zone(moment->zone.to_local(moment->instant));
  if (const auto before = relative_time(*text)) {
    calendar::Local today = zone.to_local(now);
    today.hour = today.minute = today.second = today.micro = 0;
    constexpr Micros kDay = 86'400'000'000;  // whole days go by the wall clock, as pendulum's do
    const Micros wall = calendar::Zone::utc().to_instant(today) - *before / kDay * kDay;
    return calendar::Moment{zone.to_instant(calendar::Zone::utc().to_local(wall)) - *before % kDay,
                            zone};
  }
  findings.fatal(node.place,
                 "`" + std::string(name) + "`: `" + *text +
                     "` is no date (2026-01-31, 2026-01-31T06:00:00) and no time before "
                     "today (2 days)");
  return std::nullopt;
}

std::optional<Value> callback_field(const Node& node, std::string_view name, Findings& findings) {
  jinja::Dict made;
  const Node* path = &node;
  jinja::Dict arguments;
  if (node.is_map()) {
    path = node.find("callback");
    for (std::size_t i = 0; i < node.keys.size(); ++i)
      if (node.keys[i].text() != "callback")
        arguments.set(node.keys[i].value, to_value(node.items[i]));
  }
  if (!path || !path->text() || path->text()->find('.') == std::string::npos) {
    findings.fatal(path ? path->place : node.place,
                   "`" + std::string(name) +
                       "` is a function's dotted path, or {callback: dotted "
                       "path, argument: …}, not a " +
                       (path ? path->type_name() : node.type_name()));
    return std::nullopt;
  }
  made.set("callback", *path->text());
  made.set("kwargs", std::move(arguments));
  return Value(std::move(made));
}

std::vector<Param> params_field(const Node& node, Findings& findings) {
  std::vector<Param> params;
  if (node.is_none()) return params;
  if (!node.is_map()) {
    wrong(node, "params", "a mapping of names and values", findings);
    return params;
  }
  for (std::size_t i = 0; i < node.keys.size(); ++i)
    if (auto param = param_of(node.keys[i].text(), node.items[i], findings)) {
      param->place = node.keys[i].place;
      params.push_back(*std::move(param));
    }
  return params;
}

bool check_key(const std::string& key, bool group, const Place& place, Findings& findings) {
  const bool fits = std::ranges::all_of(key, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || (c == '.' && !group) || (static_cast<unsigned char>(c) & 0x80) != 0;
  });
  const std::size_t most = group ? 200 : 250;
  if (fits && !key.empty() && key.size() <= most) return true;
  findings.fatal(place, "the name `" + key + "` must be made of letters, digits, dashes" +
                            (group ? "" : ", dots") + " and underscores, at most " +
                            std::to_string(most));
  return false;
}

}  // namespace tailrace::dags
