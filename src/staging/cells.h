// A JSON value as the cell of a typed column.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "staging/staging.h"

namespace tailrace::staging {

/// The narrowest type that holds a JSON value as it is: text, bigint, double, numeric (a number
/// that neither of these holds exactly), boolean, json.
Type type_of(std::string_view raw);

/// Whether a column of this type gives the value back as it came.
bool holds(Type type, std::string_view raw);

/// A type that holds what both do: numeric for numbers, else json; of a key text.
Type widened(Type type, Type other, bool of_key);
/// Whether a column may be made `to` without losing a value.
bool can_widen(Type from, Type to);

/// Appends the value's text as both databases take it for the type: 2015-06-07T08:09:10.111Z,
/// true, 1.50. kInvalidArgument says why the type does not hold it.
Status append_cell(std::string& out, Type type, std::string_view raw);

}  // namespace tailrace::staging
