// Avro records as JSON (schema/record_json.h says how).
#pragma once

#include "schema/record_json.h"

namespace tailrace::schema::avro {

/// `writer` is an AvroSchema.
std::unique_ptr<RecordJson> make_avro_json(const SchemaPtr& writer);

/// Of values that stand one behind the other, as in the blocks of a file, the first one as JSON;
/// `left` is what stands behind it. Errors as RecordJson's; then `left` is of no use either.
Status append_first_json(const SchemaPtr& writer, Bytes& left, std::string& out);

}  // namespace tailrace::schema::avro
