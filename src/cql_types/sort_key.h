// Clustering values as bytes whose order under memcmp is the order of compare.h, for a store of
// keys. A key ends by itself, so keys of several columns can follow one another.
//
//   key      := 0x01 null | 0x02 empty | 0x03 body       (0x00 ends a list, a set, a map, a tuple)
//   body     := fixed length: big-endian, the sign bit flipped where there is a sign
//             | bytes: each 0x00 as 0x00 0xFF, then 0x00 0x00
//             | varint: 0x80 ± length up to 100, or 0xFF length:u32 (0x00 ~length below zero),
//             bytes | decimal: sign (0x7F, 0x80 zero, 0x81), exponent:5, digit pairs + 1, 0x00; all
//             but the
//               sign inverted below zero
//             | list, set, map: { key } 0x00         | tuple, UDT: { key } without last nulls, 0x00
//             | vector: { key }
//   reversed := each byte inverted
//
// Values that compare alike have one key. Where they may differ in bytes (keeps_bytes is false) the
// key gives back one of them, and who needs the very bytes keeps them beside.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cql_types/parts.h"
#include "cql_types/type.h"

namespace tailrace::cql_types {

/// Longest value; Cassandra's keys end at 65,535 bytes.
constexpr std::size_t kMaxSortedValue = 65'535;

/// Appends the key of a value, or of null. kInvalidArgument for bytes that are no value of the
/// type, and beyond the limits, here and in number.h; then `out` is as it was.
Status append_sort_key(std::string& out, const Type& type, Part value, bool reversed);

/// Takes one key from the front of `key`. kDataLoss for bytes that are none.
Result<std::optional<std::string>> take_sort_key(std::string_view& key, const Type& type,
                                                 bool reversed);

/// Whether take_sort_key gives the very bytes back: not of boolean, float, double, varint, decimal
/// (1.0 and 1.00 are one key), nor of tuples, whose last nulls may be left out.
bool keeps_bytes(const Type& type);

}  // namespace tailrace::cql_types
