// A topic's name, id and settings, by Kafka's names, and the file they are kept in (<topic>.meta:
// `name=value` lines).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "log/compression.h"

namespace tailrace::log {

/// Settings of a topic. -1 means without limit.
struct TopicSettings {
  std::int32_t partitions = 1;
  std::int64_t retention_ms = 7LL * 24 * 3600 * 1000;  ///< retention.ms
  std::int64_t retention_bytes = -1;                   ///< retention.bytes, per partition
  std::int64_t segment_bytes = 256LL << 20;            ///< segment.bytes
  std::int64_t segment_ms = 7LL * 24 * 3600 * 1000;    ///< segment.ms
  std::int64_t max_message_bytes = 1 << 20;  ///< max.message.bytes: of a batch, after compression
  std::int64_t index_interval_bytes = 4096;  ///< index.interval.bytes
  /// compression.type for batches that are built here; kNone stores them plain.
  Compression compression = Compression::kNone;
  bool uncompressed = false;  ///< compression.type=uncompressed rather than producer
  /// Settings of other rooms that travel with the topic (format, cleanup.policy …), kept as they
  /// are.
  std::map<std::string, std::string> extra;
  /// The names that were set on the topic itself: the others follow the broker's settings when
  /// those change. None: whoever made it says nothing of that.
  std::optional<std::set<std::string>> own;

  /// Whether cleanup.policy lets old records go (KIP-71); "compact" alone does not.
  bool deletes_old() const;

  bool operator==(const TopicSettings&) const = default;
};

using TopicId = std::array<std::uint8_t, 16>;

/// 22 characters of URL-safe base64, as Kafka prints a Uuid.
std::string topic_id_text(const TopicId& id);

struct Topic {
  std::string name;
  TopicId id{};
  TopicSettings settings;
};

/// 1–249 of [a-zA-Z0-9._-], not "." or "..": kInvalidArgument otherwise.
Status check_topic_name(std::string_view name);
/// Ranges of each setting; kInvalidArgument names the setting.
Status check_settings(const TopicSettings& settings);
/// Sets one setting by Kafka's name; unknown names go to `extra`.
Status set_setting(TopicSettings& settings, std::string_view name, std::string_view value);
/// One setting by Kafka's name, as set_setting() takes it; nullopt for one that is neither known
/// here nor in `extra`.
std::optional<std::string> get_setting(const TopicSettings& settings, std::string_view name);

std::string encode_topic(const Topic& topic);
Result<Topic> decode_topic(std::string_view name, std::string_view text);

}  // namespace tailrace::log
