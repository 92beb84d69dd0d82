// Spark's types as CQL's, and their values as the protocol's bytes and back.
//
//   BOOLEAN boolean · TINYINT tinyint · SMALLINT smallint · INT int · BIGINT bigint · FLOAT float ·
//   DOUBLE double · DECIMAL decimal · STRING text · BINARY blob · DATE date · TIMESTAMP and
//   TIMESTAMP_NTZ timestamp, cut off to milliseconds · INTERVAL and VOID text ·
//   ARRAY frozen<list> · MAP frozen<map>, by its keys' order · STRUCT a frozen user type
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "columns/column_view.h"
#include "columns/types.h"
#include "cql_types/type.h"

namespace tailrace::served {

/// A type: how its values lie in a column, and what they are in CQL.
struct Shape {
  enum class Form : std::uint8_t {
    kNull,
    kBoolean,
    kInteger,
    kFloat,
    kDouble,
    kDecimal,
    kBytes,
    kDate,
    kTimestamp,
    kInterval,
    kList,
    kMap,
    kStruct,
  };
  Form form = Form::kNull;
  Type spark;
  cql_types::TypePtr cql;  // frozen where it can be
  std::vector<Shape>
      parts;  // of a list its element, of a map key and value, of a struct its fields
};

/// A name as CQL's clients write it without quotes: lower case, all but letters, digits and _ as _.
std::string plain_name(std::string_view name);

/// The user types that structs become.
struct UserTypes {
  std::string keyspace;
  std::set<std::string> taken;            // names that no other may have
  std::vector<cql_types::TypePtr> types;  // non-frozen; those that others name come first
};

/// The shape of a column; its user types are called after `name`. kUnimplemented for what is no
/// type of Spark's.
Result<Shape> shape_of(const Type& spark, const std::string& name, UserTypes& types);

/// `wanted`, or with the first number behind it that makes it one that is not taken; now it is.
std::string own_name(const std::string& wanted, std::set<std::string>& taken);

/// What becomes of elements of an ARRAY, and entries of a MAP, that are null: Cassandra has none,
/// and drivers cannot read them. Keys keep them, which would be other keys without.
enum class Nulls : std::uint8_t { kKept, kLeftOut };

/// Appends a value that is there.
void append_value(const Shape& shape, const ColumnView& column, std::int64_t row, std::string& out,
                  Nulls nulls = Nulls::kKept);

/// Appends the key bytes (columns/row_codec.h) of a valid value; false where no column of this
/// shape can hold it (a decimal with more digits). No map and no interval is in the shape.
bool append_key_of(const Shape& shape, std::string_view value, std::string& out);

}  // namespace tailrace::served
