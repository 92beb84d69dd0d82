#include "schema/schema.h"

#include "schema/avro/avro_schema.h"
#include "schema/protobuf/protobuf_schema.h"
#include "schema/json_schema/json_schema.h"

namespace tailrace::schema {

std::string_view format_name(Format format) {
  switch (format) {
    case Format::kAvro:
      return "AVRO";
    case Format::kJsonSchema:
      return "JSON";
    case Format::kProtobuf:
      return "PROTOBUF";
  }
  return "";
}

std::optional<Format> format_named(std::string_view name) {
  for (const auto format : {Format::kAvro, Format::kJsonSchema, Format::kProtobuf})
    if (format_name(format) == name) return format;
  return std::nullopt;
}

std::vector<std::string> format_names() {
  return {"AVRO", "JSON", "PROTOBUF"};
}

Result<SchemaPtr> parse_schema(Format format, std::string_view text,
                               std::span<const Reference> references, Age age) {
  if (format == Format::kAvro) return avro::AvroSchema::parse(text, references, age);
  if (format == Format::kProtobuf) return protobuf::ProtobufSchema::parse(text, references, age);
  if (format == Format::kJsonSchema) return json_schema::JsonSchema::parse(text, references);
  return error(Code::kUnimplemented,
               "schemas of type " + std::string(format_name(format)) + " are not known");
}

}  // namespace tailrace::schema
