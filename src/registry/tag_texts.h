// How the tags of one record or field are written, format by format.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schema/json.h"
#include "schema/protobuf/element.h"

namespace tailrace::registry {

inline constexpr std::string_view kTagsProperty = "confluent:tags";
inline constexpr std::string_view kMessageMeta = "confluent.message_meta";
inline constexpr std::string_view kFieldMeta = "confluent.field_meta";

/// Texts of a list, each once, in order; none of what is no list.
std::vector<std::string> tag_texts(const schema::Json* list);
/// The tags among the options of that name.
std::vector<std::string> tags_in(const schema::protobuf::Options& options, std::string_view name);

/// Writes an entity's tags; takes the property away when there are none.
void set_tags(schema::JsonObject& entity, const std::vector<std::string>& tags);
void set_tags(schema::protobuf::Options& options, std::string_view name,
              const std::vector<std::string>& tags);

}  // namespace tailrace::registry
