// Rows of columns as Avro records.
//
// A column goes to the field of its name; a field without a column gets its default. What the
// column holds must fit: INT into int, long, float and double, STRING into string, bytes, enum and
// uuid, and so on, the way back of columns.h. Null goes to a union's null, and is an error
// elsewhere.
#pragma once

#include <memory>

#include "columns/types.h"
#include "schema/avro/avro_schema.h"
#include "schema/encoded_rows.h"

namespace tailrace::schema::avro {

using schema::EncodedRows;

class Encoder {
 public:
  /// kFailedPrecondition with the column's or field's name when the columns do not fit the schema.
  static Result<Encoder> make(std::shared_ptr<const AvroSchema> schema, const Schema& columns);

  /// Appends a record for each row; kInvalidArgument with the row and the field when a value does
  /// not fit (null, an unknown symbol, too many digits), and then nothing is appended.
  Status encode(const arrow::RecordBatch& rows, EncodedRows& out) const;

  struct Node;

 private:
  Encoder() = default;

  std::shared_ptr<const AvroSchema> schema_;
  std::shared_ptr<const Node> root_;
};

}  // namespace tailrace::schema::avro
