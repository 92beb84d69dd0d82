// Where a page ended, as the client gives it back. Opaque to clients; checked like anything from a
// wire.
//
//   state := 0x54 0x52 version:u8 table:u32 left:i32 left_in_partition:i32
//            partition:[bytes] flags:u8 clustering:[bytes]     numbers big-endian, [bytes] := i32
//            bytes
//   flags := 1 the clustering is there | 2 nothing more of the partition
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cql_types/failure.h"

namespace tailrace::cql_query {

struct PagingState {
  std::uint32_t table = 0;
  std::int32_t left = 0;               // of LIMIT
  std::int32_t left_in_partition = 0;  // of PER PARTITION LIMIT
  std::string partition;
  std::optional<std::string> clustering;  // of the last row; nullopt: the static row alone
  bool partition_done = false;
};

std::string encode(const PagingState& state);
/// kProtocol, as Cassandra says it, for what is no state of this table.
cql_types::Outcome<PagingState> decode_paging_state(std::string_view bytes, std::uint32_t table);

}  // namespace tailrace::cql_query
