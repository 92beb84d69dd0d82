#include "log/topic.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "base/hex.h"

namespace tailrace::log {
namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::int32_t kMaxPartitions = 10000;
constexpr std::size_t kMaxNameBytes = 249;

struct NumberSetting {
  std::string_view name;
  std::int64_t TopicSettings::*field;
  std::int64_t least;
  std::int64_t most;
};

constexpr NumberSetting kNumbers[] = {
    {"retention.ms", &TopicSettings::retention_ms, -1, INT64_MAX},
    {"retention.bytes", &TopicSettings::retention_bytes, INT64_MIN, INT64_MAX},
    {"segment.bytes", &TopicSettings::segment_bytes, 1024, INT32_MAX},
    {"segment.ms", &TopicSettings::segment_ms, 1, INT64_MAX},
    {"max.message.bytes", &TopicSettings::max_message_bytes, 0, INT32_MAX},
    {"index.interval.bytes", &TopicSettings::index_interval_bytes, 0, INT32_MAX},
};

Result<std::int64_t> number(std::string_view name, std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) {
    return error(Code::kInvalidArgument, fmt::format("{}: '{}' is not a whole number", name, text));
  }
  return value;
}

Status check_range(std::string_view name, std::int64_t value, std::int64_t least,
                   std::int64_t most) {
  if (value >= least && value <= most) return {};
  return error(Code::kInvalidArgument,
               fmt::format("{}={} is not between {} and {}", name, value, least, most));
}

bool legal(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

/// In Kafka's words; empty for a name.
std::string why_no_topic_name(std::string_view name) {
  if (name.empty()) return "the empty string is not allowed";
  if (name == "." || name == "..") return fmt::format("'{}' is not allowed", name);
  if (name.size() > kMaxNameBytes) {
    return fmt::format("the length of '{}' is longer than the max allowed length {}",
                       name.substr(0, 2 * kMaxNameBytes), kMaxNameBytes);
  }
  if (std::ranges::all_of(name, legal)) return {};
  return fmt::format(
      "'{}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
      name);
}

std::string_view compression_type(const TopicSettings& settings) {
  if (settings.compression != Compression::kNone) return compression_name(settings.compression);
  return settings.uncompressed ? "uncompressed" : "producer";
}

std::set<std::string> names(std::string_view list) {
  std::set<std::string> all;
  while (!list.empty()) {
    const auto one = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), one.size() + 1));
    all.emplace(one);
  }
  return all;
}

Result<TopicId> parse_id(std::string_view text) {
  TopicId id{};
  if (text.size() != 32) return error(Code::kDataLoss, "topic.id is not 32 hex digits");
  for (std::size_t i = 0; i < id.size(); ++i) {
    const auto* at = text.data() + 2 * i;
    const auto [end, failure] = std::from_chars(at, at + 2, id[i], 16);
    if (failure != std::errc() || end != at + 2) {
      return error(Code::kDataLoss, "topic.id is not 32 hex digits");
    }
  }
  return id;
}

}  // namespace

bool TopicSettings::deletes_old() const {
  const auto policy = extra.find("cleanup.policy");
  return policy == extra.end() || policy->second.find("delete") != std::string::npos;
}

std::string topic_id_text(const TopicId& id) {
  std::string text;
  std::uint32_t bits = 0;
  int held = 0;
  for (const auto byte : id) {
    bits = (bits << 8) | byte;
    for (held += 8; held >= 6; held -= 6) text += kBase64[(bits >> (held - 6)) & 63];
  }
  text += kBase64[(bits << (6 - held)) & 63];
  return text;
}

Status check_topic_name(std::string_view name) {
  const std::string why = why_no_topic_name(name);
  if (!why.empty()) return error(Code::kInvalidArgument, "Topic name is invalid: " + why);
  return {};
}

Status check_settings(const TopicSettings& settings) {
  TRY(check_range("partitions", settings.partitions, 1, kMaxPartitions));
  for (const auto& known : kNumbers) {
    TRY(check_range(known.name, settings.*known.field, known.least, known.most));
  }
  for (const auto& [name, value] : settings.extra) {
    if (name.empty() || name.find_first_of("=\n") != std::string::npos ||
        value.find('\n') != std::string::npos) {
      return error(Code::kInvalidArgument, "bad topic setting '" + name + "'");
    }
  }
  return {};
}

Status set_setting(TopicSettings& settings, std::string_view name, std::string_view value) {
  if (name == "compression.type") {
    ASSIGN(settings.compression, parse_compression(value));
    settings.uncompressed = value == "uncompressed";
    return {};
  }
  if (name == "partitions") {
    ASSIGN(const auto count, number(name, value));
    TRY(check_range(name, count, 1, kMaxPartitions));
    settings.partitions = static_cast<std::int32_t>(count);
    return {};
  }
  for (const auto& known : kNumbers) {
    if (known.name != name) continue;
    ASSIGN(const auto parsed, number(name, value));
    TRY(check_range(name, parsed, known.least, known.most));
    settings.*known.field = parsed;
    return {};
  }
  settings.extra[std::string(name)] = value;
  return {};
}

std::optional<std::string> get_setting(const TopicSettings& settings, std::string_view name) {
  if (name == "compression.type") return std::string(compression_type(settings));
  for (const auto& known : kNumbers) {
    if (known.name == name) return fmt::format("{}", settings.*known.field);
  }
  const auto found = settings.extra.find(std::string(name));
  if (found == settings.extra.end()) return std::nullopt;
  return found->second;
}

std::string encode_topic(const Topic& topic) {
  std::string text =
      fmt::format("topic.id={}\npartitions={}\ncompression.type={}\n",
                  encode_hex({reinterpret_cast<const char*>(topic.id.data()), topic.id.size()}),
                  topic.settings.partitions, compression_type(topic.settings));
  for (const auto& known : kNumbers) {
    text += fmt::format("{}={}\n", known.name, topic.settings.*known.field);
  }
  for (const auto& [name, value] : topic.settings.extra) {
    text += fmt::format("{}={}\n", name, value);
  }
  if (topic.settings.own) {
    text += fmt::format("topic.own={}\n", fmt::join(*topic.settings.own, ","));
  }
  return text;
}

Result<Topic> decode_topic(std::string_view name, std::string_view text) {
  Topic topic;
  topic.name = name;
  bool has_id = false;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) {
      return error(Code::kDataLoss, fmt::format("topic {}: a line without '='", name));
    }
    if (line.starts_with("topic.id=")) {
      ASSIGN(topic.id, parse_id(line.substr(equals + 1)));
      has_id = true;
    } else if (line.starts_with("topic.own=")) {
      topic.settings.own = names(line.substr(equals + 1));
    } else {
      TRY(set_setting(topic.settings, line.substr(0, equals), line.substr(equals + 1)));
    }
  }
  if (!has_id) return error(Code::kDataLoss, fmt::format("topic {}: no topic.id", name));
  return topic;
}

}  // namespace tailrace::log
