// Avro records as JSON (schema/record_json.h says how).
#pragma once

#include "schema/record_json.h"

namespace tailrace::schema::avro {

/// `writer` is an AvroSchema.
std::unique_ptr<RecordJson> make_avro_json(const SchemaPtr& writer);

}  // namespace tailrace::schema::avro
