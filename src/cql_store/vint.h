// Cassandra's vints (cql_types/parts.h), with short ones read and written in place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cql_types/parts.h"

namespace tailrace::cql_store {

inline bool take(std::string_view& from, std::uint64_t& value) {
  if (!from.empty() && static_cast<signed char>(from.front()) >= 0) [[likely]] {
    value = static_cast<unsigned char>(from.front());
    from.remove_prefix(1);
    return true;
  }
  return cql_types::take_unsigned_vint(from, value);
}

inline bool take_signed(std::string_view& from, std::int64_t& value) {
  std::uint64_t raw = 0;
  if (!take(from, raw)) return false;
  value = static_cast<std::int64_t>((raw >> 1) ^ (~(raw & 1) + 1));
  return true;
}

/// A length and as many bytes.
inline bool take_bytes(std::string_view& from, std::string_view& bytes) {
  std::uint64_t length = 0;
  if (!take(from, length) || length > from.size()) return false;
  bytes = from.substr(0, length);
  from.remove_prefix(length);
  return true;
}

inline void put(std::string& out, std::uint64_t value) {
  if (value < 0x80) [[likely]] {
    out.push_back(static_cast<char>(value));
  } else {
    cql_types::append_unsigned_vint(out, value);
  }
}

inline void put_signed(std::string& out, std::int64_t value) {
  put(out, (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
}

inline void put_bytes(std::string& out, std::string_view bytes) {
  put(out, bytes.size());
  out += bytes;
}

}  // namespace tailrace::cql_store
