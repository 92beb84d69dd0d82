// A decode plan: a writer's schema resolved to a reader's, compiled to a flat list of steps.
//
// A record is decoded by running its steps from first to last. Steps with a body (list, constant)
// are followed by it; a union's branches lie behind it, and it goes on behind the last one. A type
// that is skipped and may contain itself is a routine of its own, called.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "columns/types.h"
#include "schema/avro/avro_schema.h"

namespace tailrace::schema::avro {

enum class Op : std::uint8_t {
  // Read one value and append it to the column.
  kNull,
  kBoolean,
  kInt,
  kLong,
  kFloat,
  kDouble,
  kIntToLong,
  kIntToFloat,
  kLongToFloat,
  kIntToDouble,
  kLongToDouble,
  kFloatToDouble,
  kMillisToMicros,
  kNanosToMicros,
  kIntMillisToMicros,
  kIntNanosToMicros,
  kText,          ///< bytes that must be UTF-8
  kBytes,         ///< bytes as they are
  kFixed,         ///< a: size
  kEnum,          ///< a: symbol table
  kUuid,          ///< 16 bytes, as 36 characters
  kDuration,      ///< 12 bytes, as three numbers
  kDecimalBytes,  ///< a: digits
  kDecimalFixed,  ///< a: size, b: digits
  // Shape.
  kStruct,    ///< the children's values follow
  kMember,    ///< a struct of a union's branches: null in every child but child a
  kList,      ///< a: end of the body, b: an element may have no bytes
  kUnion,     ///< a: branch table, b: where to go on
  kConstant,  ///< a: constant, b: end of the body, which reads it
  kCall,      ///< a: routine
  kFail,      ///< a: message; what the writer wrote has no place in the reader
  // Read and drop.
  kSkipNumber,
  kSkipBytes,
  kSkipFixed,  ///< a: size
  kSkipList,   ///< as kList
};

struct Step {
  Op op;
  std::uint32_t column = 0;  ///< depth-first number of the column
  std::uint32_t a = 0;
  std::uint32_t b = 0;
};

struct StepRange {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

struct Plan {
  Schema columns;
  std::vector<Step> steps;
  std::vector<std::string> places;  ///< of each step: the writer's path, for errors
  StepRange record;
  std::vector<StepRange> routines;
  std::vector<std::vector<StepRange>> branches;
  /// The text of each of a writer's symbols; empty where the reader has none.
  std::vector<std::vector<std::string>> symbols;
  std::vector<std::string> constants;  ///< defaults as the reader's Avro
  std::vector<std::string> messages;
};

/// kFailedPrecondition when the reader cannot read what the writer writes, kUnimplemented when it
/// is no columns. What only some values make impossible (a branch, a symbol) fails when it comes.
Result<Plan> make_plan(const AvroSchema& writer, const AvroSchema& reader);

/// Appends a default as Avro bytes of its type.
Status encode_default(const Type& type, const Json& value, std::string& out);

/// Appends an int or long: zigzag, then seven bits a byte, low ones first.
void append_long(std::string& out, std::int64_t value);

/// Appends a float, double or word as it is in memory: little-endian.
template <typename T>
void append_raw(std::string& out, T value) {
  char raw[sizeof value];
  std::memcpy(raw, &value, sizeof value);
  out.append(raw, sizeof raw);
}

/// What JSON writes for bytes: each character, U+0000 to U+00FF, is one. Nothing where one is
/// above.
std::optional<std::string> bytes_of(std::string_view text);

}  // namespace tailrace::schema::avro
