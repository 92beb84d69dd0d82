// The changes to one table since the last checkpoint: of each key the last.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "cassandra/chunk.h"
#include "columns/types.h"
#include "served/definition.h"

namespace tailrace::cassandra {

/// Rows of batches as the values that a table's INSERT binds, in the order of its definition.
class RowEncoder {
 public:
  /// Columns are found by `schema`'s names; what `rows` lacks is null. Both must outlive it.
  static Result<RowEncoder> make(const served::Definition& definition, const arrow::Schema& schema,
                                 const arrow::RecordBatch& rows);

  /// False for a row that the database cannot have: a null or parts of a millisecond in its key, or
  /// an empty partition key.
  bool encode_key(std::int64_t row, std::string& key) const;
  void encode_rest(std::int64_t row, std::string& rest) const;

 private:
  explicit RowEncoder(const served::Definition& definition) : definition_(definition) {}
  void append(std::size_t column, std::int64_t row, std::string& out) const;

  const served::Definition& definition_;
  std::vector<ColumnView> columns_;  ///< by the definition's
};

class Changes {
 public:
  /// As KeyedTable::apply takes it: a key's row with positive weight wins.
  Status take(const served::Definition& definition, const arrow::Schema& schema,
              const Delta& delta);
  /// All of them, those of one partition together, at most about `bytes` at once; then there are
  /// none.
  void drain(std::size_t partition_columns, std::size_t bytes,
             const std::function<void(std::vector<ChangedRow>)>& visit);

  std::size_t size_bytes() const { return bytes_; }
  /// How many rows came since the last call that the database cannot have.
  std::int64_t take_left_out() { return std::exchange(left_out_, 0); }

 private:
  struct Change {
    std::string rest;
    bool removed = false;
  };
  void put(std::string key, Change change);

  absl::flat_hash_map<std::string, Change> changes_;
  std::size_t bytes_ = 0;
  std::int64_t left_out_ = 0;
};

}  // namespace tailrace::cassandra
