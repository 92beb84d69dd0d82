// Formats of bodies.
#include "hooks/body.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>
#include <unordered_map>

#include "hooks/cloud_events.h"
#include "net/http_message.h"

namespace tailrace::hooks {
namespace {

using connect::Delivery;
using connect::WebhookOptions;
using Format = WebhookOptions::Format;

constexpr std::string_view kTaken =
    "application/json, application/x-ndjson, application/cloudevents+json, "
    "application/cloudevents-batch+json, application/x-www-form-urlencoded";
constexpr std::size_t kMostFields = 10'000;

Body refuse(int status, std::string why) {
  return {.refused = status, .why = std::move(why)};
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::string_view without_mark(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return text;
}

/// The media type in lower case, without its parameters.
std::string media_type(const net::Request& request) {
  std::string_view value = request.header("content-type");
  std::string type(trimmed(value.substr(0, std::min(value.find(';'), value.size()))));
  for (char& c : type) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return type;
}

bool looks_like_json(std::string_view body) {
  const std::string_view text = trimmed(without_mark(body));
  return text.starts_with('{') || text.starts_with('[');
}

/// kAuto: none is known for this type.
Format format_of(const net::Request& request, const std::string& type) {
  if (is_cloud_event(request, type)) return Format::kCloudEvents;
  if (type == "application/json" || type == "text/json" || type.ends_with("+json"))
    return Format::kJson;
  for (const char* lines : {"application/x-ndjson", "application/ndjson", "application/jsonl",
                            "application/x-jsonlines", "application/jsonlines"})
    if (type == lines) return Format::kNdjson;
  // What curl and SNS call what they send.
  const bool form = type == "application/x-www-form-urlencoded";
  if ((form || type.empty() || type == "text/plain" || type == "application/octet-stream") &&
      looks_like_json(request.body) && connect::check_json(without_mark(request.body)))
    return Format::kJson;
  return form ? Format::kForm : Format::kAuto;
}

Delivery::Item item_of(const WebhookOptions& hook, std::string value) {
  Delivery::Item item;
  if (hook.key) item.key = hook.key->find(value);
  item.value = std::move(value);
  return item;
}

Body read_json(const WebhookOptions& hook, std::string_view text) {
  text = trimmed(without_mark(text));
  if (text.empty()) return refuse(400, "the body is empty");
  if (auto good = connect::check_json(text); !good) {
    const std::string where = where_not_json(text);
    return refuse(400, "the body is not JSON: " + (where.empty() ? good.error().what : where));
  }
  Part part;
  if (!hook.split) {
    part.items.push_back(item_of(hook, std::string(text)));
  } else {
    auto elements = connect::json_elements(text, *hook.split);
    if (!elements) return refuse(400, "the body has no records to split: " + elements.error().what);
    if (elements->size() > kMostRecords)
      return refuse(413, fmt::format("{} records: at most {} in one request", elements->size(),
                                     kMostRecords));
    for (std::string& one : *elements) part.items.push_back(item_of(hook, std::move(one)));
  }
  Body body;
  body.parts.push_back(std::move(part));
  return body;
}

Body read_lines(const WebhookOptions& hook, const std::string& name, std::string_view text) {
  text = without_mark(text);
  Body body;
  Part part;
  std::size_t line = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view one = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line;
    if (one.empty()) continue;
    if (part.items.size() + part.rejects.size() >= kMostRecords)
      return refuse(413, fmt::format("over {} lines in one request", kMostRecords));
    if (auto good = connect::check_json(one)) {
      part.items.push_back(item_of(hook, std::string(one)));
    } else {
      const std::string where = where_not_json(one);
      const std::string why = where.empty() ? good.error().what : where;
      body.bad.push_back({line, why});
      part.rejects.push_back(
          {"bad JSON", why, fmt::format("{}:line {}", name, line), std::string(one)});
    }
  }
  if (part.items.empty() && part.rejects.empty()) return refuse(400, "the body is empty");
  if (part.items.empty())
    return refuse(400, fmt::format("no line is JSON; line {}: {}", body.bad.front().line,
                                   body.bad.front().why));
  body.parts.push_back(std::move(part));
  return body;
}

/// A form's value as JSON: `payload` that is a JSON object is one.
std::string form_value(const std::string& name, const std::string& value) {
  if (name == "payload" && value.starts_with('{') && connect::check_json(value)) return value;
  std::string text;
  connect::append_json_string(text, value);
  return text;
}

Body read_form(const WebhookOptions& hook, std::string_view text) {
  std::vector<std::pair<std::string, std::vector<std::string>>> fields;
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t count = 0; !text.empty(); ++count) {
    if (count >= kMostFields) return refuse(413, fmt::format("over {} fields", kMostFields));
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    const std::size_t is = std::min(pair.find('='), pair.size());
    const auto name = net::percent_decode(pair.substr(0, is), true);
    const auto value = net::percent_decode(pair.substr(std::min(is + 1, pair.size())), true);
    if (!name || !value)
      return refuse(400, fmt::format("field {} of the form: {}", count + 1,
                                     (name ? value : name).error().what));
    const auto [at, added] = places.emplace(*name, fields.size());
    if (added) fields.push_back({*name, {}});
    fields[at->second].second.push_back(form_value(*name, *value));
  }
  if (fields.empty()) return refuse(400, "the form is empty");
  std::string json = "{";
  for (const auto& [name, values] : fields) {
    if (json.size() > 1) json += ',';
    connect::append_json_string(json, name);
    json += ':';
    json += values.size() == 1 ? values.front() : fmt::format("[{}]", fmt::join(values, ","));
  }
  json += '}';
  Body body;
  body.parts.emplace_back().items.push_back(item_of(hook, std::move(json)));
  return body;
}

}  // namespace

std::string where_not_json(std::string_view text) {
  try {
    std::ignore = nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& failure) {
    const std::size_t at =
        std::min<std::size_t>(failure.byte > 0 ? failure.byte - 1 : 0, text.size());
    const auto before = text.substr(0, at);
    const auto line = std::ranges::count(before, '\n') + 1;
    const std::size_t begin = before.rfind('\n');
    const std::size_t column = begin == std::string_view::npos ? at + 1 : at - begin;
    // "[json.exception.parse_error.101] parse error at line 1, column 9: syntax error while …"
    std::string_view what = failure.what();
    if (const auto colon = what.find(": "); colon != what.npos) what.remove_prefix(colon + 2);
    return fmt::format("line {}, column {}: {}", line, column, what);
  } catch (const nlohmann::json::exception& failure) {
    return failure.what();
  }
  return {};
}

Body read_body(const WebhookOptions& hook, const std::string& name, const net::Request& request) {
  const std::string type = media_type(request);
  const Format format = hook.format == Format::kAuto ? format_of(request, type) : hook.format;
  switch (format) {
    case Format::kJson:
      return read_json(hook, request.body);
    case Format::kNdjson:
      return read_lines(hook, name, request.body);
    case Format::kCloudEvents:
      return read_cloud_events(hook, request, type);
    case Format::kForm:
      return read_form(hook, request.body);
    case Format::kRaw: {
      Body body;
      body.parts.emplace_back().items.push_back(item_of(hook, request.body));
      return body;
    }
    case Format::kAuto:
      break;
  }
  return refuse(415, fmt::format("the Content-Type {} is not taken here: {}; or the source says "
                                 "its `format`",
                                 type.empty() ? "is missing, and" : "`" + type + "`", kTaken));
}

}  // namespace tailrace::hooks
