// Records of a schema as JSON for people, whatever their format.
//
// Avro: members by field; a union's value stands without its branch's name. Dates and times are
// text in ISO 8601 (those outside of years 1 to 9999 stay numbers), decimals and uuids text, bytes
// and fixed text whose characters U+0000 to U+00FF are the bytes; NaN and the infinities are text.
// But for times of day this is what avro/json_writer.h takes. Protobuf: its own mapping of JSON,
// with the names of the file; fields that have their default are left out. JSON Schema: the
// document, without spaces.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "schema/schema.h"

namespace tailrace::schema {

/// The longest JSON that a record may become, in bytes.
inline constexpr std::size_t kMaxRecordJsonBytes = 16 << 20;

/// One thread at a time.
class RecordJson {
 public:
  virtual ~RecordJson() = default;

  /// The record, what stands behind the wire header, appended to `out`. kDataLoss with the place
  /// when it is no record of the schema, kResourceExhausted when it is too long; what was appended
  /// then is of no use.
  virtual Status append(Bytes record, std::string& out) = 0;
};

/// `writer`: the schema that the records were written with.
Result<std::unique_ptr<RecordJson>> make_record_json(const SchemaPtr& writer);

}  // namespace tailrace::schema
