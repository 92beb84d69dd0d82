#include "cql_types/option.h"

#include <fmt/format.h>

#include <array>

#include "base/bytes.h"
#include "cql_types/class_name.h"

namespace tailrace::cql_types {
namespace {

constexpr std::array<std::uint16_t, 20> kIds{0x01, 0x02, 0x03, 0x04, 0x05, 0x11, 0x06,
                                             0x07, 0x15, 0x08, 0x10, 0x09, 0x13, 0x0D,
                                             0x12, 0x0B, 0x0F, 0x14, 0x0C, 0x0E};
constexpr std::uint16_t kCustomId = 0, kTextId = 0x0A, kListId = 0x20, kMapId = 0x21, kSetId = 0x22,
                        kUserTypeId = 0x30, kTupleId = 0x31;
constexpr std::size_t kMaxString = 0xFFFF;

int first_version(Kind kind) {
  switch (kind) {
    case Kind::kDate:
    case Kind::kTime:
    case Kind::kSmallint:
    case Kind::kTinyint:
      return 4;
    case Kind::kDuration:
      return 5;
    default:
      return 3;
  }
}

Status append_string(std::string& out, std::string_view text) {
  if (text.size() > kMaxString)
    return error(Code::kInvalidArgument,
                 fmt::format("a name of {} bytes in a type, at most {}", text.size(), kMaxString));
  append_be(out, static_cast<std::uint16_t>(text.size()));
  out += text;
  return {};
}

Status append_all(std::string& out, const std::vector<TypePtr>& types, int version) {
  for (const auto& type : types) TRY(append_option(out, *type, version));
  return {};
}

std::unexpected<Error> cut() {
  return error(Code::kInvalidArgument, "a type option is cut off");
}

Result<std::uint16_t> take_short(std::string_view& bytes) {
  if (bytes.size() < 2) return cut();
  const auto value = load_be<std::uint16_t>(bytes.data());
  bytes.remove_prefix(2);
  return value;
}

Result<std::string> take_string(std::string_view& bytes) {
  ASSIGN(const auto length, take_short(bytes));
  if (bytes.size() < length) return cut();
  std::string text(bytes.substr(0, length));
  bytes.remove_prefix(length);
  return text;
}

Result<TypePtr> take(std::string_view& bytes, int version, int depth);

Result<TypePtr> take_user_type(std::string_view& bytes, int version, int depth) {
  ASSIGN(auto keyspace, take_string(bytes));
  ASSIGN(auto name, take_string(bytes));
  ASSIGN(const auto count, take_short(bytes));
  std::vector<std::string> names;
  std::vector<TypePtr> fields;
  for (int i = 0; i < count; ++i) {
    ASSIGN(auto field, take_string(bytes));
    ASSIGN(auto type, take(bytes, version, depth + 1));
    names.push_back(std::move(field));
    fields.push_back(std::move(type));
  }
  return user_type(std::move(keyspace), std::move(name), std::move(names), std::move(fields),
                   false);
}

Result<TypePtr> take(std::string_view& bytes, int version, int depth) {
  if (depth > kMaxTypeDepth)
    return error(Code::kInvalidArgument, "type options are more than 32 deep");
  ASSIGN(const auto id, take_short(bytes));
  for (std::size_t i = 0; i < kIds.size(); ++i)
    if (kIds[i] == id && first_version(static_cast<Kind>(i)) <= version)
      return native_type(static_cast<Kind>(i));
  switch (id) {
    case kTextId:
      return native_type(Kind::kText);
    case kCustomId: {
      ASSIGN(const auto name, take_string(bytes));
      ASSIGN(auto named, parse_class_name(name));
      return named.type;
    }
    case kListId:
    case kSetId: {
      ASSIGN(auto element, take(bytes, version, depth + 1));
      return id == kListId ? list_of(std::move(element), false) : set_of(std::move(element), false);
    }
    case kMapId: {
      ASSIGN(auto key, take(bytes, version, depth + 1));
      ASSIGN(auto value, take(bytes, version, depth + 1));
      return map_of(std::move(key), std::move(value), false);
    }
    case kUserTypeId:
      return take_user_type(bytes, version, depth);
    case kTupleId: {
      ASSIGN(const auto count, take_short(bytes));
      std::vector<TypePtr> fields;
      for (int i = 0; i < count; ++i) {
        ASSIGN(auto field, take(bytes, version, depth + 1));
        fields.push_back(std::move(field));
      }
      return tuple_of(std::move(fields));
    }
    default:
      return error(Code::kInvalidArgument, fmt::format("no type has the option {:#06x}", id));
  }
}

}  // namespace

Status append_option(std::string& out, const Type& type, int version) {
  if (type.kind == Kind::kCustom || type.kind == Kind::kVector ||
      first_version(type.kind) > version) {
    append_be(out, kCustomId);
    return append_string(out, to_class_name(type));
  }
  if (is_native(type.kind)) {
    append_be(out, kIds[static_cast<std::size_t>(type.kind)]);
    return {};
  }
  if (is_collection(type.kind)) {
    append_be(out, type.kind == Kind::kList ? kListId : type.kind == Kind::kSet ? kSetId : kMapId);
    return append_all(out, type.parameters, version);
  }
  if (type.parameters.size() > kMaxString)
    return error(Code::kInvalidArgument, "a type of more than 65,535 fields");
  append_be(out, type.kind == Kind::kTuple ? kTupleId : kUserTypeId);
  if (type.kind == Kind::kUserType) {
    TRY(append_string(out, type.keyspace));
    TRY(append_string(out, type.name));
  }
  append_be(out, static_cast<std::uint16_t>(type.parameters.size()));
  if (type.kind == Kind::kTuple) return append_all(out, type.parameters, version);
  for (std::size_t i = 0; i < type.parameters.size(); ++i) {
    TRY(append_string(out, type.field_names[i]));
    TRY(append_option(out, *type.parameters[i], version));
  }
  return {};
}

Result<TypePtr> take_option(std::string_view& bytes, int version) {
  return take(bytes, version, 0);
}

}  // namespace tailrace::cql_types
