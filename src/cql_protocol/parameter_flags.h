// The flags of QUERY's and EXECUTE's parameters (§4.1.4): a byte before version 5, an int from it.
#pragma once

#include <cstdint>

namespace tailrace::cql_protocol::parameter_flag {

constexpr std::uint32_t kValues = 0x001;
constexpr std::uint32_t kSkipMetadata = 0x002;
constexpr std::uint32_t kPageSize = 0x004;
constexpr std::uint32_t kPagingState = 0x008;
constexpr std::uint32_t kSerialConsistency = 0x010;
constexpr std::uint32_t kTimestamp = 0x020;
constexpr std::uint32_t kNames = 0x040;
constexpr std::uint32_t kKeyspace = 0x080;
constexpr std::uint32_t kNowSeconds = 0x100;

}  // namespace tailrace::cql_protocol::parameter_flag
