#include "cql_terms/assignable.h"

#include <algorithm>

namespace tailrace::cql_terms {

using cql_types::Kind;

namespace {

bool all_parameters(const Type& type, const Type& previous,
                    bool (*holds)(const Type&, const Type&)) {
  return type.parameters.size() >= previous.parameters.size() &&
         std::equal(previous.parameters.begin(), previous.parameters.end(), type.parameters.begin(),
                    [&](const TypePtr& old, const TypePtr& now) { return holds(*now, *old); });
}

// Cells one by one: the same lengths and the same structure.
bool is_serialization_compatible(const Type& type, const Type& previous) {
  return is_value_compatible(type, previous) && fixed_length(type) == fixed_length(previous) &&
         type.is_multi_cell() == previous.is_multi_cell();
}

bool is_tuple(const Type& type) {
  return type.kind == Kind::kTuple || type.kind == Kind::kUserType;
}

bool is_compatible_collection(const Type& type, const Type& previous) {
  if (type.kind != previous.kind || type.is_multi_cell() != previous.is_multi_cell()) return false;
  if (!type.is_multi_cell()) return all_parameters(type, previous, is_compatible);
  switch (type.kind) {
    case Kind::kList:
      return is_serialization_compatible(type.element(), previous.element());
    case Kind::kSet:
      return is_compatible(type.element(), previous.element());
    default:
      return is_compatible(type.key(), previous.key()) &&
             is_serialization_compatible(type.value(), previous.value());
  }
}

bool is_value_compatible_collection(const Type& type, const Type& previous) {
  if (type.is_multi_cell()) return is_compatible_collection(type, previous);
  if (type.kind != previous.kind || previous.is_multi_cell()) return false;
  switch (type.kind) {
    case Kind::kList:
      return is_value_compatible(type.element(), previous.element());
    case Kind::kSet:
      return is_compatible(type.element(), previous.element());
    default:
      return is_compatible(type.key(), previous.key()) &&
             is_value_compatible(type.value(), previous.value());
  }
}

}  // namespace

bool is_compatible(const Type& type, const Type& previous) {
  if (type == previous) return true;
  if (cql_types::is_collection(type.kind)) return is_compatible_collection(type, previous);
  switch (type.kind) {
    case Kind::kBlob:
      return previous.kind == Kind::kAscii || previous.kind == Kind::kText;
    case Kind::kText:
      return previous.kind == Kind::kAscii;
    case Kind::kTuple:
    case Kind::kUserType:
      return is_tuple(previous) && all_parameters(type, previous, is_compatible);
    default:
      return false;
  }
}

bool is_value_compatible(const Type& type, const Type& previous) {
  if (type == previous) return true;
  const auto is = [&](Kind kind) { return previous.kind == kind; };
  switch (type.kind) {
    case Kind::kBlob:
      return true;
    case Kind::kBigint:
      return is(Kind::kTimestamp);
    case Kind::kTimestamp:
    case Kind::kTime:
      return is(Kind::kBigint);
    case Kind::kDate:
      return is(Kind::kInt);
    case Kind::kVarint:
      return is(Kind::kInt) || is(Kind::kBigint) || is(Kind::kTimestamp);
    case Kind::kUuid:
      return is(Kind::kTimeuuid);
    case Kind::kList:
    case Kind::kSet:
    case Kind::kMap:
      return is_value_compatible_collection(type, previous);
    case Kind::kTuple:
      return is_tuple(previous) && all_parameters(type, previous, is_value_compatible);
    case Kind::kUserType:
      return is(Kind::kUserType) && type.is_multi_cell() == previous.is_multi_cell() &&
             type.keyspace == previous.keyspace && all_parameters(type, previous, is_compatible);
    default:
      return is_compatible(type, previous);
  }
}

Match match_types(const TypePtr& given, const TypePtr& receiver) {
  const bool freezable = cql_types::is_collection(given->kind) || given->kind == Kind::kUserType;
  const auto target = freezable && given->frozen ? cql_types::frozen(receiver) : receiver;
  if (*given == *target) return Match::kExact;
  return is_value_compatible(*target, *given) ? Match::kWeak : Match::kNone;
}

TypePtr common_type(std::span<const TypePtr> types) {
  for (const auto& type : types)
    if (std::all_of(types.begin(), types.end(),
                    [&](const TypePtr& other) { return match_types(other, type) != Match::kNone; }))
      return type;
  return nullptr;
}

bool empty_is_null(const Type& type) {
  switch (type.kind) {
    case Kind::kAscii:
    case Kind::kText:
    case Kind::kBlob:
    case Kind::kDate:
    case Kind::kTime:
    case Kind::kTinyint:
    case Kind::kSmallint:
    case Kind::kDuration:
      return false;
    default:
      return cql_types::is_native(type.kind);
  }
}

}  // namespace tailrace::cql_terms
