#include "schema/record_rows.h"

#include "schema/avro/record_rows.h"
#include "schema/json_schema/columns.h"
#include "schema/protobuf/record_rows.h"

namespace tailrace::schema {
namespace {

std::unexpected<Error> no_columns(Format format) {
  return error(Code::kUnimplemented,
               "records of type " + std::string(format_name(format)) + " are not read as columns");
}

}  // namespace

Result<std::unique_ptr<RecordRows>> make_record_rows(const SchemaPtr& reader) {
  if (reader->format() == Format::kAvro) return avro::make_avro_rows(reader);
  if (reader->format() == Format::kProtobuf) return protobuf::make_protobuf_rows(reader);
  return no_columns(reader->format());
}

Result<Schema> columns_of(const ParsedSchema& schema) {
  if (schema.format() == Format::kAvro)
    return avro::columns_of(static_cast<const avro::AvroSchema&>(schema).root());
  if (schema.format() == Format::kProtobuf)
    return protobuf::columns_of(static_cast<const protobuf::ProtobufSchema&>(schema));
  return json_schema::columns_of(static_cast<const json_schema::JsonSchema&>(schema));
}

std::optional<std::int32_t> wire_schema_id(std::string_view record) {
  if (record.size() < kWireHeaderBytes || record[0] != 0) return std::nullopt;
  return load_be<std::int32_t>(record.data() + 1);
}

void append_wire_header(std::string& out, std::int32_t id) {
  out += '\0';
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>(static_cast<std::uint32_t>(id) >> shift);
}

}  // namespace tailrace::schema
