// Zigzag varints as in records: 7 bits a byte, least significant first; at most 5 bytes (i32) or 10
// (i64).
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

namespace tailrace::log {

constexpr std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

/// Bytes the varint of `value` takes.
constexpr std::size_t varint_bytes(std::int64_t value) {
  const int bits = 64 - std::countl_zero(zigzag(value) | 1);
  return static_cast<std::size_t>((bits + 6) / 7);
}

/// Writes at `to`, which has room for 10 bytes; gives the place after it.
inline char* put_varint(char* to, std::int64_t value) {
  std::uint64_t left = zigzag(value);
  while (left >= 0x80) {
    *to++ = static_cast<char>(left | 0x80);
    left >>= 7;
  }
  *to++ = static_cast<char>(left);
  return to;
}

/// Takes a varint off the front of `from`; false when it is cut short or too long.
inline bool take_varint(std::string_view& from, std::int64_t& value) {
  std::uint64_t bits = 0;
  const std::size_t most = from.size() < 10 ? from.size() : 10;
  for (std::size_t i = 0; i < most; ++i) {
    const auto byte = static_cast<unsigned char>(from[i]);
    bits |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      if (i == 9 && byte > 1) return false;
      from.remove_prefix(i + 1);
      value = static_cast<std::int64_t>(bits >> 1) ^ -static_cast<std::int64_t>(bits & 1);
      return true;
    }
  }
  return false;
}

}  // namespace tailrace::log
