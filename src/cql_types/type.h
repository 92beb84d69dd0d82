// CQL's types: native ones, collections, tuples, user-defined types, vectors and custom classes.
//
// A Type is immutable and shared. Texts are those of Cassandra 5.0.9: `to_cql` is what
// system_schema and DESCRIBE show; class names are in class_name.h, protocol options in option.h,
// and the grammar of CQL's type texts, with the rules of what may stand in what, in type_parser.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tailrace::cql_types {

enum class Kind : std::uint8_t {
  kAscii,
  kBigint,
  kBlob,
  kBoolean,
  kCounter,
  kDate,
  kDecimal,
  kDouble,
  kDuration,
  kFloat,
  kInet,
  kInt,
  kSmallint,
  kText,
  kTime,
  kTimestamp,
  kTimeuuid,
  kTinyint,
  kUuid,
  kVarint,
  kList,
  kSet,
  kMap,
  kTuple,
  kUserType,
  kVector,
  kCustom,
};

/// Of kinds without parameters; kList and later are not native.
constexpr bool is_native(Kind kind) {
  return kind < Kind::kList;
}
constexpr bool is_collection(Kind kind) {
  return kind >= Kind::kList && kind <= Kind::kMap;
}

/// How deep types may stand in one another, in every text and byte form.
constexpr int kMaxTypeDepth = 32;
/// The most numbers a vector may hold; Cassandra has no bound but memory.
constexpr int kMaxVectorDimension = 1 << 20;

struct Type;
using TypePtr = std::shared_ptr<const Type>;

struct Type {
  Kind kind = Kind::kBlob;
  /// Written as one cell. Tuples and vectors always are; native types have nothing to freeze.
  bool frozen = false;
  /// Of a list, set or vector the element; of a map key and value; of tuples and UDTs the fields.
  std::vector<TypePtr> parameters;
  int dimension = 0;                     // of a vector: at least 1
  std::string keyspace, name;            // of a UDT
  std::vector<std::string> field_names;  // of a UDT, as many as parameters
  std::string class_name;                // of kCustom, with its parameters

  const Type& element() const { return *parameters[0]; }
  const Type& key() const { return *parameters[0]; }
  const Type& value() const { return *parameters[1]; }
  /// A non-frozen collection or UDT: its parts are cells of their own.
  bool is_multi_cell() const { return !frozen && (is_collection(kind) || kind == Kind::kUserType); }
};

TypePtr native_type(Kind kind);
TypePtr list_of(TypePtr element, bool frozen);
TypePtr set_of(TypePtr element, bool frozen);
TypePtr map_of(TypePtr key, TypePtr value, bool frozen);
TypePtr tuple_of(std::vector<TypePtr> fields);
/// `dimension` is 1 to kMaxVectorDimension.
TypePtr vector_of(TypePtr element, int dimension);
TypePtr user_type(std::string keyspace, std::string name, std::vector<std::string> field_names,
                  std::vector<TypePtr> fields, bool frozen);
TypePtr custom_type(std::string class_name);

bool operator==(const Type& a, const Type& b);

/// Frozen, and what is in it too where it is a collection, as Cassandra does.
TypePtr frozen(const TypePtr& type);

/// As system_schema shows it: `map<text, frozen<list<int>>>`; a UDT by its name, quoted if needed.
std::string to_cql(const Type& type);

/// The CQL name of a native type: "text", "bigint".
std::string_view native_name(Kind kind);

/// The bytes of every value but an empty one, or 0 where they vary. Of a vector, of all its
/// elements. Of date, time, smallint and tinyint 0: within vectors Cassandra gives them a length.
std::size_t fixed_length(const Type& type);

bool is_reserved_word(std::string_view word);  // any case
/// An identifier as CQL needs it: in double quotes unless lower-case, plain and not reserved.
std::string quoted_if_needed(std::string_view identifier);

}  // namespace tailrace::cql_types
