// Lengths and weights in as few bytes as they need: seven bits a byte, least significant first
// (LEB128).
#pragma once

#include <cstdint>

namespace tailrace {

inline std::uint32_t varint_size(std::uint64_t value) {
  std::uint32_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

/// Writes at most 10 bytes; gives the place after them.
inline char* write_varint(std::uint64_t value, char* to) {
  for (; value >= 0x80; value >>= 7) *to++ = static_cast<char>(value | 0x80);
  *to++ = static_cast<char>(value);
  return to;
}

/// Reads what write_varint wrote and moves `from` behind it.
inline std::uint64_t read_varint(const char*& from) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<std::uint8_t>(*from++);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80 || shift == 63) return value;
  }
}

}  // namespace tailrace
