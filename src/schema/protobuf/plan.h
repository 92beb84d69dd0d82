// How a message becomes columns, compiled from its descriptor.
//
//   int32, sint32, sfixed32, uint32, fixed32 INT · the same of 64 bits BIGINT · bool BOOLEAN ·
//   float FLOAT · double DOUBLE · string and enum STRING · bytes BINARY · message and group STRUCT
//   · repeated ARRAY · map MAP · google.protobuf.Timestamp TIMESTAMP · Duration INTERVAL DAY TO
//   SECOND
//
// These are the columns that Spark's from_protobuf has: unsigned numbers keep their bits, wrappers
// are structs of a value, members of a oneof stand beside one another, and a message without fields
// is no column. A message that contains itself is none either, and is refused.
//
// What is not in a record is the field's default (proto2), an empty array or map, or null; so is
// the zero of a proto3 field that does not tell whether it is there.
#pragma once

#include <google/protobuf/descriptor.h>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "columns/types.h"

namespace tailrace::schema::protobuf {

/// How many messages may lie in one another.
inline constexpr std::size_t kMaxPlanDepth = 200;
/// How many columns, those within structs counted, a message may come to.
inline constexpr std::size_t kMaxColumns = 10'000;

enum class Op : std::uint8_t {
  kInt32,  ///< a varint's low 32 bits
  kInt64,
  kZigzag32,
  kZigzag64,
  kBool,
  kEnum,
  kFixed32,  ///< four bytes as they are: INT, FLOAT
  kFixed64,
  kText,
  kBytes,
  kMessage,
  kTimestamp,
  kDuration,
  kMap,  ///< a message of key and value
};

struct FieldPlan {
  Op op = Op::kInt32;
  bool repeated = false;
  bool required = false;
  bool zero_is_null = false;
  bool has_default = false;
  bool always = false;        ///< the value of a map: an empty message where there is none
  std::uint32_t column = 0;   ///< depth-first number; of a repeated field the list's
  std::uint32_t message = 0;  ///< of kMessage and kMap: its plan
  std::uint32_t enumeration = 0;
  std::int32_t oneof = -1;
  std::uint64_t default_number = 0;  ///< its bits
  std::string default_text;
  std::string name;

  /// A repeated field's element, or the field itself.
  std::uint32_t value_column() const { return repeated ? column + 1 : column; }
};

struct EnumPlan {
  std::unordered_map<std::int32_t, std::string> names;
  bool closed = false;  ///< proto2: a number without a name is as if it were not there
  std::string name;
};

struct MessagePlan {
  std::vector<FieldPlan> fields;
  /// By tag (number and wire type), one more than the field's place; 0 for what is skipped.
  std::vector<std::uint16_t> by_tag;
  std::unordered_map<std::uint32_t, std::uint16_t> far_tags;
  std::vector<std::vector<std::uint16_t>> oneofs;
  bool has_required = false;

  /// The place of a field and one more; 0 when there is none.
  std::uint16_t at(std::uint32_t tag) const {
    if (tag < by_tag.size()) return by_tag[tag];
    const auto found = far_tags.find(tag);
    return found == far_tags.end() ? 0 : found->second;
  }
};

struct Plan {
  Schema columns;
  std::vector<MessagePlan> messages;  ///< the first is the record
  std::vector<EnumPlan> enums;
};

/// kUnimplemented for a message that contains itself or has too many columns, with the field's
/// path.
Result<Plan> make_plan(const google::protobuf::Descriptor& message);

/// What message a field's column is made of, and whether that is one with a column of its own.
bool is_timestamp(const google::protobuf::Descriptor& message);
bool is_duration(const google::protobuf::Descriptor& message);

}  // namespace tailrace::schema::protobuf
