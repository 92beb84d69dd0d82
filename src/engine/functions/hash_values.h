// Spark's hashes of values, folded over columns: hash() is Murmur3 x86 32 with the last bytes mixed
// one at a time as signed integers (not as the reference does), xxhash64() is XXH64. Each column
// starts from the hash of the columns before it; a null leaves it as it is.
#pragma once

#include <xxhash.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tailrace::engine {

struct SparkMurmur3 {
  using Hash = std::int32_t;

  static Hash of_int(std::int32_t value, Hash seed) { return finish(mix(seed, value), 4); }
  static Hash of_long(std::int64_t value, Hash seed) {
    const Hash low = mix(seed, static_cast<std::int32_t>(value));
    return finish(mix(low, static_cast<std::int32_t>(value >> 32)), 8);
  }
  static Hash of_bytes(std::string_view bytes, Hash seed) {
    const std::size_t whole = bytes.size() & ~std::size_t{3};
    for (std::size_t at = 0; at < whole; at += 4) {
      std::int32_t word;
      std::memcpy(&word, bytes.data() + at, 4);
      seed = mix(seed, word);
    }
    for (std::size_t at = whole; at < bytes.size(); ++at)
      seed = mix(seed, static_cast<signed char>(bytes[at]));
    return finish(seed, static_cast<std::uint32_t>(bytes.size()));
  }

 private:
  static Hash mix(Hash hash, std::int32_t word) {
    auto k = static_cast<std::uint32_t>(word) * 0xcc9e2d51U;
    k = std::rotl(k, 15) * 0x1b873593U;
    return static_cast<Hash>(std::rotl(static_cast<std::uint32_t>(hash) ^ k, 13) * 5 + 0xe6546b64U);
  }
  static Hash finish(Hash hash, std::uint32_t length) {
    auto h = static_cast<std::uint32_t>(hash) ^ length;
    h = (h ^ (h >> 16)) * 0x85ebca6bU;
    h = (h ^ (h >> 13)) * 0xc2b2ae35U;
    return static_cast<Hash>(h ^ (h >> 16));
  }
};

struct SparkXxHash64 {
  using Hash = std::int64_t;

  static Hash of_int(std::int32_t value, Hash seed) {
    return static_cast<Hash>(XXH64(&value, 4, static_cast<std::uint64_t>(seed)));
  }
  static Hash of_long(std::int64_t value, Hash seed) {
    return static_cast<Hash>(XXH64(&value, 8, static_cast<std::uint64_t>(seed)));
  }
  static Hash of_bytes(std::string_view bytes, Hash seed) {
    return static_cast<Hash>(XXH64(bytes.data(), bytes.size(), static_cast<std::uint64_t>(seed)));
  }
};

}  // namespace tailrace::engine
