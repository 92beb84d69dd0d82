#include "cql_schema/java_order.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace tailrace::cql_schema {
namespace {

// The code point at `at`, which moves behind it; what is no UTF-8 counts byte by byte.
std::uint32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto first = static_cast<unsigned char>(text[at++]);
  const int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC0 ? 1 : 0;
  if (more == 0 || at + static_cast<std::size_t>(more) > text.size()) return first;
  std::uint32_t point = first & (0x3FU >> more);
  for (int i = 0; i < more; ++i)
    point = point << 6 | (static_cast<unsigned char>(text[at++]) & 0x3FU);
  return point;
}

// Of a map made with room for some, and grown for all.
std::uint32_t enough_buckets(std::size_t keys, std::uint32_t buckets = 16) {
  while (keys * 4 > std::size_t{buckets} * 3) buckets *= 2;
  return buckets;
}

// Of a copy of a map.
std::uint32_t copied_buckets(std::size_t keys) {
  return keys == 0 ? 16 : std::bit_ceil(static_cast<std::uint32_t>(keys * 4 / 3 + 1));
}

template <typename Hash>
std::vector<std::string> in_buckets(std::vector<std::string> keys, std::uint32_t buckets,
                                    Hash&& hash_of) {
  const auto bucket = [&](const std::string& key) {
    const auto hash = static_cast<std::uint32_t>(hash_of(key));
    return (hash ^ hash >> 16) & (buckets - 1);
  };
  std::stable_sort(keys.begin(), keys.end(), [&](const std::string& a, const std::string& b) {
    return bucket(a) < bucket(b);
  });
  return keys;
}

// ByteBuffer.hashCode: from the last byte to the first.
std::uint32_t buffer_hash(std::string_view bytes) {
  std::uint32_t hash = 1;
  for (auto i = bytes.size(); i-- > 0;)
    hash = hash * 31 + static_cast<std::uint32_t>(static_cast<signed char>(bytes[i]));
  return hash;
}

}  // namespace

std::int32_t java_hash(std::string_view text) {
  std::uint32_t hash = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto point = next_code_point(text, at);
    if (point > 0xFFFF) {
      hash = hash * 31 + (0xD800 + ((point - 0x10000) >> 10));
      hash = hash * 31 + (0xDC00 + ((point - 0x10000) & 0x3FF));
    } else {
      hash = hash * 31 + point;
    }
  }
  return static_cast<std::int32_t>(hash);
}

std::vector<std::string> java_order(const std::vector<std::string>& keys) {
  return in_buckets(keys, enough_buckets(keys.size()), java_hash);
}

std::vector<std::string> java_copy_order(const std::vector<std::string>& keys, std::size_t size) {
  return in_buckets(keys, copied_buckets(size), java_hash);
}

std::vector<std::string> java_buffer_order(const std::vector<std::string>& names,
                                           std::size_t copied) {
  return in_buckets(names, enough_buckets(names.size(), copied_buckets(copied)), buffer_hash);
}

std::string java_list(const std::vector<std::string>& words) {
  std::string text = "[";
  for (const auto& word : words) {
    if (text.size() > 1) text += ", ";
    text += word;
  }
  return text + "]";
}

}  // namespace tailrace::cql_schema
