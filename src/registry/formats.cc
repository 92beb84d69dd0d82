// Texts of schemas in other forms than the registered one.
#include "registry/formats.h"

#include <algorithm>

#include "schema/avro/avro_schema.h"
#include "schema/protobuf/protobuf_schema.h"

namespace tailrace::registry {

using schema::Format;
using subjects::Answer;
using subjects::SchemaVersion;
using subjects::SchemaVersionPtr;

namespace {

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// As Java's String.equalsIgnoreCase, of which the names need only ASCII.
bool same_word(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  });
}

Result<std::string> text_in(const schema::ParsedSchema& schema, std::string_view format) {
  if (schema.format() == Format::kAvro && same_word(format, "resolved"))
    return static_cast<const schema::avro::AvroSchema&>(schema).resolved();
  if (schema.format() == Format::kProtobuf) {
    const auto& protobuf = static_cast<const schema::protobuf::ProtobufSchema&>(schema);
    if (same_word(format, "serialized")) return protobuf.serialized();
    if (same_word(format, "ignore_extensions")) return protobuf.without_extensions();
  }
  return schema.canonical();
}

std::unexpected<subjects::Refusal> unreadable(const SchemaVersion& schema, const std::string& why) {
  return subjects::invalid_schema("Invalid schema of type " +
                                  std::string(schema::format_name(schema.format)) +
                                  ", details: " + why);
}

}  // namespace

Answer<schema::SchemaPtr> parsed_schema(const subjects::Registry& registry,
                                        const SchemaVersion& schema) {
  const auto references = registry.references_of(schema);
  if (!references) return unreadable(schema, references.error().message);
  auto parsed = schema::parse_schema(schema.format, schema.text, *references, schema::Age::kKnown);
  if (!parsed) return unreadable(schema, parsed.error().what);
  return std::move(*parsed);
}

Answer<SchemaVersionPtr> in_format(const subjects::Registry& registry, SchemaVersionPtr schema,
                                   std::string_view format) {
  if (is_blank(format)) return schema;
  ASSIGN(const auto parsed, parsed_schema(registry, *schema));
  auto text = text_in(*parsed, format);
  if (!text) return unreadable(*schema, text.error().what);
  SchemaVersion out = *schema;
  out.text = std::move(*text);
  return std::make_shared<const SchemaVersion>(std::move(out));
}

}  // namespace tailrace::registry
