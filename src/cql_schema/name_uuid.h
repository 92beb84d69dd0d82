// UUIDs of version 3: of names, by MD5 (RFC 9562 §5.3), without a namespace as Java makes them.
#pragma once

#include <string>
#include <string_view>

namespace tailrace::cql_schema {

/// 16 bytes, equal for equal bytes.
std::string name_uuid(std::string_view bytes);

}  // namespace tailrace::cql_schema
