// Changes to rows of one table that were sealed together, as bytes in the store until the database
// has them. They stand for themselves: statements are texts, so that they can be sent after a table
// has got more columns.
//
//   chunk := timestamp:i64 table:[string] insert:[long string] remove:[long string]
//            partition_columns:u16 { row }
//   row   := removed:u8 key:[bytes] rest:[bytes]
//
// `key` and `rest` are values with their length before each, as the statements bind them; of a
// removed row there is no rest. Rows of one partition stand together.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tailrace::cassandra {

/// The values of a row, as the INSERT binds them: the key's, then the others.
struct ChangedRow {
  std::string key, rest;
  bool removed = false;
};

struct Chunk {
  std::int64_t timestamp = 0;  ///< microseconds
  std::string table;           ///< the name of its serving
  std::string insert, remove;  ///< statements with markers
  std::size_t partition_columns = 1;
  std::vector<ChangedRow> rows = {};

  std::string to_bytes() const;
  /// kDataLoss for what is none.
  static Result<Chunk> from_bytes(std::string_view bytes);
};

/// The partition key's bytes, of the first columns of a key's values; empty where the database
/// would refuse it (an empty key, or one of more than 65,535 bytes).
std::string partition_of(std::string_view key, std::size_t columns);

}  // namespace tailrace::cassandra
