#include "groups/consumer_subscription.h"

#include <cstdint>

#include "base/bytes.h"

namespace tailrace::groups {

namespace {

template <typename T>
std::optional<T> take(std::string_view& from) {
  if (from.size() < sizeof(T)) return std::nullopt;
  const T value = load_be<T>(from.data());
  from.remove_prefix(sizeof(T));
  return value;
}

}  // namespace

std::optional<std::set<std::string>> subscribed_topics(std::string_view metadata) {
  const auto version = take<std::int16_t>(metadata);
  const auto count = take<std::int32_t>(metadata);
  if (!version || *version < 0 || !count || *count < 0) return std::nullopt;
  std::set<std::string> topics;
  for (std::int32_t i = 0; i < *count; ++i) {
    const auto length = take<std::int16_t>(metadata);
    if (!length || *length < 0 || metadata.size() < static_cast<std::size_t>(*length))
      return std::nullopt;
    topics.emplace(metadata.substr(0, static_cast<std::size_t>(*length)));
    metadata.remove_prefix(static_cast<std::size_t>(*length));
  }
  return topics;
}

}  // namespace tailrace::groups
