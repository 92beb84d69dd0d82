// Kafka's default partitioner: murmur2 with its seed, the sign bit taken off, modulo the
// partitions.
#include <cstring>

#include "base/check.h"
#include "connect/runner.h"

namespace tailrace::connect {
namespace {

// org.apache.kafka.common.utils.Utils.murmur2
std::uint32_t murmur2(std::string_view data) {
  constexpr std::uint32_t kMix = 0x5bd1e995;
  const std::size_t length = data.size();
  std::uint32_t hash = 0x9747b28c ^ static_cast<std::uint32_t>(length);
  std::size_t at = 0;
  for (; at + 4 <= length; at += 4) {
    std::uint32_t k;
    std::memcpy(&k, data.data() + at, 4);
    k *= kMix;
    k ^= k >> 24;
    k *= kMix;
    hash = hash * kMix ^ k;
  }
  if (at < length) {
    std::uint32_t tail = 0;
    for (std::size_t i = length; i > at; --i)
      tail = tail << 8 | static_cast<unsigned char>(data[i - 1]);
    hash = (hash ^ tail) * kMix;
  }
  hash ^= hash >> 13;
  hash *= kMix;
  return hash ^ hash >> 15;
}

}  // namespace

std::int32_t partition_of_key(std::string_view key, std::int32_t partitions) {
  CHECK(partitions > 0);
  return static_cast<std::int32_t>(murmur2(key) & 0x7fffffff) % partitions;
}

}  // namespace tailrace::connect
