// Reads which topics a classic consumer subscribes to out of its protocol metadata.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace tailrace::groups {

/// The topics of Kafka's ConsumerProtocolSubscription, every version of which opens alike:
/// `int16 version, int32 count, count × (int16 length, bytes), …`. No value when it is none.
std::optional<std::set<std::string>> subscribed_topics(std::string_view metadata);

}  // namespace tailrace::groups
