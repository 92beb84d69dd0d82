// The order of values, which is the order of clustering columns and of keys in sets and maps.
#pragma once

#include <compare>
#include <string_view>

#include "cql_types/type.h"

namespace tailrace::cql_types {

/// Of two valid values (validate.h), as Cassandra's comparators order them: an empty value first;
/// timeuuid by time, uuid by version, then time or bytes; text and blobs by bytes; date and time
/// as unsigned bytes; decimals by value; NaN above all; nulls in tuples first, missing trailing
/// fields as nulls. Equivalent values may differ in bytes (1.0 and 1.00). Of bytes that are no
/// value the answer is some order, and nothing is read beyond them.
std::weak_ordering compare(const Type& type, std::string_view a, std::string_view b);

}  // namespace tailrace::cql_types
