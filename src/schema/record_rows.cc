#include "schema/record_rows.h"

#include <charconv>

#include "base/hex.h"
#include "schema/avro/record_rows.h"
#include "schema/json_schema/columns.h"
#include "schema/protobuf/record_rows.h"

namespace tailrace::schema {
namespace {

constexpr std::size_t kGuidBytes = 16;

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

std::optional<NamedSchema> header_schema(std::string_view value) {
  if (const auto id = wire_schema_id(value))
    return NamedSchema{.id = *id, .guid = {}, .before = value.substr(kWireHeaderBytes)};
  if (value.size() < 1 + kGuidBytes || value[0] != 1) return std::nullopt;
  std::string guid = encode_hex(value.substr(1, kGuidBytes));
  for (const std::size_t at : {8, 13, 18, 23}) guid.insert(at, 1, '-');
  return NamedSchema{.id = 0, .guid = std::move(guid), .before = value.substr(1 + kGuidBytes)};
}

Status append_header_schema(std::string& out, std::int32_t id, std::string_view guid) {
  if (guid.empty()) {
    append_wire_header(out, id);
    return {};
  }
  std::string digits(guid), bytes = "\1";
  std::erase(digits, '-');
  for (std::size_t at = 0; at + 2 <= digits.size(); at += 2) {
    unsigned byte = 0;
    const char* const end = digits.data() + at + 2;
    if (std::from_chars(end - 2, end, byte, 16).ptr != end) break;
    bytes += static_cast<char>(byte);
  }
  if (digits.size() != 2 * kGuidBytes || bytes.size() != 1 + kGuidBytes)
    return error(Code::kInvalidArgument, "no guid of a schema: " + std::string(guid));
  out += bytes;
  return {};
}

void append_wire_header(std::string& out, std::int32_t id) {
  out += '\0';
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>(static_cast<std::uint32_t>(id) >> shift);
}

}  // namespace tailrace::schema
