// Random Avro bytes of a schema's type, special values among them.
#pragma once

#include <string>

#include "schema/avro/type.h"
#include "schema/testing/random_avro.h"

namespace tailrace::schema::testing {

/// Appends one value. Maps have one entry at most, since their order is nobody's; decimals are in
/// their shortest form and timestamps whole microseconds, so that reading and writing keeps them.
void append_value(RandomAvro& random, const avro::Type& type, std::string& out);

}  // namespace tailrace::schema::testing
