// Whether bytes are a value of a type, told in Cassandra's words.
#pragma once

#include <string_view>

#include "base/result.h"
#include "cql_types/type.h"

namespace tailrace::cql_types {

/// kInvalidArgument with the sentence Cassandra answers (without its "Invalid … for column").
/// Values within values count, up to kMaxTypeDepth; an empty value is one of most native types.
Status validate(const Type& type, std::string_view bytes);

/// UTF-8 as Cassandra takes it, which is a little more than the standard allows.
bool is_cassandra_utf8(std::string_view text);

}  // namespace tailrace::cql_types
