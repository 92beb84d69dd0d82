// When two values of JSON are equal: numbers by what they are, objects whatever the order of their
// members.
#pragma once

#include <simdjson.h>

#include "schema/json.h"

namespace tailrace::schema::json_schema {

bool are_equal(const simdjson::dom::element& value, const Json& other);
bool are_equal(const simdjson::dom::element& value, const simdjson::dom::element& other);
/// The same for equal values.
std::uint64_t hash_of(const simdjson::dom::element& value);

/// Below 0, 0, or above it, as the number is less, equal or more.
int order(const simdjson::dom::element& number, const Json& other);

}  // namespace tailrace::schema::json_schema
