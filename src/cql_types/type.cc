#include "cql_types/type.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"

namespace tailrace::cql_types {
namespace {

constexpr std::array<std::string_view, 20> kNativeNames{
    "ascii",  "bigint",    "blob",     "boolean", "counter", "date",     "decimal",
    "double", "duration",  "float",    "inet",    "int",     "smallint", "text",
    "time",   "timestamp", "timeuuid", "tinyint", "uuid",    "varint"};

constexpr auto kReserved = std::to_array<std::string_view>(
    {"add",      "allow",    "alter",        "and",          "apply",  "asc",         "authorize",
     "batch",    "begin",    "by",           "columnfamily", "create", "delete",      "desc",
     "describe", "drop",     "entries",      "execute",      "from",   "full",        "grant",
     "if",       "in",       "index",        "infinity",     "insert", "into",        "is",
     "keyspace", "limit",    "materialized", "modify",       "nan",    "norecursive", "not",
     "null",     "of",       "on",           "or",           "order",  "primary",     "rename",
     "revoke",   "schema",   "select",       "set",          "table",  "to",          "token",
     "truncate", "unlogged", "update",       "use",          "using",  "view",        "where",
     "with"});

Type collection(Kind kind, std::vector<TypePtr> parameters, bool is_frozen) {
  Type type;
  type.kind = kind;
  type.frozen = is_frozen;
  type.parameters = std::move(parameters);
  return type;
}

std::string list_text(const std::vector<TypePtr>& types) {
  std::string text;
  for (const auto& type : types) {
    if (!text.empty()) text += ", ";
    text += to_cql(*type);
  }
  return text;
}

std::string unfrozen_text(const Type& type) {
  switch (type.kind) {
    case Kind::kList:
      return "list<" + list_text(type.parameters) + ">";
    case Kind::kSet:
      return "set<" + list_text(type.parameters) + ">";
    case Kind::kMap:
      return "map<" + list_text(type.parameters) + ">";
    case Kind::kTuple:
      return "tuple<" + list_text(type.parameters) + ">";
    case Kind::kUserType:
      return quoted_if_needed(type.name);
    case Kind::kVector:
      return "vector<" + to_cql(type.element()) + ", " + std::to_string(type.dimension) + ">";
    case Kind::kCustom:
      return "'" + type.class_name + "'";
    default:
      return std::string(native_name(type.kind));
  }
}

}  // namespace

TypePtr native_type(Kind kind) {
  static const auto all = [] {
    std::array<TypePtr, kNativeNames.size()> types;
    for (std::size_t i = 0; i < types.size(); ++i) {
      Type type;
      type.kind = static_cast<Kind>(i);
      types[i] = std::make_shared<const Type>(std::move(type));
    }
    return types;
  }();
  CHECK(is_native(kind));
  return all[static_cast<std::size_t>(kind)];
}

TypePtr list_of(TypePtr element, bool is_frozen) {
  return std::make_shared<const Type>(collection(Kind::kList, {std::move(element)}, is_frozen));
}

TypePtr set_of(TypePtr element, bool is_frozen) {
  return std::make_shared<const Type>(collection(Kind::kSet, {std::move(element)}, is_frozen));
}

TypePtr map_of(TypePtr key, TypePtr value, bool is_frozen) {
  return std::make_shared<const Type>(
      collection(Kind::kMap, {std::move(key), std::move(value)}, is_frozen));
}

TypePtr tuple_of(std::vector<TypePtr> fields) {
  return std::make_shared<const Type>(collection(Kind::kTuple, std::move(fields), true));
}

TypePtr vector_of(TypePtr element, int dimension) {
  CHECK(dimension > 0 && dimension <= kMaxVectorDimension);
  Type type = collection(Kind::kVector, {std::move(element)}, true);
  type.dimension = dimension;
  return std::make_shared<const Type>(std::move(type));
}

TypePtr user_type(std::string keyspace, std::string name, std::vector<std::string> field_names,
                  std::vector<TypePtr> fields, bool is_frozen) {
  CHECK(field_names.size() == fields.size());
  Type type = collection(Kind::kUserType, std::move(fields), is_frozen);
  type.keyspace = std::move(keyspace);
  type.name = std::move(name);
  type.field_names = std::move(field_names);
  return std::make_shared<const Type>(std::move(type));
}

TypePtr custom_type(std::string class_name) {
  Type type;
  type.kind = Kind::kCustom;
  type.class_name = std::move(class_name);
  return std::make_shared<const Type>(std::move(type));
}

bool operator==(const Type& a, const Type& b) {
  return a.kind == b.kind && a.frozen == b.frozen && a.dimension == b.dimension &&
         a.keyspace == b.keyspace && a.name == b.name && a.class_name == b.class_name &&
         a.field_names == b.field_names &&
         std::equal(a.parameters.begin(), a.parameters.end(), b.parameters.begin(),
                    b.parameters.end(),
                    [](const TypePtr& x, const TypePtr& y) { return x == y || *x == *y; });
}

TypePtr frozen(const TypePtr& type) {
  if (!type->is_multi_cell()) return type;
  Type copy = *type;
  copy.frozen = true;
  if (is_collection(copy.kind))
    for (auto& parameter : copy.parameters) parameter = frozen(parameter);
  return std::make_shared<const Type>(std::move(copy));
}

std::string to_cql(const Type& type) {
  const bool shown = type.frozen && type.kind != Kind::kVector;
  return shown ? "frozen<" + unfrozen_text(type) + ">" : unfrozen_text(type);
}

std::string_view native_name(Kind kind) {
  CHECK(is_native(kind));
  return kNativeNames[static_cast<std::size_t>(kind)];
}

std::size_t fixed_length(const Type& type) {
  switch (type.kind) {
    case Kind::kBoolean:
      return 1;
    case Kind::kInt:
    case Kind::kFloat:
      return 4;
    case Kind::kBigint:
    case Kind::kDouble:
    case Kind::kTimestamp:
      return 8;
    case Kind::kUuid:
    case Kind::kTimeuuid:
      return 16;
    case Kind::kVector:
      return fixed_length(type.element()) * static_cast<std::size_t>(type.dimension);
    default:
      return 0;
  }
}

bool is_reserved_word(std::string_view word) {
  std::string lower(word);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return std::find(kReserved.begin(), kReserved.end(), lower) != kReserved.end();
}

std::string quoted_if_needed(std::string_view identifier) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  if (!identifier.empty() && identifier[0] >= 'a' && identifier[0] <= 'z' &&
      std::all_of(identifier.begin(), identifier.end(), plain) && !is_reserved_word(identifier))
    return std::string(identifier);
  std::string quoted = "\"";
  for (const char c : identifier) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace tailrace::cql_types
