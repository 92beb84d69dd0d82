// Tags that a schema's text carries: what the API's parameter `findTags` asks for.
#pragma once

#include <string>
#include <vector>

#include "schema/json.h"
#include "subjects/registry.h"

namespace tailrace::registry {

/// The records and fields of a schema that carry one of the tags (any, when "*" is among them), as
/// the API's `schemaTags`: a path and a kind each, with all tags there. Tags are `confluent:tags`
/// of Avro and JSON Schema, and the options `confluent.message_meta` and `confluent.field_meta` of
/// Protobuf. References are followed in Avro only. 42201 when the text cannot be read.
subjects::Answer<schema::Json> tagged_parts(const subjects::Registry& registry,
                                            const subjects::SchemaVersion& schema,
                                            const std::vector<std::string>& wanted);

}  // namespace tailrace::registry
