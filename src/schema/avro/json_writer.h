// JSON documents as Avro records of a schema.
//
// A member goes to the field of its name. A field without a member gets its default, or null where
// it takes null; members that are no field are left out, and counted. Of a union's branches the
// first that takes the value is written. Text is taken for date ("2024-01-31"), timestamps (RFC
// 3339), decimals and uuid; numbers for timestamps are in the unit of the type. Bytes are text
// whose characters U+0000 to U+00FF are the bytes, as in Avro's own JSON encoding.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "schema/avro/avro_schema.h"

namespace simdjson::dom {
class parser;
}

namespace tailrace::schema::avro {

/// One thread at a time.
class JsonWriter {
 public:
  explicit JsonWriter(std::shared_ptr<const AvroSchema> schema);
  JsonWriter(JsonWriter&&) noexcept;
  ~JsonWriter();

  /// Appends the record; kInvalidArgument with the field's path when the document does not fit, and
  /// then nothing is appended.
  Status write(std::string_view json, std::string& out);

  /// Paths of members that were left out so far: no more than some hundreds are told apart.
  const std::set<std::string>& left_out() const { return left_out_; }

 private:
  std::shared_ptr<const AvroSchema> schema_;
  std::unique_ptr<simdjson::dom::parser> parser_;
  std::set<std::string> left_out_;
};

}  // namespace tailrace::schema::avro
