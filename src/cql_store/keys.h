// Keys of the store, in the order in which scans give rows.
//
//   key        := table:u32 partition kind:u8 [clustering]        table 0 is the store's own
//   (below) partition  := token:u64 (sign flipped) bytes                  each 00 as 00 FF, ended
//   by 00 00 kind       := 0 deletions of the partition and its slices (deletions.h)
//               | 1 its static row | 2 a row (record.h)
//   clustering := sort keys
//   own key    := 0:u32 "table" number:u32                        a table's traits
//               | 0:u32 "kept" name
//
// Numbers are big-endian.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cql_store/store.h"

namespace tailrace::cql_store {

enum class Kind : char { kDeletions = 0, kStatic = 1, kRow = 2, kEnd = 3 };

/// Tables have numbers from 1 to below this: keys from FF FF on are room kv's.
constexpr TableNumber kTablesEnd = 0xFFFF0000;

inline constexpr std::string_view kOwnTables{"\0\0\0\0table", 9};
inline constexpr std::string_view kOwnKept{"\0\0\0\0kept", 8};

void append_table(std::string& out, TableNumber table);
void append_token(std::string& out, TableNumber table, std::int64_t token);
/// Up to the kind, which follows.
void append_partition(std::string& out, TableNumber table, const PartitionKey& partition);
inline void append_kind(std::string& out, Kind kind) {
  out.push_back(static_cast<char>(kind));
}
void append_row(std::string& out, TableNumber table, const PartitionKey& partition,
                const RowKey& row);

/// How long a key's partition is: table, token, bytes and their end; 0 where there is none.
std::size_t partition_length(std::string_view key);

/// A table's key taken apart; `bytes` is where the partition's are put.
struct KeyParts {
  TableNumber table = 0;
  std::int64_t token = 0;
  Kind kind = Kind::kDeletions;
  std::string_view partition;   // in the key, up to the kind
  std::string_view clustering;  // in the key
};
/// False: it is no table's key.
bool split(std::string_view key, KeyParts& parts);
/// The partition's bytes as they were given, from KeyParts::partition.
void unescape(std::string_view partition, std::string& bytes);

}  // namespace tailrace::cql_store
