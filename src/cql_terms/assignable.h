// Which types may stand for which: Cassandra's rules of assignment between types, on which the
// choice of functions and the checks of literals rest.
#pragma once

#include <span>

#include "cql_types/type.h"

namespace tailrace::cql_terms {

using cql_types::Type;
using cql_types::TypePtr;

enum class Match : std::uint8_t { kExact, kWeak, kNone };

/// Whether bytes of `previous` are values of `type` and sort alike.
bool is_compatible(const Type& type, const Type& previous);
/// Whether bytes of `previous` are values of `type`.
bool is_value_compatible(const Type& type, const Type& previous);

/// A value of type `given` for a receiver of type `receiver`.
Match match_types(const TypePtr& given, const TypePtr& receiver);

/// The first of the types that takes all of them; null where there is none.
TypePtr common_type(std::span<const TypePtr> types);

/// Whether its values without bytes mean no value to functions (an empty int), as Cassandra says
/// of most native types.
bool empty_is_null(const Type& type);

}  // namespace tailrace::cql_terms
