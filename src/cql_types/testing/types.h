// Types by their texts, in a keyspace "ks" that has two user types; for tests.
#pragma once

#include <string_view>

#include "cql_types/type_parser.h"

namespace tailrace::cql_types::testing {

/// ks.address (street text, zip int, "Lines" frozen<list<text>>) and ks."Odd" (a int), or null.
inline TypePtr user_type_named(std::string_view, std::string_view name) {
  const auto text = native_type(Kind::kText), number = native_type(Kind::kInt);
  if (name == "address")
    return user_type("ks", "address", {"street", "zip", "Lines"},
                     {text, number, list_of(text, true)}, false);
  if (name == "Odd") return user_type("ks", "Odd", {"a"}, {number}, false);
  return nullptr;
}

inline Result<TypePtr> parse(std::string_view text) {
  return parse_type(text, "ks", user_type_named);
}

}  // namespace tailrace::cql_types::testing
