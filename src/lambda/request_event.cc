#include "lambda/request_event.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/base64.h"

namespace tailrace::lambda {
namespace {

std::string in_lower_case(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

/// A header by its name in any case; of several values the first.
std::string header(const Json& event, std::string_view wanted) {
  for (const std::string_view place : {"headers", "multiValueHeaders"}) {
    const auto headers = event.find(place);
    if (!headers) continue;
    for (const auto& [name, value] : headers->members()) {
      if (in_lower_case(name) != wanted) continue;
      if (!value.is_array()) return value.text();
      const auto all = value.items();
      return all.empty() ? "" : all.front().text();
    }
  }
  return "";
}

std::optional<Source> format_of(const Json& event) {
  const auto context = event.find("requestContext");
  if (!context || !context->is_object()) return std::nullopt;
  if (context->find("elb")) return Source::kAlb;
  if (context->find("http")) return Source::kApiV2;
  if (event.find("httpMethod")) return Source::kApiV1;
  return std::nullopt;
}

/// Headers that say who asks: they do not go into a topic.
constexpr std::string_view kPrivate[] = {"authorization", "cookie", "proxy-authorization",
                                         "x-amz-security-token", "x-api-key"};

std::string public_headers(const Json& headers) {
  std::string out = "{";
  for (const auto& [name, value] : headers.members()) {
    if (std::ranges::find(kPrivate, in_lower_case(name)) != std::end(kPrivate)) continue;
    if (out.size() > 1) out += ',';
    append_string(out, name);
    out += fmt::format(":{}", value.raw());
  }
  return out + "}";
}

std::string metadata_of(const Json& event, const Item& item) {
  std::string out = "{\"method\":";
  append_string(out, item.type);
  out += ",\"path\":";
  append_string(out, item.name);
  for (const std::string_view name :
       {"rawQueryString", "queryStringParameters", "multiValueQueryStringParameters",
        "pathParameters", "headers", "multiValueHeaders"}) {
    const auto found = event.find(name);
    if (!found || found->is_null()) continue;
    const bool headers = name == "headers" || name == "multiValueHeaders";
    out += fmt::format(",\"{}\":{}", name, headers ? public_headers(*found) : found->raw());
  }
  return out + "}";
}

/// One item a line that is not blank.
void split_lines(const Item& whole, std::vector<Item>& items) {
  const std::string_view text = whole.value;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    at = end + 1;
    if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
    Item item = whole;
    item.value = line;
    item.id += fmt::format("#{}", items.size());
    items.push_back(std::move(item));
  }
}

}  // namespace

std::optional<Event> request_event(const Json& event) {
  const auto format = format_of(event);
  if (!format) return std::nullopt;
  Event out;
  out.source = *format;
  Item item;
  item.id = text_at(event, {"requestContext", "requestId"});
  if (item.id.empty()) item.id = header(event, "x-amzn-trace-id");
  const bool second = *format == Source::kApiV2;
  item.type = second ? text_at(event, {"requestContext", "http", "method"})
                     : text_at(event, {"httpMethod"});
  item.name = text_at(event, {second ? "rawPath" : "path"});
  item.time = text_at(event, {"requestContext", second ? "time" : "requestTime"});
  item.metadata = metadata_of(event, item);
  const auto body = event.find("body");
  const auto text = body ? body->string() : std::nullopt;
  const auto encoded = event.find("isBase64Encoded");
  auto bytes = text;
  if (text && encoded && encoded->raw() == "true") bytes = decode_base64(*text);
  if (!bytes || bytes->empty()) {
    item.value = text.value_or("");
    item.refused = Refusal{
        "malformed", text && !text->empty() ? "the body is not base64" : "the request has no body"};
    out.items.push_back(std::move(item));
    return out;
  }
  item.value = *std::move(bytes);
  const std::string type = in_lower_case(header(event, "content-type"));
  if (type.starts_with("application/x-ndjson") || type.starts_with("application/jsonl") ||
      type.starts_with("application/x-jsonlines")) {
    split_lines(item, out.items);
    if (!out.items.empty()) return out;
    item.refused = Refusal{"malformed", "the request has no line"};
  }
  out.items.push_back(std::move(item));
  return out;
}

}  // namespace tailrace::lambda
