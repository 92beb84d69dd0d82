// CloudEvents as JSON texts: the envelope stays as it was sent, byte for byte, where it was JSON.
#include "hooks/cloud_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "net/http_message.h"

namespace tailrace::hooks {
namespace {

using connect::WebhookOptions;
using Json = nlohmann::ordered_json;

constexpr std::string_view kStructured = "application/cloudevents+json";
constexpr std::string_view kBatch = "application/cloudevents-batch+json";

Body refuse(std::string why) {
  return {.refused = 400, .why = std::move(why)};
}

/// What simdjson takes is not nested too deep for what follows, too.
Body not_json(std::string_view text, const Status& why) {
  const std::string where = where_not_json(text);
  return refuse("the body is not JSON: " + (where.empty() ? why.error().what : where));
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// What is wrong with an envelope's attributes; empty: nothing.
std::string fault_of(const Json& event) {
  if (!event.is_object()) return "a CloudEvent is a JSON object";
  for (const char* name : {"specversion", "id", "source", "type"}) {
    const auto at = event.find(name);
    if (at == event.end() || !at->is_string() || at->get_ref<const std::string&>().empty())
      return fmt::format("the CloudEvent has no `{}`: a text that is not empty", name);
  }
  const auto& version = event["specversion"].get_ref<const std::string&>();
  if (version != "1.0") return fmt::format("specversion `{}`: 1.0 is taken here", version);
  if (event.contains("data") && event.contains("data_base64"))
    return "the CloudEvent has both `data` and `data_base64`";
  return {};
}

/// The record of its data alone. Base64 is undone, a text that is no JSON stays one.
Result<std::string> data_of(const Json& event) {
  if (const auto packed = event.find("data_base64"); packed != event.end()) {
    if (!packed->is_string())
      return error(Code::kInvalidArgument, "`data_base64` of the CloudEvent is no text");
    auto bytes = decode_base64(packed->get_ref<const std::string&>());
    if (!bytes)
      return error(Code::kInvalidArgument, "`data_base64` of the CloudEvent is no base64");
    return std::move(*bytes);
  }
  const auto data = event.find("data");
  return data == event.end() ? std::string("null") : dump(*data);
}

/// One event to a part; an Error says what is wrong.
Result<Part> part_of(const WebhookOptions& hook, const Json& event, std::string envelope) {
  if (auto fault = fault_of(event); !fault.empty())
    return error(Code::kInvalidArgument, std::move(fault));
  Part part;
  connect::Delivery::Item item;
  item.value = std::move(envelope);
  if (hook.event_data) {
    ASSIGN(item.value, data_of(event));
  }
  if (hook.key) {
    item.key = hook.key->find(item.value);
  } else if (const auto key = event.find("partitionkey"); key != event.end() && key->is_string()) {
    item.key = key->get<std::string>();
  }
  part.items.push_back(std::move(item));
  // "source + id is unique for each distinct event".
  part.id = event["source"].get_ref<const std::string&>() + "\n" +
            event["id"].get_ref<const std::string&>();
  return part;
}

Body read_structured(const WebhookOptions& hook, std::string_view text) {
  if (auto good = connect::check_json(text); !good) return not_json(text, good);
  const Json event = Json::parse(text, nullptr, false);
  auto part = part_of(hook, event, std::string(text));
  if (!part) return refuse(part.error().what);
  Body body;
  body.parts.push_back(std::move(*part));
  return body;
}

Body read_batch(const WebhookOptions& hook, std::string_view text) {
  if (auto good = connect::check_json(text); !good) return not_json(text, good);
  const Json events = Json::parse(text, nullptr, false);
  if (!events.is_array()) return refuse("a batch of CloudEvents is a JSON array");
  if (events.size() > kMostRecords)
    return {.refused = 413, .why = fmt::format("over {} events in one batch", kMostRecords)};
  auto texts = connect::json_elements(text, *connect::JsonPath::parse("$"));
  Body body;
  for (std::size_t i = 0; i < events.size(); ++i) {
    std::string envelope =
        texts && texts->size() == events.size() ? std::move((*texts)[i]) : dump(events[i]);
    auto part = part_of(hook, events[i], std::move(envelope));
    if (!part) return refuse(fmt::format("event {} of the batch: {}", i + 1, part.error().what));
    body.parts.push_back(std::move(*part));
  }
  return body;
}

/// The binary mode's body as a member of the envelope: JSON as it is, text as text, else base64.
std::string data_member(const net::Request& request, const std::string& type) {
  const std::string& body = request.body;
  const bool json =
      type.empty() || type == "application/json" || type == "text/json" || type.ends_with("+json");
  if (json && connect::check_json(body)) return "\"data\":" + body;
  std::string member;
  if (type.starts_with("text/")) {
    member = "\"data\":";
    connect::append_json_string(member, body);
  } else {
    member = "\"data_base64\":\"" + encode_base64(body) + "\"";
  }
  return member;
}

Body read_binary(const WebhookOptions& hook, const net::Request& request, const std::string& type) {
  Json event = Json::object();
  const auto add = [&](const std::string& header) {
    const std::string_view value = request.header(header);
    if (value.empty()) return;
    const auto decoded = net::percent_decode(value, false);
    event[header.substr(3)] = decoded ? *decoded : std::string(value);
  };
  for (const char* first : {"ce-specversion", "ce-id", "ce-source", "ce-type"}) add(first);
  for (const auto& [header, value] : request.headers)
    if (header.starts_with("ce-") && header != "ce-data" && header != "ce-data_base64") add(header);
  const std::string_view content_type = request.header("content-type");
  if (!content_type.empty()) event["datacontenttype"] = std::string(content_type);
  std::string envelope = dump(event);
  if (!request.body.empty()) {
    envelope.pop_back();
    envelope += "," + data_member(request, type) + "}";
  }
  return read_structured(hook, envelope);
}

}  // namespace

bool is_cloud_event(const net::Request& request, const std::string& type) {
  return type == kStructured || type == kBatch || request.headers.contains("ce-specversion") ||
         request.headers.contains("ce-id");
}

Body read_cloud_events(const WebhookOptions& hook, const net::Request& request,
                       const std::string& type) {
  if (type == kBatch) return read_batch(hook, request.body);
  if (type == kStructured) return read_structured(hook, request.body);
  if (request.headers.contains("ce-specversion") || request.headers.contains("ce-id"))
    return read_binary(hook, request, type);
  // A source whose format is said: whatever the type is called.
  const std::size_t begin = request.body.find_first_not_of(" \t\r\n");
  if (begin != std::string::npos && request.body[begin] == '[')
    return read_batch(hook, request.body);
  return read_structured(hook, request.body);
}

}  // namespace tailrace::hooks
