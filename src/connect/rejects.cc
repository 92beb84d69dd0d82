#include "connect/rejects.h"

#include <fmt/format.h>

#include "base/base64.h"
#include "connect/json_path.h"

namespace tailrace::connect {
namespace {
constexpr std::size_t kMaxBytes = 16 << 20;
}  // namespace

std::string encode_reject(std::string_view source, std::string_view topic, const Reject& reject,
                          TimestampMs time) {
  std::string out = "{";
  const auto add = [&out](std::string_view name, std::string_view text) {
    out += fmt::format("\"{}\":", name);
    append_json_string(out, text);
    out += ',';
  };
  add("source", source);
  add("topic", topic);
  add("reason", reject.reason);
  add("detail", reject.detail);
  add("origin", reject.origin);
  if (reject.bytes.size() > kMaxBytes)
    out += fmt::format("\"truncated_from\":{},", reject.bytes.size());
  out += fmt::format("\"bytes\":\"{}\",",
                     encode_base64(std::string_view(reject.bytes).substr(0, kMaxBytes)));
  return out + fmt::format("\"time_ms\":{}}}", time.value);
}

log::TopicSettings rejected_topic_settings() {
  log::TopicSettings settings;
  settings.max_message_bytes = 64 << 20;
  return settings;
}

}  // namespace tailrace::connect
