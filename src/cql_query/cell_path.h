// The paths of cells: what tells the parts of a collection or a user type apart, so made that the
// store's order (memcmp) is the collection's.
//
//   list := path place:u64 (100 ns since 1582, the version's bits on top) rest:u64
//   set  := path key, value empty
//   map  := path key, value the map's
//   UDT  := path field:u16, value the field's
//   key  := the bytes themselves of text, ascii and blob; of other types their sort key
//
// Where sort keys do not keep the bytes (cql_types/sort_key.h) the value of a set or map is
// length:u32 key value. Integers are big-endian.
//
// Elements that compare alike are one, whatever their bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cql_query/modification.h"
#include "cql_types/type.h"

namespace tailrace::cql_query {

/// Appends the path of a set's element or a map's key. kInvalid for what cannot be a sort key.
Outcome<void> append_element_path(std::string& path, const cql_types::Type& key_type,
                                  std::string_view key);
/// The cell's value for an element of a set (`value` is empty) or a map; in `buffer` where it is
/// put together.
std::string_view element_value(const cql_types::Type& key_type, std::string_view key,
                               std::string_view value, std::string& buffer);

std::string list_path(std::uint64_t place, std::uint64_t rest);
/// Of a timeuuid that now() would give.
std::string list_path(std::string_view timeuuid);
std::string field_path(std::size_t field);
std::size_t field_of(std::string_view path);

/// What a cell of a set or map holds; views into the cell or `buffer`.
struct Element {
  std::string_view key, value;
};
/// kDataLoss for a cell that no statement wrote.
Result<Element> element_of(const cql_types::Type& collection, const cql_store::Cell& cell,
                           std::string& buffer);

}  // namespace tailrace::cql_query
