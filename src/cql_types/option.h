// [option] of the native protocol: the type of a column in result metadata (§4.2.5.2 of v3 to v5).
//
//   option := id:u16 value        strings: length:u16 bytes
//   0x0000 custom: class name     0x0020 list, 0x0022 set: option     0x0021 map: option option
//   0x0030 UDT: keyspace name n:u16 { field option }                  0x0031 tuple: n:u16 { option
//   }
//
// What a version does not know goes as custom: date, time, smallint and tinyint before v4,
// duration before v5, vectors in each. Whether a type is frozen is not told.
#pragma once

#include "base/result.h"
#include "cql_types/type.h"

namespace tailrace::cql_types {

/// Appends; `version` is the protocol's, 3 to 5. kInvalidArgument for a name beyond 65,535 bytes.
Status append_option(std::string& out, const Type& type, int version);

/// Takes one option from the front of `bytes`. Collections and UDTs come back non-frozen.
/// kInvalidArgument for bytes that are none.
Result<TypePtr> take_option(std::string_view& bytes, int version);

}  // namespace tailrace::cql_types
