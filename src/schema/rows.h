// Rows of columns, growing while a format's decoder appends records to them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "columns/column_builder.h"

namespace tailrace::schema {

class Rows {
 public:
  static Result<Rows> make(const Schema& columns);

  std::int64_t size() const { return size_; }
  const Schema& schema() const { return schema_; }
  /// A row of nulls.
  void append_null();
  /// The rows so far; none are left.
  Batch finish();

  // For decoders.

  /// The columns with their children, depth first: a plan's column numbers. One more, null, stands
  /// behind them.
  ColumnBuilder* const* all() { return all_.data(); }
  /// A value was appended to every column.
  void keep_row() { ++size_; }
  /// What was appended since the last row is taken back.
  void drop_row();

 private:
  Rows() = default;

  Schema schema_;
  std::vector<std::unique_ptr<ColumnBuilder>> columns_;
  std::vector<ColumnBuilder*> all_;
  std::int64_t size_ = 0;
};

/// A record that could not be read.
struct BadRecord {
  std::size_t index = 0;  ///< in the run
  std::string why;        ///< "byte 12, address.street: a length of 500 bytes, and 3 are left"
};

}  // namespace tailrace::schema
