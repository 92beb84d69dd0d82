// Cells, rows and what deletes them: Cassandra's model of data. Timestamps are microseconds as
// clients give them, any 64-bit number; times of expiry and deletion are seconds since 1970.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

namespace tailrace::cql_store {

constexpr std::int64_t kNoTimestamp = std::numeric_limits<std::int64_t>::min();

/// A delete of all that was written at or before `timestamp`.
struct Deletion {
  std::int64_t timestamp = kNoTimestamp;
  std::int64_t local_time = 0;  // when, for gc_grace_seconds

  bool live() const { return timestamp == kNoTimestamp; }
};

/// That a row is there though it may have no cell: what INSERT writes.
struct Liveness {
  std::int64_t timestamp = kNoTimestamp;
  std::int32_t ttl = 0;  // seconds; 0: for ever
  std::int64_t expires = 0;
};

/// A live cell. The path tells cells of one column apart: a key of a map, an element of a set, a
/// timeuuid of a list's element, the number (u16, big-endian) of a user type's field; empty for
/// what is one cell. Views are valid as long as what gave the cell says.
struct Cell {
  std::uint32_t column = 0;
  std::string_view path;
  std::int64_t timestamp = 0;
  std::int32_t ttl = 0;
  std::int64_t expires = 0;  // with a ttl
  std::string_view value;    // of a counter: its sum, 8 bytes
};

/// A row as a reader sees it: what is deleted or expired is not there.
struct Row {
  std::string_view partition;  // Cassandra's bytes of the key (cql_types/token.h)
  std::int64_t token = 0;
  bool is_static = false;
  std::string_view clustering;      // sort keys (cql_types/sort_key.h), one after the other
  std::string_view raw_clustering;  // as Mutation::RowKey gave it
  Liveness liveness;                // its timestamp is kNoTimestamp where no INSERT made the row
  std::vector<Cell> cells;          // by column, then path

  /// The first cell of a column, and how many there are.
  std::pair<const Cell*, std::size_t> of(std::uint32_t column) const;
  void clear() { cells.clear(); }
};

}  // namespace tailrace::cql_store
