// JSON documents of a topic with a JSON Schema behind RecordRows (schema/record_rows.h): each is
// held to its writer's schema, then read into the reader's columns.
#pragma once

#include "schema/record_rows.h"

namespace tailrace::pipeline {

/// As schema::make_record_rows, for every format.
Result<std::unique_ptr<schema::RecordRows>> make_rows(const schema::SchemaPtr& reader);

}  // namespace tailrace::pipeline
