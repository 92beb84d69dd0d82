#include "cql_schema/types.h"

#include <algorithm>

#include "cql_schema/refusal.h"

namespace tailrace::cql_schema {
namespace {

using cql_syntax::Type;
using cql_types::Kind;
using cql_types::Outcome;
using cql_types::RawType;

Kind native_kind(std::string_view name) {
  for (int i = 0; cql_types::is_native(static_cast<Kind>(i)); ++i)
    if (cql_types::native_name(static_cast<Kind>(i)) == name) return static_cast<Kind>(i);
  return Kind::kText;  // varchar
}

TypePtr with_parameters(const cql_types::Type& type, std::vector<TypePtr> parameters) {
  auto made = std::make_shared<cql_types::Type>(type);
  made->parameters = std::move(parameters);
  return made;
}

// Values of one read as values of the other (Cassandra's isValueCompatibleWith of native types).
bool values_fit(Kind kind, Kind before) {
  if (kind == before || kind == Kind::kBlob) return true;
  switch (kind) {
    case Kind::kText:
      return before == Kind::kAscii;
    case Kind::kBigint:
      return before == Kind::kTimestamp;
    case Kind::kTimestamp:
      return before == Kind::kBigint;
    case Kind::kUuid:
      return before == Kind::kTimeuuid;
    case Kind::kDate:
      return before == Kind::kInt;
    default:
      return false;
  }
}

constexpr std::string_view kPackage = "org.apache.cassandra.db.marshal.";

// Cassandra looks for a type's class while it parses; these there are, in its own package.
Outcome<void> check_class(const std::string& text) {
  constexpr std::string_view kClasses[] = {"AsciiType",
                                           "BooleanType",
                                           "ByteType",
                                           "BytesType",
                                           "CompositeType",
                                           "CounterColumnType",
                                           "DateType",
                                           "DecimalType",
                                           "DoubleType",
                                           "DurationType",
                                           "DynamicCompositeType",
                                           "EmptyType",
                                           "FloatType",
                                           "FrozenType",
                                           "InetAddressType",
                                           "Int32Type",
                                           "IntegerType",
                                           "LegacyTimeUUIDType",
                                           "LexicalUUIDType",
                                           "ListType",
                                           "LongType",
                                           "MapType",
                                           "PartitionerDefinedOrder",
                                           "ReversedType",
                                           "SetType",
                                           "ShortType",
                                           "SimpleDateType",
                                           "TimeType",
                                           "TimeUUIDType",
                                           "TimestampType",
                                           "TupleType",
                                           "UTF8Type",
                                           "UUIDType",
                                           "UserType",
                                           "VectorType"};
  auto name = text.substr(0, text.find('('));
  if (name.find('.') == std::string::npos) name = std::string(kPackage) + name;
  const auto rest = std::string_view(name).substr(std::min(kPackage.size(), name.size()));
  const bool known =
      name.starts_with(kPackage) &&
      std::find(std::begin(kClasses), std::end(kClasses), rest) != std::end(kClasses);
  if (known) return {};
  return malformed("Error setting type {}: Unable to find abstract-type class '{}'", text, name);
}

// A class with its whole name, and those in its parameters, as Cassandra writes them again. What is
// in user types has names of other kinds, and stays.
std::string whole_class_name(const std::string& text) {
  const bool parameters = text.find(':') == std::string::npos;
  std::string made;
  std::string word;
  bool first = true;
  const auto end_word = [&] {
    const bool is_class = !word.empty() && !(word[0] >= '0' && word[0] <= '9');
    if (is_class && (first || parameters) && word.find('.') == std::string::npos) made += kPackage;
    if (!word.empty()) first = false;
    made += word;
    word.clear();
  };
  for (const char c : text) {
    if (c == '(' || c == ')' || c == ',') {
      end_word();
      made += c;
    } else if (c != ' ') {
      word += c;
    }
  }
  end_word();
  return made;
}

}  // namespace

Outcome<RawType> raw_type(const Type& type) {
  RawType raw;
  for (const auto& item : type.items) {
    ASSIGN(auto made, raw_type(item));
    if (type.kind == Type::Kind::kFrozen) {
      TRY(cql_types::freeze(made));
      return made;
    }
    // What a tuple holds is frozen with it.
    const bool freezes = type.kind == Type::Kind::kTuple && !cql_types::is_native(made.kind) &&
                         made.kind != Kind::kCustom;
    if (freezes) TRY(cql_types::freeze(made));
    raw.parameters.push_back(std::move(made));
  }
  switch (type.kind) {
    case Type::Kind::kNative:
      raw.kind = native_kind(type.name);
      raw.varchar = type.name == "varchar";
      break;
    case Type::Kind::kUser:
      raw.kind = Kind::kUserType;
      raw.keyspace = type.keyspace;
      raw.name = type.name;
      break;
    case Type::Kind::kMap:
      raw.kind = Kind::kMap;
      break;
    case Type::Kind::kList:
      raw.kind = Kind::kList;
      break;
    case Type::Kind::kSet:
      raw.kind = Kind::kSet;
      break;
    case Type::Kind::kTuple:
      raw.kind = Kind::kTuple;
      break;
    case Type::Kind::kVector:
      raw.kind = Kind::kVector;
      raw.dimension = type.dimension;
      break;
    case Type::Kind::kCustom:
    case Type::Kind::kFrozen:
      TRY(check_class(type.name));
      raw.kind = Kind::kCustom;
      raw.name = whole_class_name(type.name);
      break;
  }
  return raw;
}

Outcome<TypePtr> resolved(const RawType& type, const Keyspace& keyspace) {
  ASSIGN(auto made,
         cql_types::resolve(type, keyspace.name, [&](std::string_view, std::string_view name) {
           const auto found = keyspace.types.find(name);
           return found == keyspace.types.end() ? nullptr : found->second;
         }));
  return made;
}

bool uses(const cql_types::Type& type, std::string_view user_type) {
  if (type.kind == Kind::kUserType && type.name == user_type) return true;
  return std::any_of(type.parameters.begin(), type.parameters.end(),
                     [&](const TypePtr& one) { return uses(*one, user_type); });
}

bool uses_duration(const cql_types::Type& type) {
  if (type.kind == Kind::kDuration) return true;
  return std::any_of(type.parameters.begin(), type.parameters.end(),
                     [](const TypePtr& one) { return uses_duration(*one); });
}

RawType in_keyspace(RawType type, const std::string& keyspace) {
  if (type.kind == Kind::kUserType && !type.keyspace) type.keyspace = keyspace;
  for (auto& part : type.parameters) part = in_keyspace(std::move(part), keyspace);
  return type;
}

TypePtr with_user_type(const TypePtr& type, const TypePtr& changed) {
  if (!uses(*type, changed->name)) return type;
  if (type->kind == Kind::kUserType && type->name == changed->name)
    return type->frozen ? cql_types::frozen(changed) : changed;
  std::vector<TypePtr> parameters;
  for (const auto& one : type->parameters) parameters.push_back(with_user_type(one, changed));
  return with_parameters(*type, std::move(parameters));
}

TypePtr without_user_types(const TypePtr& type) {
  if (type->parameters.empty()) return type;
  std::vector<TypePtr> parameters;
  for (const auto& one : type->parameters) parameters.push_back(without_user_types(one));
  if (type->kind == Kind::kUserType) {
    for (auto& one : parameters) one = cql_types::frozen(one);
    return cql_types::tuple_of(std::move(parameters));
  }
  return with_parameters(*type, std::move(parameters));
}

bool fits_in_place(const cql_types::Type& type, const cql_types::Type& before) {
  if (type == before) return true;
  if (type.is_multi_cell() != before.is_multi_cell()) return false;
  if (cql_types::is_native(type.kind)) {
    if (!cql_types::is_native(before.kind))
      return type.kind == Kind::kBlob && !cql_types::is_collection(before.kind);
    const auto length = [](const cql_types::Type& one) {
      return one.kind == Kind::kDate ? 4 : cql_types::fixed_length(one);
    };
    return values_fit(type.kind, before.kind) && length(type) == length(before);
  }
  // A tuple may have got more fields. A user type fits nothing: dropped columns keep tuples.
  if (type.kind == Kind::kUserType || type.kind != before.kind) return false;
  if (type.dimension != before.dimension) return false;
  if (type.parameters.size() < before.parameters.size()) return false;
  if (type.kind != Kind::kTuple && type.parameters.size() != before.parameters.size()) return false;
  for (std::size_t i = 0; i < before.parameters.size(); ++i)
    if (!fits_in_place(*type.parameters[i], *before.parameters[i])) return false;
  return true;
}

}  // namespace tailrace::cql_schema
