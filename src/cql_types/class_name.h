// The names that Cassandra's own classes give to types, which protocol options of kind custom and
// some system tables carry.
//
//   class      := name [ "(" parameters ")" ]      name: org.apache.cassandra.db.marshal.X, or X
//   List, Set  := "(" class ")"                    Map: two, Tuple: one and more, by ","
//   UserType   := "(" keyspace "," hex-name { "," hex-field ":" class } ")"
//   VectorType := "(" class " , " dimension ")"
//   FrozenType, ReversedType := "(" class ")"
#pragma once

#include "base/result.h"
#include "cql_types/type.h"

namespace tailrace::cql_types {

constexpr std::size_t kMaxClassName = 64 * 1024;

/// A type, and whether its order is reversed: only the outermost class may say that.
struct NamedType {
  TypePtr type;
  bool reversed = false;
};

std::string to_class_name(const Type& type);
/// Of a clustering column in descending order.
std::string to_reversed_class_name(const Type& type);

/// Classes that are not types of CQL become kCustom with their whole text. kInvalidArgument for
/// what is no class name.
Result<NamedType> parse_class_name(std::string_view text);

}  // namespace tailrace::cql_types
