#include "groups/topic_hash.h"

#include <xxhash.h>

#include <algorithm>

#include "base/bytes.h"

namespace tailrace::groups {

namespace {

/// Integers are hashed little-endian.
template <typename T>
void put(std::string& out, T value) {
  char raw[sizeof(T)];
  store_be(raw, value);
  std::reverse(raw, raw + sizeof raw);
  out.append(raw, sizeof raw);
}

std::int64_t hash(const std::string& bytes) {
  return static_cast<std::int64_t>(XXH3_64bits(bytes.data(), bytes.size()));
}

/// A name is hashed as UTF-16 and its length; names of topics are ASCII.
std::int64_t topic_hash(const std::string& name, const Topic& topic) {
  std::string bytes(1, '\0');
  put(bytes, load_be<std::int64_t>(topic.id.bytes.data()));
  put(bytes, load_be<std::int64_t>(topic.id.bytes.data() + 8));
  for (const char c : name) put(bytes, static_cast<std::int16_t>(c));
  put(bytes, static_cast<std::int32_t>(name.size()));
  put(bytes, topic.partitions);
  for (std::int32_t i = 0; i < topic.partitions; ++i) put(bytes, i);
  return hash(bytes);
}

}  // namespace

std::int64_t topics_hash(const std::set<std::string>& names, const Topics& topics) {
  std::string bytes;
  for (const auto& name : names) {
    const auto topic = topics.find(name);
    if (topic != topics.end()) put(bytes, topic_hash(name, topic->second));
  }
  return bytes.empty() ? 0 : hash(bytes);
}

}  // namespace tailrace::groups
