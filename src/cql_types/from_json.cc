// Values read from JSON, with the sentences of Cassandra, which name Java's classes.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "cql_types/compare.h"
#include "cql_types/json.h"
#include "cql_types/number.h"
#include "cql_types/text.h"

namespace tailrace::cql_types {
namespace {

using JsonKind = Json::Kind;

std::unexpected<Error> invalid(std::string what) {
  return error(Code::kInvalidArgument, std::move(what));
}

bool fits_64_bits(std::string_view text) {
  std::int64_t value = 0;
  return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc();
}

bool fits_32_bits(std::string_view text) {
  std::int32_t value = 0;
  return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc();
}

// The class that Cassandra's JSON reader makes of a value, and that class's text.
std::string_view class_of(const Json& json) {
  switch (json.kind) {
    case JsonKind::kNull:
      return "null";
    case JsonKind::kBoolean:
      return "Boolean";
    case JsonKind::kString:
      return "String";
    case JsonKind::kList:
      return "ArrayList";
    case JsonKind::kObject:
      return "LinkedHashMap";
    case JsonKind::kNumber:
      break;
  }
  if (!json.is_integer()) return "Double";
  return fits_32_bits(json.text) ? "Integer" : fits_64_bits(json.text) ? "Long" : "BigInteger";
}

std::string text_of(const Json& json) {
  switch (json.kind) {
    case JsonKind::kNull:
      return "null";
    case JsonKind::kBoolean:
      return json.boolean ? "true" : "false";
    case JsonKind::kString:
      return json.text;
    case JsonKind::kNumber:
      if (json.is_integer()) return json.text == "-0" ? "0" : json.text;
      return double_text(parse_double(json.text).value_or(0));
    case JsonKind::kList: {
      std::string text;
      for (const auto& item : json.items) {
        if (!text.empty()) text += ", ";
        text += text_of(item);
      }
      return "[" + text + "]";
    }
    case JsonKind::kObject:
      break;
  }
  std::string text;
  for (const auto& [name, member] : json.members) {
    if (!text.empty()) text += ", ";
    text += name + "=" + text_of(member);
  }
  return "{" + text + "}";
}

std::unexpected<Error> expected(std::string_view what, const Json& json) {
  return invalid(fmt::format("Expected {}, but got a {}: {}", what, class_of(json), text_of(json)));
}

std::string_view expected_string(Kind kind) {
  switch (kind) {
    case Kind::kAscii:
      return "an ascii string";
    case Kind::kText:
      return "a UTF-8 string";
    case Kind::kInet:
      return "a string representation of an inet value";
    case Kind::kDate:
      return "a string representation of a date value";
    case Kind::kTime:
      return "a string representation of a time value";
    case Kind::kUuid:
      return "a string representation of a uuid";
    case Kind::kTimeuuid:
      return "a string representation of a timeuuid";
    default:
      return "a string representation of a duration";
  }
}

Result<std::string> integer_value(const Type& type, const Json& json, std::int64_t now_ms) {
  const bool is_int = type.kind == Kind::kInt;
  const auto name = class_of(json);
  if (name == "Integer" || (!is_int && name == "Long"))
    return from_text(type, text_of(json), now_ms);
  return expected(is_int ? "an int value" : "a bigint value", json);
}

Result<std::string> blob_value(const Type& type, const Json& json, std::int64_t now_ms) {
  const auto wrong = [&](std::string_view why) {
    return invalid(
        fmt::format("Value '{}' is not a valid blob representation: {}", text_of(json), why));
  };
  if (json.kind != JsonKind::kString) {
    const auto name = class_of(json);
    const bool in_util = json.kind == JsonKind::kList || json.kind == JsonKind::kObject;
    const auto whole = fmt::format("java.{}.{}",
                                   name == "BigInteger" ? "math"
                                   : in_util            ? "util"
                                                        : "lang",
                                   name);
    return wrong(
        fmt::format("class {0} cannot be cast to class java.lang.String ({0} and "
                    "java.lang.String are in module java.base of loader 'bootstrap')",
                    whole));
  }
  if (!json.text.starts_with("0x"))
    return wrong("String representation of blob is missing 0x prefix: " + json.text);
  auto bytes = from_text(type, std::string_view(json.text).substr(2), now_ms);
  if (!bytes) return wrong(bytes.error().what);
  return *bytes;
}

Result<std::string> any_number(const Type& type, const Json& json, std::int64_t now_ms) {
  const bool is_varint = type.kind == Kind::kVarint;
  auto text = text_of(json);
  auto bytes = from_text(type, text, now_ms);
  if (bytes && !(is_varint && text.empty())) return *bytes;
  return invalid(fmt::format("Value '{}' is not a valid representation of a {} value", text,
                             is_varint ? "varint" : "decimal"));
}

// Doubles are read as such, a float from the double.
Result<std::string> floating_value(const Type& type, const Json& json) {
  std::string bytes;
  const double value = parse_double(json.text).value_or(0);
  if (type.kind == Kind::kDouble)
    append_be(bytes, std::bit_cast<std::uint64_t>(value));
  else
    append_be(bytes, std::bit_cast<std::uint32_t>(static_cast<float>(value)));
  return bytes;
}

Result<std::string> native_value(const Type& type, const Json& json, std::int64_t now_ms) {
  const bool is_string = json.kind == JsonKind::kString;
  const bool is_number = json.kind == JsonKind::kNumber;
  switch (type.kind) {
    case Kind::kBlob:
      return blob_value(type, json, now_ms);
    case Kind::kVarint:
    case Kind::kDecimal:
      return any_number(type, json, now_ms);
    case Kind::kTinyint:
    case Kind::kSmallint:
      if (is_number) return from_text(type, text_of(json), now_ms);
      if (!is_string)
        return expected(type.kind == Kind::kTinyint ? "a byte value" : "a short value", json);
      break;
    case Kind::kInt:
    case Kind::kBigint:
    case Kind::kCounter:
      if (!is_string) return integer_value(type, json, now_ms);
      break;
    case Kind::kFloat:
    case Kind::kDouble:
      if (is_number) return floating_value(type, json);
      if (!is_string)
        return expected(type.kind == Kind::kFloat ? "a float value" : "a double value", json);
      break;
    case Kind::kBoolean:
      if (json.kind == JsonKind::kBoolean) return std::string(1, json.boolean ? '\1' : '\0');
      if (!is_string) return expected("a boolean value", json);
      break;
    case Kind::kTimestamp:
      if (class_of(json) == "Long") return from_text(type, json.text, now_ms);
      if (!is_string)
        return expected("a long or a datestring representation of a timestamp value", json);
      break;
    case Kind::kCustom:
      return invalid("values of custom types have no JSON");
    default:
      if (!is_string) return expected(expected_string(type.kind), json);
  }
  return from_text(type, json.text, now_ms);
}

Result<std::string> value(const Type& type, const Json& json, std::int64_t now_ms);

Result<std::string> list_value(const Type& type, const Json& json, std::int64_t now_ms) {
  const bool is_set = type.kind == Kind::kSet;
  if (json.kind != JsonKind::kList)
    return expected(is_set ? "a list (representing a set)" : "a list", json);
  std::vector<std::string> elements;
  for (const auto& item : json.items) {
    if (item.kind == JsonKind::kNull)
      return invalid(fmt::format("Invalid null element in {}", is_set ? "set" : "list"));
    ASSIGN(auto bytes, value(type.element(), item, now_ms));
    elements.push_back(std::move(bytes));
  }
  if (is_set) {
    const auto& element = type.element();
    std::stable_sort(elements.begin(), elements.end(),
                     [&](const auto& a, const auto& b) { return compare(element, a, b) < 0; });
    elements.erase(
        std::unique(elements.begin(), elements.end(),
                    [&](const auto& a, const auto& b) { return compare(element, a, b) == 0; }),
        elements.end());
  }
  std::string out;
  append_count(out, static_cast<std::int32_t>(elements.size()));
  for (const auto& element : elements) append_part(out, element);
  return out;
}

Result<std::string> map_value(const Type& type, const Json& json, std::int64_t now_ms) {
  if (json.kind != JsonKind::kObject) return expected("a map", json);
  std::vector<std::pair<std::string, std::string>> entries;
  for (const auto& [name, member] : json.members) {
    if (member.kind == JsonKind::kNull) return invalid("Invalid null value in map");
    Json key;
    key.kind = JsonKind::kString;
    key.text = name;
    ASSIGN(auto key_bytes, value(type.key(), key, now_ms));
    ASSIGN(auto value_bytes, value(type.value(), member, now_ms));
    entries.emplace_back(std::move(key_bytes), std::move(value_bytes));
  }
  std::stable_sort(entries.begin(), entries.end(), [&](const auto& a, const auto& b) {
    return compare(type.key(), a.first, b.first) < 0;
  });
  std::string parts;
  std::int32_t count = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const bool repeated =
        i + 1 < entries.size() && compare(type.key(), entries[i].first, entries[i + 1].first) == 0;
    if (repeated) continue;
    append_part(parts, entries[i].first);
    append_part(parts, entries[i].second);
    ++count;
  }
  std::string out;
  append_count(out, count);
  return out + parts;
}

Status append_field(std::string& out, const Type& type, const Json& json, std::int64_t now_ms) {
  if (json.kind == JsonKind::kNull) {
    append_part(out, std::nullopt);
    return {};
  }
  ASSIGN(const auto bytes, value(type, json, now_ms));
  append_part(out, bytes);
  return {};
}

Result<std::string> tuple_value(const Type& type, const Json& json, std::int64_t now_ms) {
  if (json.kind != JsonKind::kList) return expected("a list representation of a tuple", json);
  if (json.items.size() != type.parameters.size())
    return invalid(
        fmt::format("Tuple {} items (expected {}): {}",
                    json.items.size() > type.parameters.size() ? "contains extra" : "is missing",
                    type.parameters.size(), text_of(json)));
  std::string out;
  for (std::size_t i = 0; i < json.items.size(); ++i)
    TRY(append_field(out, *type.parameters[i], json.items[i], now_ms));
  return out;
}

Result<std::string> user_value(const Type& type, const Json& json, std::int64_t now_ms) {
  if (json.kind != JsonKind::kObject) return expected("a map", json);
  std::map<std::string, const Json*> members;
  for (const auto& [name, member] : json.members) members[json_name(name)] = &member;
  std::string out;
  const Json null;
  for (std::size_t i = 0; i < type.parameters.size(); ++i) {
    const auto found = members.find(type.field_names[i]);
    TRY(append_field(out, *type.parameters[i], found == members.end() ? null : *found->second,
                     now_ms));
  }
  for (const auto& [name, member] : json.members) {
    const auto field = json_name(name);
    if (std::find(type.field_names.begin(), type.field_names.end(), field) ==
        type.field_names.end())
      return invalid(
          fmt::format("Unknown field '{}' in value of user defined type {}", field, type.name));
  }
  return out;
}

Result<std::string> vector_value(const Type& type, const Json& json, std::int64_t now_ms) {
  if (json.kind != JsonKind::kList) return expected("a list", json);
  if (json.items.size() != static_cast<std::size_t>(type.dimension))
    return invalid(fmt::format("List had incorrect size: expected {} but given {}; {}",
                               type.dimension, json.items.size(), text_of(json)));
  std::string out;
  for (const auto& item : json.items) {
    if (item.kind == JsonKind::kNull) return invalid("Invalid null element in list");
    ASSIGN(const auto bytes, value(type.element(), item, now_ms));
    append_element(out, type.element(), bytes);
  }
  return out;
}

Result<std::string> value(const Type& type, const Json& json, std::int64_t now_ms) {
  if (is_native(type.kind) || type.kind == Kind::kCustom) return native_value(type, json, now_ms);
  // A collection may stand in a string of its own, as keys of maps must.
  if (json.kind == JsonKind::kString) {
    ASSIGN(const auto inner, parse_json(json.text));
    if (inner.kind != JsonKind::kString) return value(type, inner, now_ms);
  }
  switch (type.kind) {
    case Kind::kMap:
      return map_value(type, json, now_ms);
    case Kind::kTuple:
      return tuple_value(type, json, now_ms);
    case Kind::kUserType:
      return user_value(type, json, now_ms);
    case Kind::kVector:
      return vector_value(type, json, now_ms);
    default:
      return list_value(type, json, now_ms);
  }
}

}  // namespace

Result<std::optional<std::string>> from_json(const Type& type, const Json& json,
                                             std::int64_t now_ms) {
  if (json.kind == JsonKind::kNull) return std::nullopt;
  ASSIGN(auto bytes, value(type, json, now_ms));
  return std::optional(std::move(bytes));
}

Result<std::optional<std::string>> from_json(const Type& type, std::string_view text,
                                             std::int64_t now_ms) {
  ASSIGN(const auto json, parse_json(text));
  return from_json(type, json, now_ms);
}

}  // namespace tailrace::cql_types
