// The forms in which a schema's text can be asked for: the API's parameter `format`.
#pragma once

#include <string>
#include <string_view>

#include "schema/schema.h"
#include "subjects/registry.h"

namespace tailrace::registry {

/// A version's text, parsed with all that it refers to; 42201 when it cannot be read.
subjects::Answer<schema::SchemaPtr> parsed_schema(const subjects::Registry& registry,
                                                  const subjects::SchemaVersion& schema);

/// The schema with its text in that form, all else as it is: "resolved" writes an Avro schema's
/// references into it, "ignore_extensions" leaves out a Protobuf schema's custom options, and
/// "serialized" is the base64 of its FileDescriptorProto. "" is the text as it was registered, and
/// a name that the schema's type does not know is its canonical text. 42201 when the text cannot be
/// read.
subjects::Answer<subjects::SchemaVersionPtr> in_format(const subjects::Registry& registry,
                                                       subjects::SchemaVersionPtr schema,
                                                       std::string_view format);

}  // namespace tailrace::registry
