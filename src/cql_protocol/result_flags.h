// The kinds of RESULT and the flags of its metadata (§4.2.5).
#pragma once

#include <cstdint>

namespace tailrace::cql_protocol {

namespace result_kind {
constexpr std::int32_t kVoid = 1;
constexpr std::int32_t kRows = 2;
constexpr std::int32_t kSetKeyspace = 3;
constexpr std::int32_t kPrepared = 4;
constexpr std::int32_t kSchemaChange = 5;
}  // namespace result_kind

namespace result_flag {
constexpr std::int32_t kGlobalTable = 1;
constexpr std::int32_t kMorePages = 2;
constexpr std::int32_t kNoMetadata = 4;
constexpr std::int32_t kMetadataChanged = 8;
}  // namespace result_flag

}  // namespace tailrace::cql_protocol
