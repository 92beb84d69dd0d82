// Runs of Avro records into columns, by the writer's schema resolved to the reader's.
//
// Order of calls: one Rows for the reader's schema; a Decoder for each writer's schema that comes;
// append() runs of records, in any order of writers; finish() gives the batch, and Rows is empty
// for the next. A record that is no Avro of its schema is told with its index and place, and leaves
// no trace in the columns. One thread at a time for a Rows; a Decoder may be shared.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "columns/column_builder.h"
#include "schema/avro/plan.h"

namespace tailrace::schema::avro {

/// Rows of a reader's columns, growing.
class Rows {
 public:
  static Result<Rows> make(const Schema& columns);

  std::int64_t size() const { return size_; }
  const Schema& schema() const { return schema_; }
  /// The rows so far; none are left.
  Batch finish();

 private:
  friend class Decoder;
  Rows() = default;

  Schema schema_;
  std::vector<std::unique_ptr<ColumnBuilder>> columns_;
  std::vector<ColumnBuilder*> all_;  ///< with the children, depth first: a plan's column numbers
  std::int64_t size_ = 0;
};

/// A record that could not be read.
struct BadRecord {
  std::size_t index = 0;  ///< in the run
  std::string why;        ///< "byte 12, address.street: a length of 500 bytes, and 3 are left"
};

class Decoder {
 public:
  /// See make_plan for errors.
  static Result<Decoder> make(const AvroSchema& writer, const AvroSchema& reader);

  /// The reader's columns.
  const Schema& columns() const { return plan_->columns; }

  /// Appends each record that can be read; the others are added to `bad`. `rows` is of columns().
  void append(std::span<const Bytes> records, Rows& rows, std::vector<BadRecord>& bad) const;

 private:
  Decoder() = default;
  std::shared_ptr<const Plan> plan_;
};

}  // namespace tailrace::schema::avro
