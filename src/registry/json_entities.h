// Where the tags of a JSON Schema stand: its objects and their properties, by the registry's paths.
#pragma once

#include <functional>
#include <string>

#include "schema/json.h"

namespace tailrace::registry {

/// Calls `visit(path, is_field, schema)` for every object of a schema and every property of one, in
/// the order of the text: "object", "object.name", "object.list.array.object.name",
/// "allOf.0.object". References are not followed.
void each_entity(schema::Json& schema,
                 const std::function<void(const std::string&, bool, schema::Json&)>& visit);

}  // namespace tailrace::registry
