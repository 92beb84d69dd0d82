// The one type that values of two types get in CASE, UNION and join keys.
#pragma once

#include <optional>

#include "columns/types.h"

namespace tailrace::sql {

/// Spark's ANSI common type; nothing when there is none.
std::optional<Type> coerced_type(const Type& a, const Type& b);

}  // namespace tailrace::sql
