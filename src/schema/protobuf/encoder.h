// Rows of columns as Protobuf records.
//
// A column goes to the field of its name; a field without a column is not written. What the column
// holds must fit, the way back of plan.h: whole numbers also into wider fields, FLOAT into double,
// STRING into bytes. Null is not written, and neither is the zero of a field that does not tell
// whether it is there; of a oneof's members one at most may be there.
#pragma once

#include <memory>
#include <string_view>

#include "columns/types.h"
#include "schema/encoded_rows.h"
#include "schema/protobuf/protobuf_schema.h"

namespace tailrace::schema::protobuf {

class Encoder {
 public:
  /// `message` is a full name; empty for the first message of the file. kFailedPrecondition with
  /// the column's or field's name when the columns do not fit the message, or lack a required
  /// field; kNotFound when there is no such message.
  static Result<Encoder> make(const ProtobufSchema& schema, const Schema& columns,
                              std::string_view message = "");

  /// Appends a record for each row; kInvalidArgument with the row and the field when a value does
  /// not fit (a required one or an element is null, an unknown name of an enum, two members of a
  /// oneof), and then nothing is appended.
  Status encode(const arrow::RecordBatch& rows, EncodedRows& out) const;

  struct Node;

 private:
  Encoder() = default;
  std::shared_ptr<const Node> root_;
};

}  // namespace tailrace::schema::protobuf
