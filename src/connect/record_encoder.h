// Records of a source, JSON, in the format of a topic that has a schema: behind the schema's id, as
// a registry's clients write them (schema/record_rows.h).
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "subjects/schema_client.h"

namespace tailrace::connect {

/// One thread at a time.
class RecordEncoder {
 public:
  virtual ~RecordEncoder() = default;
  /// Appends the record; kInvalidArgument says where it does not fit the schema, and then nothing
  /// is appended.
  virtual Status encode(std::string_view json, std::string& out) = 0;
  /// What names the schema at the front of each: so many bytes, and what a record's header says
  /// instead (schema/record_rows.h). The header takes the Protobuf message's index, too.
  virtual std::size_t name_bytes() const = 0;
  virtual const std::string& name_in_header() const = 0;
  /// Members of the JSON that the schema does not have, so far.
  virtual const std::set<std::string>& left_out() const = 0;
  /// "version 3 of users-value"
  virtual std::string describe() const = 0;
};

Result<std::unique_ptr<RecordEncoder>> make_encoder(const subjects::RegisteredSchema& schema);

/// How a runner gets the encoder of a schema id; of the topic's present schema for 0.
struct EncoderSource {
  int present = 0;  ///< the id of the topic's present schema; 0: records stay as they are
  std::function<Result<subjects::RegisteredSchema>(int id)> schema = {};
  bool in_header = false;  ///< the schema is named by a header, not by the value's first bytes
};

}  // namespace tailrace::connect
