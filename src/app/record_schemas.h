// What the broker asks of the schema registry, embedded or somewhere else: whether a record's
// schema is of the subject that its topic's settings mean.
#pragma once

#include <memory>

#include "kafka/schema_ids.h"
#include "subjects/subjects_client.h"

namespace tailrace::app {

/// A subject that is named after the record is compared with Avro's full name; of the other formats
/// any subject will do, for the topic's own strategy any that begins with its name.
std::unique_ptr<kafka::SchemaIds> record_schemas(
    std::unique_ptr<subjects::SubjectsClient> registry);

}  // namespace tailrace::app
