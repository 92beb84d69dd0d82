// Maps made row by row out of places in an array of keys and one of values.
#pragma once

#include <string>
#include <vector>

#include "engine/functions/value.h"

namespace tailrace::engine {

class MapMaker {
 public:
  explicit MapMaker(std::int64_t rows)
      : rows_(rows), nulls_(rows), offsets_(arrow::int32(), rows + 1) {
    offsets_.set(0, 0);
  }
  /// Adds a pair to the row being made. False with Spark's sentence in `fault` when the key is null
  /// or there already: call null_row then.
  bool add(const arrow::Array& keys, std::int64_t key, std::int64_t item, std::string& fault);
  void end_row(std::int64_t row);
  /// The row is null; what was added to it is dropped.
  void null_row(std::int64_t row);
  Result<Array> finish(const Type& type, const arrow::Array& keys, const arrow::Array& items);

 private:
  std::int64_t rows_;
  NullBits nulls_;
  Sink<std::int32_t> offsets_;
  std::vector<std::int64_t> keys_, items_;
  std::size_t row_begin_ = 0;
};

}  // namespace tailrace::engine
