// Byte spans and fixed-width integers in either byte order. Readers check their bounds before they
// move.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace tailrace {

using Bytes = std::span<const std::byte>;

inline Bytes as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Reverses the bytes of an unsigned integer.
template <typename U>
constexpr U swap_bytes(U value) {
  static_assert(std::is_unsigned_v<U>);
  if constexpr (sizeof(U) == 1) return value;
  if constexpr (sizeof(U) == 2) return __builtin_bswap16(value);
  if constexpr (sizeof(U) == 4) return __builtin_bswap32(value);
  if constexpr (sizeof(U) == 8) return __builtin_bswap64(value);
}

/// Reads a big-endian integer; the caller has checked that sizeof(T) bytes are there.
template <typename T>
T load_be(const void* from) {
  std::make_unsigned_t<T> raw;
  std::memcpy(&raw, from, sizeof raw);
  return static_cast<T>(swap_bytes(raw));
}

template <typename T>
void store_be(void* to, T value) {
  auto raw = swap_bytes(static_cast<std::make_unsigned_t<T>>(value));
  std::memcpy(to, &raw, sizeof raw);
}

template <typename T>
void append_be(std::string& out, T value) {
  char raw[sizeof(T)];
  store_be(raw, value);
  out.append(raw, sizeof raw);
}

}  // namespace tailrace
