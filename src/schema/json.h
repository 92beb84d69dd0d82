// A JSON document as a tree of values, for schemas: members keep their order, and a name given
// twice keeps its last value at its first place, as Jackson has it.
//
// Texts are limited in length and depth, so a tree may be walked and destroyed by recursion.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace tailrace::schema {

class Json;
struct JsonMember;

/// The longest text of a schema that is read, in bytes.
inline constexpr std::size_t kMaxSchemaBytes = 5 * 1024 * 1024;
/// How many arrays and objects may lie in one another.
inline constexpr std::size_t kMaxJsonDepth = 1000;

/// A number that 64 bits do not hold exactly as it was written, in the form Java's BigDecimal has:
/// "1.50", "1E+3".
struct JsonDecimal {
  std::string text;
  bool operator==(const JsonDecimal&) const = default;
};

using JsonArray = std::vector<Json>;
using JsonObject = std::vector<JsonMember>;

class Json {
 public:
  Json() = default;
  Json(bool value) : value_(value) {}
  Json(std::int64_t value) : value_(value) {}
  Json(std::uint64_t value) : value_(value) {}
  Json(double value) : value_(value) {}
  Json(JsonDecimal value) : value_(std::move(value)) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(JsonArray value);
  Json(JsonObject value);

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  /// A whole number that int64 holds, written without point or exponent.
  const std::int64_t* integer() const { return std::get_if<std::int64_t>(&value_); }
  /// A whole number above int64's range that uint64 holds.
  const std::uint64_t* big() const { return std::get_if<std::uint64_t>(&value_); }
  /// Only read_exact_json gives one.
  const JsonDecimal* decimal() const { return std::get_if<JsonDecimal>(&value_); }
  bool is_number() const;
  /// Any number, as the nearest double.
  double number() const;
  const bool* boolean() const { return std::get_if<bool>(&value_); }
  const std::string* text() const { return std::get_if<std::string>(&value_); }
  const JsonArray* array() const { return std::get_if<JsonArray>(&value_); }
  const JsonObject* object() const { return std::get_if<JsonObject>(&value_); }
  JsonArray* array() { return std::get_if<JsonArray>(&value_); }
  JsonObject* object() { return std::get_if<JsonObject>(&value_); }

  /// The member of an object; null when there is none, or this is no object.
  const Json* find(std::string_view name) const;
  Json* find(std::string_view name);
  /// Its text; null when there is no such member, or it is no text.
  const std::string* find_text(std::string_view name) const;

  bool operator==(const Json& other) const;

 private:
  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, JsonArray,
               JsonObject, JsonDecimal>
      value_;
};

struct JsonMember {
  std::string name;
  Json value;
  bool operator==(const JsonMember&) const = default;
};

/// Reads a text; kInvalidArgument when it is no JSON, too long, or too deep.
Result<Json> parse_json(std::string_view text);

/// Appends the value without spaces, in the form Jackson writes: numbers as Java prints them, NaN
/// and the infinities in quotes. `sorted` orders the members of every object by name.
void append_json(std::string& out, const Json& value, bool sorted = false);
void append_json_text(std::string& out, std::string_view text);

}  // namespace tailrace::schema
