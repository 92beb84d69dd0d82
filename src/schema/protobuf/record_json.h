// Protobuf records as JSON (schema/record_json.h says how).
#pragma once

#include "schema/record_json.h"

namespace tailrace::schema::protobuf {

/// `writer` is a ProtobufSchema; records begin with their message's index.
Result<std::unique_ptr<RecordJson>> make_protobuf_json(const SchemaPtr& writer);

}  // namespace tailrace::schema::protobuf
