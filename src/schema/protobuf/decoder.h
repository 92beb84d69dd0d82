// Runs of Protobuf records into columns (plan.h says which).
//
// Order of calls: a Decoder for the reader's message; Rows of its columns; append() runs of
// records; finish() gives the batch. Fields are matched by number, so one decoder reads what any
// writer wrote whose schema the reader's may follow: what it does not know is skipped. A record
// that is no message, lacks a required field or holds text that is not UTF-8 is told with its index
// and place, and leaves no trace in the columns. One thread at a time for a Rows; a Decoder may be
// shared.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "schema/protobuf/plan.h"
#include "schema/protobuf/protobuf_schema.h"
#include "schema/rows.h"

namespace tailrace::schema::protobuf {

class Decoder {
 public:
  /// `message` is a full name; empty for the first message of the file. kNotFound when there is no
  /// such message; otherwise see make_plan.
  static Result<Decoder> make(const ProtobufSchema& schema, std::string_view message = "");

  const Schema& columns() const { return plan_->columns; }

  /// Appends each record that can be read; the others are added to `bad`. `rows` is of columns().
  void append(std::span<const Bytes> records, Rows& rows, std::vector<BadRecord>& bad) const;

 private:
  Decoder() = default;
  std::shared_ptr<const Plan> plan_;
};

}  // namespace tailrace::schema::protobuf
