// What an Avro schema is made of (Avro 1.12 specification, "Schema Declaration").
//
// Types point to one another: a name that is used again is a pointer to its one definition, so a
// recursive schema is a cycle. All types of a schema live as long as the schema (avro_schema.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "schema/json.h"

namespace tailrace::schema::avro {

enum class Kind : std::uint8_t {
  kNull,
  kBoolean,
  kInt,
  kLong,
  kFloat,
  kDouble,
  kBytes,
  kString,
  kArray,
  kMap,
  kUnion,
  kFixed,
  kEnum,
  kRecord,
};

/// "null" … "record": the name of the kind in a schema.
std::string_view kind_name(Kind kind);
/// The kind of a primitive type's name.
std::optional<Kind> primitive_kind(std::string_view name);

inline bool is_named(Kind kind) {
  return kind >= Kind::kFixed;
}

enum class Logical : std::uint8_t {
  kNone,
  kDecimal,
  kBigDecimal,
  kUuid,
  kDate,
  kTimeMillis,
  kTimeMicros,
  kTimestampMillis,
  kTimestampMicros,
  kTimestampNanos,
  kLocalTimestampMillis,
  kLocalTimestampMicros,
  kLocalTimestampNanos,
  kDuration,
};

std::string_view logical_name(Logical logical);

/// A logical type that fits the type it stands on. One that does not is only a property, as the
/// specification asks.
struct LogicalType {
  Logical kind = Logical::kNone;
  int precision = 0;  ///< of kDecimal
  int scale = 0;      ///< of kDecimal

  bool operator==(const LogicalType&) const = default;
};

struct Type;

enum class Order : std::uint8_t { kAscending, kDescending, kIgnore };

struct Field {
  std::string name;
  const Type* type = nullptr;
  std::optional<std::string> doc;
  std::optional<Json> default_value;
  Order order = Order::kAscending;
  std::vector<std::string> aliases;
  JsonObject properties;
};

/// What only records, enums and fixed have.
struct Definition {
  std::string name;
  std::string space;      ///< namespace; empty when there is none
  std::string full_name;  ///< "space.name", or the name alone
  std::optional<std::string> doc;
  std::vector<std::string> aliases;  ///< full names
  bool is_error = false;             ///< declared as "error", which is a record
  std::vector<Field> fields;
  std::unordered_map<std::string_view, std::size_t> field_places;  ///< by name, into `fields`
  std::vector<std::string> symbols;
  std::optional<std::string> default_symbol;
  std::int32_t size = 0;  ///< of kFixed
};

struct Type {
  Kind kind = Kind::kNull;
  LogicalType logical;
  JsonObject properties;  ///< what the specification does not name, logicalType among it, in order
  const Type* element = nullptr;        ///< of kArray; the values of kMap
  std::vector<const Type*> branches;    ///< of kUnion
  std::unique_ptr<Definition> defined;  ///< of kRecord, kEnum and kFixed: never null there

  /// The full name of a named type, else the name of the kind.
  std::string_view full_name() const {
    return defined ? std::string_view(defined->full_name) : kind_name(kind);
  }
};

/// The field of that name; null when there is none.
const Field* find_field(const Definition& record, std::string_view name);

/// Reads logicalType and its parameters from the type's properties.
LogicalType logical_type_of(const Type& type);

}  // namespace tailrace::schema::avro
