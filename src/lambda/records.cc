#include "lambda/records.h"

#include <fmt/format.h>

#include "base/base64.h"
#include "lambda/json.h"

namespace tailrace::lambda {
namespace {

constexpr std::size_t kMostRejectedBytes = 512 << 10;

std::string topic_of(const Event& event, const Item& item, const Settings& settings) {
  return topic_name(settings.topic, source_name(event.source), item.name, item.type);
}

void add(std::string& out, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  if (out.size() > 1) out += ',';
  fmt::format_to(std::back_inserter(out), "\"{}\":", name);
  append_string(out, text);
}

bool is_text(std::string_view bytes) {
  std::string quoted;
  append_string(quoted, bytes);
  return quoted.find("\xEF\xBF\xBD") == std::string::npos;
}

/// {"source", "id", "type", "time", "origin", "metadata", "payload"}: the payload is JSON where it
/// is, else a text, else base64 under "payload_base64".
std::string envelope(const Event& event, const Item& item) {
  std::string out = "{";
  add(out, "source", source_name(event.source));
  add(out, "name", item.name);
  add(out, "id", item.id);
  add(out, "type", item.type);
  add(out, "time", item.time);
  add(out, "origin", item.origin);
  fmt::format_to(std::back_inserter(out), ",\"metadata\":{}",
                 item.metadata.empty() ? "{}" : item.metadata);
  if (const auto json = Json::parse(item.value)) {
    fmt::format_to(std::back_inserter(out), ",\"payload\":{}", json->raw());
  } else if (is_text(item.value)) {
    out += ",\"payload\":";
    append_string(out, item.value);
  } else {
    fmt::format_to(std::back_inserter(out), ",\"payload_base64\":\"{}\"",
                   encode_base64(item.value));
  }
  return out + "}";
}

std::optional<std::string> key_of(const Item& item, const Settings& settings) {
  if (settings.own_key) return item.key;
  if (settings.key_path.empty()) return std::nullopt;
  const auto json = Json::parse(item.value);
  const auto found = json ? at_path(*json, settings.key_path) : std::nullopt;
  if (!found || found->is_null()) return std::nullopt;
  return found->text();
}

}  // namespace

std::expected<kafka_log::ProducedRecord, Refusal> record_of(const Event& event, const Item& item,
                                                            const Settings& settings,
                                                            std::string_view request_id) {
  if (item.refused) return std::unexpected(*item.refused);
  if (settings.json_only) {
    if (const auto json = Json::parse(item.value); !json)
      return std::unexpected(Refusal{"bad_json", json.error().what});
  }
  kafka_log::ProducedRecord record;
  record.topic = topic_of(event, item, settings);
  record.key = key_of(item, settings);
  record.value = settings.whole_event ? envelope(event, item) : item.value;
  const auto header = [&record](std::string_view name, std::string value) {
    if (!value.empty()) record.headers.emplace_back(name, std::move(value));
  };
  const std::string_view source = source_name(event.source);
  header("ce_specversion", "1.0");
  header("ce_id", item.id.empty() ? std::string(request_id) : item.id);
  header("ce_source", item.origin.empty() ? fmt::format("{}:{}", source, item.name) : item.origin);
  header("ce_type", fmt::format("aws.{}{}{}", source, item.type.empty() ? "" : ".", item.type));
  header("ce_time", item.time);
  return record;
}

Item line_item(const Item& object, std::string_view line, std::int64_t number) {
  Item item = object;
  item.object.reset();
  item.value = line;
  item.key.reset();
  item.id = fmt::format("{}:{}", object.id, number);
  return item;
}

kafka_log::ProducedRecord reject_of(const Event& event, const Item& item, const Refusal& refusal,
                                    const Settings& settings, std::int64_t time_ms) {
  std::string out = "{";
  const auto word = [&out](std::string_view name, std::string_view text) {
    fmt::format_to(std::back_inserter(out), "\"{}\":", name);
    append_string(out, text);
    out += ',';
  };
  word("source", fmt::format("lambda {}", source_name(event.source)));
  word("topic", topic_of(event, item, settings));
  word("reason", refusal.reason);
  word("detail", refusal.detail);
  word("origin", item.id.empty() ? item.origin : item.id);
  const std::string_view bytes = item.value;
  if (bytes.size() > kMostRejectedBytes)
    fmt::format_to(std::back_inserter(out), "\"truncated_from\":{},", bytes.size());
  fmt::format_to(std::back_inserter(out), "\"bytes\":\"{}\",\"time_ms\":{}}}",
                 encode_base64(bytes.substr(0, kMostRejectedBytes)), time_ms);
  return {.topic = settings.rejected, .key = std::nullopt, .value = std::move(out), .headers = {}};
}

}  // namespace tailrace::lambda
