// Defaults as Avro bytes, so that a plan reads them as it reads a record.
#include <algorithm>
#include <cstring>

#include "schema/avro/parser.h"
#include "schema/avro/plan.h"

namespace tailrace::schema::avro {
namespace {

Status encode_text(const Type& type, const std::string& text, std::string& out) {
  if (type.kind == Kind::kString) {
    append_long(out, static_cast<std::int64_t>(text.size()));
    out += text;
    return {};
  }
  if (type.kind == Kind::kEnum) {
    const auto& symbols = type.defined->symbols;
    const auto found = std::find(symbols.begin(), symbols.end(), text);
    if (found == symbols.end())
      return error(Code::kFailedPrecondition, "the default is no symbol of the enum");
    append_long(out, found - symbols.begin());
    return {};
  }
  const auto bytes = bytes_of(text);
  if (!bytes)
    return error(Code::kFailedPrecondition, "a default of bytes has a character above U+00FF");
  if (type.kind == Kind::kBytes) append_long(out, static_cast<std::int64_t>(bytes->size()));
  if (type.kind == Kind::kFixed && bytes->size() != static_cast<std::size_t>(type.defined->size))
    return error(Code::kFailedPrecondition, "the default has not the size of the fixed");
  out += *bytes;
  return {};
}

Status encode_record(const Type& type, const Json& value, std::string& out) {
  for (const auto& field : type.defined->fields) {
    const Json* given = value.find(field.name);
    TRY(encode_default(*field.type, given ? *given : *field.default_value, out));
  }
  return {};
}

Status encode_map(const Type& type, const Json& value, std::string& out) {
  const auto& members = *value.object();
  if (!members.empty()) append_long(out, static_cast<std::int64_t>(members.size()));
  for (const auto& member : members) {
    append_long(out, static_cast<std::int64_t>(member.name.size()));
    out += member.name;
    TRY(encode_default(*type.element, member.value, out));
  }
  out += '\0';
  return {};
}

Status encode_array(const Type& type, const Json& value, std::string& out) {
  const auto& items = *value.array();
  if (!items.empty()) append_long(out, static_cast<std::int64_t>(items.size()));
  for (const auto& item : items) TRY(encode_default(*type.element, item, out));
  out += '\0';
  return {};
}

Status encode_union(const Type& type, const Json& value, std::string& out) {
  for (std::size_t i = 0; i < type.branches.size(); ++i) {
    ASSIGN(const bool fits, fits_default(*type.branches[i], value));
    if (!fits) continue;
    append_long(out, static_cast<std::int64_t>(i));
    return encode_default(*type.branches[i], value, out);
  }
  return error(Code::kFailedPrecondition, "the default is of no branch of the union");
}

}  // namespace

void append_long(std::string& out, std::int64_t value) {
  auto rest = (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
  while (rest >= 0x80) {
    out += static_cast<char>(rest | 0x80);
    rest >>= 7;
  }
  out += static_cast<char>(rest);
}

std::optional<std::string> bytes_of(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead >= 0x80 && (lead > 0xC3 || i + 1 == text.size())) return std::nullopt;
    bytes +=
        lead < 0x80
            ? text[i]
            : static_cast<char>(((lead & 3) << 6) | (static_cast<unsigned char>(text[++i]) & 0x3F));
  }
  return bytes;
}

Status encode_default(const Type& type, const Json& value, std::string& out) {
  ASSIGN(const bool fits, fits_default(type, value));
  if (!fits) return error(Code::kFailedPrecondition, "the default is not of its type");
  switch (type.kind) {
    case Kind::kNull:
      return {};
    case Kind::kBoolean:
      out += *value.boolean() ? '\1' : '\0';
      return {};
    case Kind::kInt:
    case Kind::kLong:
      append_long(out, *value.integer());
      return {};
    case Kind::kFloat:
      append_raw(out, static_cast<float>(value.number()));
      return {};
    case Kind::kDouble:
      append_raw(out, value.number());
      return {};
    case Kind::kArray:
      return encode_array(type, value, out);
    case Kind::kMap:
      return encode_map(type, value, out);
    case Kind::kRecord:
      return encode_record(type, value, out);
    case Kind::kUnion:
      return encode_union(type, value, out);
    default:
      return encode_text(type, *value.text(), out);
  }
}

}  // namespace tailrace::schema::avro
