// Why one JSON Schema cannot read what another wrote: the registry's differences between two
// schemas, those it does not hold compatible.
#pragma once

#include <vector>

#include "schema/json_schema/model.h"
#include "schema/schema.h"

namespace tailrace::schema::json_schema {

/// Stops after 10,000 differences; what takes more than a million comparisons of one schema with
/// another, or leads through more than 1,000 in one another, is one difference TOO_LARGE.
std::vector<Incompatibility> differences(const Model& writer, const Model& reader);

}  // namespace tailrace::schema::json_schema
