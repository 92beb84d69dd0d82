// What an index keeps: for each value the places of what has it, in the order in which a scan of
// the table gives them. A hidden table of the store (Index::number):
//
//   partition  := value                 its token: the first 8 bytes, so that scans go by value
//   value      := sort key              of the column, of an element or of a key; not reversed
//               | key value             entries(m): the sort keys of both
//   clustering := token:u64 (sign flipped) sort key of the partition's bytes as a blob [clustering]
//
// A row of it, an entry, has a liveness and no cells: it lives as long as the longest living write
// that ever put the value there. It is written with the row it is about, unseen what was there
// before, so an entry only says where to look: what is found there decides. An entry that led
// nowhere is removed (index_upkeep.h).
//
// Of a column of the partition key and of static columns an entry is of a whole partition, and its
// clustering ends with it; else it is of a row.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "cql_query/restrictions.h"
#include "cql_schema/schema.h"
#include "cql_store/cells.h"

namespace tailrace::cql_query {

/// Storage-attached indexes know ranges too, and answer together.
bool is_storage_attached(const cql_schema::Index& index);

/// Whether entries are kept for it: not of classes that nobody knows here.
bool is_kept(const cql_schema::Index& index);

/// Its entries are of rows; else of whole partitions.
bool is_of_rows(const cql_schema::Column& column);

/// The longest value.
constexpr std::size_t kMaxIndexed = 65'535;

/// The value of a cell of the column, as entries have it. kInvalid, in Cassandra's words, for what
/// is too long.
Outcome<std::string> indexed_value(const cql_schema::Table& table, const cql_schema::Index& index,
                                   const cql_schema::Column& column, std::string_view path,
                                   std::string_view value);
/// Of a column of the key.
Outcome<std::string> indexed_value(const cql_schema::Table& table, const cql_schema::Index& index,
                                   const cql_schema::Column& column, std::string_view value);
/// What a query asks for: an element, a key, an entry (`key` of entries(m)) or a whole value.
Outcome<std::string> asked_value(const cql_schema::Index& index, const cql_schema::Column& column,
                                 const std::optional<std::string>& key, std::string_view value);

/// The index's partition that has a value's entries.
Key partition_of(std::string value);

/// An entry's clustering; the beginning of those of a whole partition, where that is empty.
std::string entry_place(const Key& key, std::string_view clustering);

struct EntryPlace {
  Key key;
  std::string_view clustering;  // of the place it was read from
};
/// kDataLoss for what is none.
Result<EntryPlace> read_place(std::string_view place);

/// The life of what is written with a TTL (0: none).
inline cql_store::Liveness entry_life(std::int32_t ttl, std::int64_t expires) {
  // The longest life wins, whichever was written last.
  if (ttl == 0) return {std::numeric_limits<std::int64_t>::max(), 0, 0};
  return {expires, ttl, expires};
}

/// Whether a row that was read (of static columns the static row) still has an entry's value.
bool still_has(const cql_schema::Table& table, const cql_schema::Index& index,
               const cql_schema::Column& column, const cql_store::Row& row, std::string_view value);

}  // namespace tailrace::cql_query
