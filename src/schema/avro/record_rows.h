// Avro behind RecordRows (schema/record_rows.h).
#pragma once

#include "schema/avro/avro_schema.h"
#include "schema/avro/columns.h"
#include "schema/record_rows.h"

namespace tailrace::schema::avro {

/// `reader` is an AvroSchema.
Result<std::unique_ptr<RecordRows>> make_avro_rows(const SchemaPtr& reader);

}  // namespace tailrace::schema::avro
