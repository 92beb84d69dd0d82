// DESCRIBE's texts as rows, page by page.
//
//   state := 0x54 0x44 version:u8 schema_version:16 bytes next_row:u64     big-endian
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "cql_protocol/messages.h"
#include "cql_schema/describe.h"
#include "cql_types/failure.h"

namespace tailrace::cql_query {

/// What a client asks for; a size of 0 or less: all rows.
struct DescribePage {
  std::int32_t size = 0;
  std::optional<std::string_view> state = {};  ///< that of the page before
};

/// As in Cassandra a full page names one more, though that may be empty; a page of a schema that
/// has changed since the page before is refused.
cql_types::Outcome<cql_protocol::Answer> describe_page(const cql_schema::Description& description,
                                                       std::string_view schema_version,
                                                       const DescribePage& page);

}  // namespace tailrace::cql_query
