// What a .proto file says, as it says it: the tree that the registry prints and compares.
//
// Names of types are as they are written, options are not interpreted, numbers keep their
// spelling. What the names mean is names.h's to tell.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tailrace::schema::protobuf {

struct Option;

/// The value of an option.
struct Value {
  enum class Kind : std::uint8_t { kText, kBoolean, kNumber, kEnum, kMap, kList, kNested };
  Kind kind = Kind::kText;
  std::string text;             ///< of the first four; of kText without quotes and escapes
  std::vector<Option> members;  ///< of kMap; of kNested the one: `(name).member = value`
  std::vector<Value> elements;  ///< of kList

  bool operator==(const Value&) const = default;
};

struct Option {
  std::string name;
  bool parenthesized = false;  ///< a custom option
  Value value;

  bool operator==(const Option&) const = default;
};

using Options = std::vector<Option>;

enum class Label : std::uint8_t { kNone, kOptional, kRequired, kRepeated };

/// "optional"; empty for none.
std::string_view label_name(Label label);

struct Field {
  Label label = Label::kNone;
  std::string key;   ///< of a map, the type of its keys; else empty
  std::string type;  ///< of a map, of its values
  std::string name;
  std::int32_t number = 0;
  std::optional<std::string> default_value;
  std::optional<std::string> json_name;
  Options options;

  bool is_map() const { return !key.empty(); }
  /// "map<string, Place>", "int32".
  std::string written_type() const { return is_map() ? "map<" + key + ", " + type + ">" : type; }
};

struct Group {
  Label label = Label::kNone;
  std::string name;
  std::int32_t number = 0;
  std::vector<Field> fields;
};

struct OneOf {
  std::string name;
  std::vector<Field> fields;
  std::vector<Group> groups;
  Options options;
};

/// Numbers from `first` to `last`, both in it.
struct Range {
  std::int32_t first = 0;
  std::int32_t last = 0;
  bool written_as_range = false;
};

/// One statement: numbers and names.
using Reserved = std::vector<std::variant<Range, std::string>>;

struct Extensions {
  std::vector<Range> ranges;
  Options options;
};

struct Extend {
  std::string name;  ///< of the message that is extended
  std::vector<Field> fields;
  std::vector<Group> groups;
};

struct EnumValue {
  std::string name;
  std::int32_t number = 0;
  Options options;
};

struct Enum {
  std::string name;
  Options options;
  std::vector<EnumValue> values;
  std::vector<Reserved> reserved;
};

struct Message {
  std::string name;
  Options options;
  std::vector<Reserved> reserved;
  std::vector<Field> fields;
  std::vector<OneOf> oneofs;
  std::vector<Group> groups;
  std::vector<Extensions> extensions;
  std::vector<Extend> extends;
  std::vector<Message> messages;
  std::vector<Enum> enums;
};

struct Rpc {
  std::string name;
  std::string request;
  std::string response;
  bool request_streams = false;
  bool response_streams = false;
  Options options;
};

struct Service {
  std::string name;
  Options options;
  std::vector<Rpc> rpcs;
};

struct File {
  std::optional<std::string> syntax;
  std::string package;
  std::vector<std::string> imports;
  std::vector<std::string> public_imports;
  std::vector<std::string> weak_imports;
  Options options;
  std::vector<Message> messages;
  std::vector<Enum> enums;
  std::vector<Extend> extends;
  std::vector<Service> services;

  bool is_proto3() const { return syntax == "proto3"; }
};

/// int32, string and their like.
bool is_scalar(std::string_view type);

}  // namespace tailrace::schema::protobuf
