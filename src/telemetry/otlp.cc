#include "telemetry/otlp.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>

#include "base/hex.h"
#include "base/json_string.h"

namespace tailrace::telemetry {
namespace {

constexpr std::string_view kScope = "tailrace";
/// W3C's sampled, and OTLP's "it is known whether the parent is elsewhere".
constexpr std::uint32_t kSampledFlag = 1;

std::string_view bytes_of(const auto& id) {
  return {reinterpret_cast<const char*>(id.data()), id.size()};
}

bool is_zero(const auto& id) {
  for (const std::uint8_t byte : id)
    if (byte != 0) return false;
  return true;
}

/// Protobuf's wire format, as far as OTLP's messages need it. Defaults are left out.
class Message {
 public:
  void text(int field, std::string_view value) {
    if (value.empty()) return;
    nested(field, value);
  }
  /// Also when it is empty.
  void nested(int field, std::string_view value) {
    tag(field, 2);
    varint(value.size());
    bytes_ += value;
  }
  void number(int field, std::uint64_t value) {
    if (value == 0) return;
    chosen(field, value);
  }
  /// Of a oneof: also when it is zero.
  void chosen(int field, std::uint64_t value) {
    tag(field, 0);
    varint(value);
  }
  void fixed64(int field, std::uint64_t value) {
    tag(field, 1);
    for (int i = 0; i < 8; ++i) bytes_ += static_cast<char>(value >> (8 * i) & 0xFF);
  }
  void fixed32(int field, std::uint32_t value) {
    tag(field, 5);
    for (int i = 0; i < 4; ++i) bytes_ += static_cast<char>(value >> (8 * i) & 0xFF);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void tag(int field, int type) { varint(static_cast<std::uint64_t>(field << 3 | type)); }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>((value & 0x7F) | 0x80);
    bytes_ += static_cast<char>(value);
  }
  std::string bytes_;
};

std::string key_value(std::string_view key, const decltype(Attribute::value)& value) {
  Message any;
  if (const auto* text = std::get_if<std::string>(&value)) any.nested(1, as_utf8(*text));
  if (const auto* truth = std::get_if<bool>(&value)) any.chosen(2, *truth ? 1 : 0);
  if (const auto* number = std::get_if<std::int64_t>(&value))
    any.chosen(3, static_cast<std::uint64_t>(*number));
  if (const auto* real = std::get_if<double>(&value))
    any.fixed64(4, std::bit_cast<std::uint64_t>(*real));
  Message pair;
  pair.text(1, key);
  pair.nested(2, any.bytes());
  return pair.bytes();
}

std::string span_message(const SpanData& data) {
  Message span;
  span.text(1, bytes_of(data.context.trace_id));
  span.text(2, bytes_of(data.context.span_id));
  span.text(3, data.context.state);
  if (!is_zero(data.parent)) span.text(4, bytes_of(data.parent));
  span.text(5, as_utf8(data.name));
  span.number(6, static_cast<std::uint64_t>(data.kind));
  span.fixed64(7, static_cast<std::uint64_t>(data.begun_ns));
  span.fixed64(8, static_cast<std::uint64_t>(data.ended_ns));
  for (const Attribute& attribute : data.attributes)
    span.nested(9, key_value(attribute.key, attribute.value));
  for (const SpanContext& one : data.links) {
    Message link;
    link.text(1, bytes_of(one.trace_id));
    link.text(2, bytes_of(one.span_id));
    link.text(3, one.state);
    link.fixed32(6, one.sampled ? kSampledFlag : 0);
    span.nested(13, link.bytes());
  }
  span.number(14, data.dropped_links);
  if (data.failed) {
    Message status;
    status.text(2, as_utf8(data.failure));
    status.number(3, 2);
    span.nested(15, status.bytes());
  }
  span.fixed32(16, kSampledFlag);
  return span.bytes();
}

std::string json_value(const decltype(Attribute::value)& value) {
  if (const auto* text = std::get_if<std::string>(&value))
    return "{\"stringValue\":" + json_string(*text) + "}";
  if (const auto* truth = std::get_if<bool>(&value))
    return fmt::format("{{\"boolValue\":{}}}", *truth);
  if (const auto* real = std::get_if<double>(&value))
    return fmt::format("{{\"doubleValue\":{}}}", *real);
  return fmt::format("{{\"intValue\":\"{}\"}}", std::get<std::int64_t>(value));
}

std::string json_pair(std::string_view key, const decltype(Attribute::value)& value) {
  return fmt::format("{{\"key\":{},\"value\":{}}}", json_string(key), json_value(value));
}

std::string json_ids(const SpanContext& context) {
  std::string text =
      fmt::format("\"traceId\":\"{}\",\"spanId\":\"{}\"", encode_hex(bytes_of(context.trace_id)),
                  encode_hex(bytes_of(context.span_id)));
  if (!context.state.empty()) text += ",\"traceState\":" + json_string(context.state);
  return text;
}

std::string span_json(const SpanData& data) {
  std::string text = "{" + json_ids(data.context);
  if (!is_zero(data.parent))
    text += fmt::format(",\"parentSpanId\":\"{}\"", encode_hex(bytes_of(data.parent)));
  text += fmt::format(
      ",\"name\":{},\"kind\":{},\"startTimeUnixNano\":\"{}\",\"endTimeUnixNano\":\"{}\",\"flags\":"
      "1",
      json_string(data.name), static_cast<int>(data.kind), data.begun_ns, data.ended_ns);
  const auto list = [&](std::string_view name, const auto& items, const auto& one) {
    if (items.empty()) return;
    text += fmt::format(",\"{}\":[", name);
    for (const auto& item : items) text += one(item) + ",";
    text.back() = ']';
  };
  list("attributes", data.attributes,
       [](const Attribute& one) { return json_pair(one.key, one.value); });
  list("links", data.links, [](const SpanContext& one) {
    return fmt::format("{{{},\"flags\":{}}}", json_ids(one), one.sampled ? 1 : 0);
  });
  if (data.dropped_links > 0) text += fmt::format(",\"droppedLinksCount\":{}", data.dropped_links);
  if (data.failed)
    text += fmt::format(",\"status\":{{\"code\":2,\"message\":{}}}", json_string(data.failure));
  return text + "}";
}

/// A varint at the front, taken off it; 0 where there is none.
std::uint64_t take_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<std::uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  return 0;
}

}  // namespace

std::string otlp_protobuf(const Pairs& resource, Spans spans) {
  Message described;
  for (const auto& [name, value] : resource) described.nested(1, key_value(name, value));
  Message scope;
  scope.text(1, kScope);
  Message scoped;
  scoped.nested(1, scope.bytes());
  for (const auto& span : spans) scoped.nested(2, span_message(*span));
  Message all;
  all.nested(1, described.bytes());
  all.nested(2, scoped.bytes());
  Message request;
  request.nested(1, all.bytes());
  return request.bytes();
}

std::string otlp_json(const Pairs& resource, Spans spans) {
  std::string text = "{\"resourceSpans\":[{\"resource\":{\"attributes\":[";
  for (std::size_t i = 0; i < resource.size(); ++i)
    text += (i > 0 ? "," : "") + json_pair(resource[i].first, resource[i].second);
  text += "]},\"scopeSpans\":[{\"scope\":{\"name\":" + json_string(kScope) + "},\"spans\":[";
  for (std::size_t i = 0; i < spans.size(); ++i) text += (i > 0 ? "," : "") + span_json(*spans[i]);
  return text + "]}]}]}";
}

std::int64_t rejected_spans(std::string_view answer, bool json) {
  if (json) {
    constexpr std::string_view kName = "\"rejectedSpans\"";
    std::size_t at = answer.find(kName);
    if (at == std::string_view::npos) return 0;
    at = answer.find_first_of("0123456789}", at + kName.size());
    std::int64_t count = 0;
    if (at != std::string_view::npos)
      std::from_chars(answer.data() + at, answer.data() + answer.size(), count);
    return count;
  }
  // ExportTraceServiceResponse: 1 = partial_success, whose 1 = rejected_spans.
  if (!answer.starts_with('\x0A')) return 0;
  answer.remove_prefix(1);
  const std::uint64_t length = take_varint(answer);
  if (length > answer.size() || !answer.starts_with('\x08')) return 0;
  answer.remove_prefix(1);
  return static_cast<std::int64_t>(take_varint(answer));
}

}  // namespace tailrace::telemetry
