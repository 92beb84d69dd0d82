#include "cql_types/token.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <limits>

#include "base/bytes.h"

namespace tailrace::cql_types {
namespace {

constexpr std::uint64_t kC1 = 0x87C37B91114253D5, kC2 = 0x4CF5AD432745937F;

std::uint64_t load_le(const char* from) {
  std::uint64_t value;
  std::memcpy(&value, from, sizeof value);
  return std::endian::native == std::endian::little ? value : swap_bytes(value);
}

std::uint64_t mix_first(std::uint64_t k) {
  return std::rotl(k * kC1, 31) * kC2;
}
std::uint64_t mix_second(std::uint64_t k) {
  return std::rotl(k * kC2, 33) * kC1;
}

std::uint64_t finish(std::uint64_t k) {
  k = (k ^ k >> 33) * 0xFF51AFD7ED558CCD;
  k = (k ^ k >> 33) * 0xC4CEB9FE1A85EC53;
  return k ^ k >> 33;
}

// Up to eight bytes, each with its sign spread over all that is above it.
std::uint64_t signed_tail(std::string_view bytes) {
  std::uint64_t k = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    k ^= static_cast<std::uint64_t>(std::int64_t{static_cast<std::int8_t>(bytes[i])}) << (8 * i);
  return k;
}

}  // namespace

Result<std::string> partition_key(std::span<const std::string_view> values) {
  std::size_t sizes = 0;
  for (const auto value : values) sizes += value.size();
  if (sizes > kMaxKey)
    return error(Code::kInvalidArgument,
                 fmt::format("Key length of {} is longer than maximum of {}", sizes, kMaxKey));
  std::string key;
  for (const auto value : values) {
    if (values.size() > 1) append_be(key, static_cast<std::uint16_t>(value.size()));
    key += value;
    if (values.size() > 1) key += '\0';
  }
  if (key.empty()) return error(Code::kInvalidArgument, "Key may not be empty");
  if (key.size() > kMaxKey)
    return error(Code::kInvalidArgument,
                 fmt::format("Key length of {} is longer than maximum of {}", key.size(), kMaxKey));
  return key;
}

Status split_partition_key(std::string_view key, std::span<std::string_view> values) {
  if (values.size() == 1) {
    values[0] = key;
    return {};
  }
  for (auto& value : values) {
    const std::size_t length =
        key.size() < 3 ? std::size_t{0} : std::size_t{load_be<std::uint16_t>(key.data())};
    if (key.size() < 3 + length || key[2 + length] != 0)
      return error(Code::kInvalidArgument, "a partition key is damaged or of other columns");
    value = key.substr(2, length);
    key.remove_prefix(3 + length);
  }
  if (!key.empty()) return error(Code::kInvalidArgument, "a partition key has more columns");
  return {};
}

std::int64_t murmur3_token(std::string_view key) {
  std::uint64_t h1 = 0, h2 = 0;
  const auto length = key.size();
  for (; key.size() >= 16; key.remove_prefix(16)) {
    h1 = std::rotl(h1 ^ mix_first(load_le(key.data())), 27) + h2;
    h1 = h1 * 5 + 0x52DCE729;
    h2 = std::rotl(h2 ^ mix_second(load_le(key.data() + 8)), 31) + h1;
    h2 = h2 * 5 + 0x38495AB5;
  }
  if (key.size() > 8) h2 ^= mix_second(signed_tail(key.substr(8)));
  if (!key.empty()) h1 ^= mix_first(signed_tail(key.substr(0, 8)));
  h1 ^= length;
  h2 ^= length;
  h1 += h2;
  h2 += h1;
  h1 = finish(h1);
  h2 = finish(h2);
  const auto token = static_cast<std::int64_t>(h1 + h2);
  return token == std::numeric_limits<std::int64_t>::min()
             ? std::numeric_limits<std::int64_t>::max()
             : token;
}

}  // namespace tailrace::cql_types
