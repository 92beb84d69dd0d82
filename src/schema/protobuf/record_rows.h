// Protobuf behind RecordRows (schema/record_rows.h).
#pragma once

#include "schema/protobuf/protobuf_schema.h"
#include "schema/record_rows.h"

namespace tailrace::schema::protobuf {

/// `reader` is a ProtobufSchema; its first message is what is read. A record begins with the index
/// of its message (message_index.h), which must be of the same name.
Result<std::unique_ptr<RecordRows>> make_protobuf_rows(const SchemaPtr& reader);

Result<Schema> columns_of(const ProtobufSchema& schema);

}  // namespace tailrace::schema::protobuf
