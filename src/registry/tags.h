// Tags that a schema's text carries: what the API's parameter `findTags` asks for, and what its
// requests add and take away.
//
// Tags are `confluent:tags` of Avro and JSON Schema, and the options `confluent.message_meta` and
// `confluent.field_meta` of Protobuf.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schema/json.h"
#include "subjects/registry.h"

namespace tailrace::registry {

/// A record or a field of a schema, and tags: the API's `schemaTags`.
struct EntityTags {
  std::string path;  ///< "ns.User.name", "object.name", "User.name"
  bool is_field = false;
  std::vector<std::string> tags;
};

/// The records and fields of a schema that carry one of the tags (any, when "*" is among them),
/// with all tags there. References are followed in Avro only. 42201 when the text cannot be read.
subjects::Answer<std::vector<EntityTags>> tagged_parts(const subjects::Registry& registry,
                                                       const subjects::SchemaVersion& schema,
                                                       const std::vector<std::string>& wanted);
schema::Json to_json(const std::vector<EntityTags>& parts);

struct TagChange {
  std::vector<EntityTags> add = {}, remove = {};
  bool empty() const { return add.empty() && remove.empty(); }
};

/// A schema's text with tags added, then others taken away. 42201 when it cannot be read, or has no
/// record or field of such a path; an Avro record may be named without its namespace.
subjects::Answer<std::string> with_tags(schema::Format format, std::string_view text,
                                        const TagChange& change);

}  // namespace tailrace::registry
