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
#include "schema/avro/plan.h"
#include "schema/rows.h"

namespace tailrace::schema::avro {

using schema::BadRecord;
using schema::Rows;

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
