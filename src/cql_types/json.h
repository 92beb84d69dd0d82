// Values as JSON, as CQL's toJson, fromJson, SELECT JSON and INSERT … JSON have it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cql_types/parts.h"
#include "cql_types/type.h"

namespace tailrace::cql_types {

constexpr std::size_t kMaxJsonText = 16 * 1024 * 1024;
constexpr int kMaxJsonDepth = 64;

/// A parsed JSON text: numbers as they were written, members in order, the last of a name counts.
struct Json {
  enum class Kind { kNull, kBoolean, kNumber, kString, kList, kObject };
  Kind kind = Kind::kNull;
  bool boolean = false;
  std::string text;                                   // of a number or a string
  std::vector<Json> items;                            // of a list
  std::vector<std::pair<std::string, Json>> members;  // of an object

  bool is_integer() const;
};

/// kInvalidArgument ("Error decoding JSON string: …") for what is no JSON text, or too deep.
Result<Json> parse_json(std::string_view text);

/// `null`, numbers, "text", "0x00", "2020-01-01 10:00:00.000Z", lists with ", ", objects with ": ".
/// Keys of maps that are no strings become strings. kInvalidArgument for bytes that are no value.
Result<std::string> to_json(const Type& type, Part value);

/// The bytes of a value, or null; sets and maps come out in their order. kInvalidArgument in
/// Cassandra's words.
Result<std::optional<std::string>> from_json(const Type& type, const Json& json,
                                             std::int64_t now_ms);
Result<std::optional<std::string>> from_json(const Type& type, std::string_view text,
                                             std::int64_t now_ms);

/// Names of columns and fields in JSON: in double quotes they keep their case, else they are lower.
std::string json_name(std::string_view name);

/// Appends text in double quotes, escaped.
void append_json_string(std::string& out, std::string_view text);

}  // namespace tailrace::cql_types
