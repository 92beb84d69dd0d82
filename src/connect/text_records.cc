#include "connect/text_records.h"

#include <fmt/format.h>

namespace tailrace::connect {
namespace {

enum class Format { kJson, kText, kRaw };

std::string wrapped(std::string_view line, const std::string& from) {
  std::string json = "{\"line\":";
  append_json_string(json, line);
  json += ",\"from\":";
  if (from.empty())
    json += "null";
  else
    append_json_string(json, from);
  json += '}';
  return json;
}

}  // namespace

void add_reject(Delivery& delivery, std::string reason, std::string_view detail,
                const Whence& whence, std::string_view bytes) {
  delivery.rejects.push_back({.reason = std::move(reason),
                              .detail = std::string(detail),
                              .origin = fmt::format("{}#{}", whence.place, whence.number),
                              .bytes = std::string(bytes)});
}

Decode text_decode(Options& options) {
  constexpr Format kFormats[] = {Format::kJson, Format::kText, Format::kRaw};
  const Format format = kFormats[options.choice("format", {"json", "text", "raw"})];
  auto parsed = JsonPath::parse(options.text("key"));
  if (!parsed) options.fail("key", parsed.error().what);
  const JsonPath key = parsed ? *parsed : JsonPath();
  return [format, key](std::string_view message, std::string_view problem, const Whence& whence,
                       Delivery& delivery) {
    if (!problem.empty()) return add_reject(delivery, "incomplete", problem, whence, message);
    Delivery::Item item;
    if (format == Format::kJson) {
      if (const Status good = check_json(message); !good)
        return add_reject(delivery, "bad JSON", good.error().what, whence, message);
    }
    item.value = format == Format::kText ? wrapped(message, whence.from) : std::string(message);
    if (format != Format::kRaw && !key.is_root()) item.key = key.find(item.value);
    delivery.items.push_back(std::move(item));
  };
}

}  // namespace tailrace::connect
