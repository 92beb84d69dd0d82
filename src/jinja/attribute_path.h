// The `attribute=` of filters: `user.name`, `0`, `a.1.b`, and several joined by commas.
#pragma once

#include "jinja/python.h"

namespace tailrace::jinja {

/// make_attrgetter: each part an item of what the part before gave. Where a part is undefined it is
/// `fallback`, when there is one.
Result<Value> at_path(const Value& item, const Value& attribute, const Value* fallback);
/// A str in lower case; other values as they are.
Value without_case(const Value& value);

}  // namespace tailrace::jinja
