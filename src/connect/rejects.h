// Rejects as records of the topic `__rejected`: JSON {source, topic, reason, detail, origin, bytes
// (base64), time_ms}.
#pragma once

#include <string>
#include <string_view>

#include "base/strong.h"
#include "connect/source.h"
#include "log/topic.h"

namespace tailrace::connect {

inline constexpr std::string_view kOversized = "oversized";
/// It does not fit the topic's schema.
inline constexpr std::string_view kMisfit = "schema";
/// It could not become a row of its staging table.
inline constexpr std::string_view kUnstaged = "staging";

/// Bytes beyond 16 MiB are cut off, and {"truncated_from": N} says so.
std::string encode_reject(std::string_view source, std::string_view topic, const Reject& reject,
                          TimestampMs time);

log::TopicSettings rejected_topic_settings();

}  // namespace tailrace::connect
