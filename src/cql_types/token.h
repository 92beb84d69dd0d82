// Partition keys: their bytes and their token under Murmur3Partitioner.
//
//   one column:     its bytes
//   several:        { length:u16 bytes 0x00 }
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tailrace::cql_types {

constexpr std::size_t kMaxKey = 65'535;

/// kInvalidArgument, in Cassandra's words, for a key beyond kMaxKey bytes.
Result<std::string> partition_key(std::span<const std::string_view> values);

/// The values of a key of `columns` columns: views into it. kInvalidArgument for other bytes.
Status split_partition_key(std::string_view key, std::span<std::string_view> values);

/// Murmur3 (x64, 128 bits, seed 0, first half) as Cassandra computes it: the last 15 bytes at most
/// are taken as signed. Never the smallest 64-bit number, which becomes the largest.
std::int64_t murmur3_token(std::string_view key);

}  // namespace tailrace::cql_types
