#include "connect/record_encoder.h"

#include <fmt/format.h>

#include "schema/avro/json_writer.h"
#include "schema/json_schema/validator.h"
#include "schema/protobuf/json_writer.h"
#include "schema/record_rows.h"

namespace tailrace::connect {
namespace {

using subjects::RegisteredSchema;

/// Both formats' writers append a record of a JSON document.
template <typename Writer>
class WritingEncoder final : public RecordEncoder {
 public:
  WritingEncoder(const RegisteredSchema& schema, Writer writer)
      : id_(schema.id),
        describe_(fmt::format("version {} of {}", schema.version, schema.subject)),
        writer_(std::move(writer)) {}

  Status encode(std::string_view json, std::string& out) override {
    const std::size_t before = out.size();
    schema::append_wire_header(out, id_);
    Status written = writer_.write(json, out);
    if (!written) out.resize(before);
    return written;
  }
  const std::set<std::string>& left_out() const override { return writer_.left_out(); }
  std::string describe() const override { return describe_; }

 private:
  std::int32_t id_;
  std::string describe_;
  Writer writer_;
};

/// A JSON document that conforms is written as it is.
class CheckingWriter {
 public:
  explicit CheckingWriter(schema::json_schema::Validator validator)
      : validator_(std::move(validator)) {}

  Status write(std::string_view json, std::string& out) {
    simdjson::dom::element document;
    if (const auto wrong = parser_.parse(json.data(), json.size()).get(document))
      return error(Code::kInvalidArgument,
                   std::string("not a JSON document: ") + simdjson::error_message(wrong));
    if (const auto violation = validator_.check(document))
      return error(Code::kInvalidArgument, message_of(*violation));
    out += json;
    return {};
  }
  const std::set<std::string>& left_out() const { return left_out_; }

 private:
  schema::json_schema::Validator validator_;
  simdjson::dom::parser parser_;
  std::set<std::string> left_out_;  // nothing is
};

template <typename Writer>
std::unique_ptr<RecordEncoder> writing(const RegisteredSchema& schema, Writer writer) {
  return std::make_unique<WritingEncoder<Writer>>(schema, std::move(writer));
}

}  // namespace

Result<std::unique_ptr<RecordEncoder>> make_encoder(const RegisteredSchema& schema) {
  ASSIGN(const auto parsed,
         schema::parse_schema(schema.format, schema.text, schema.references, schema::Age::kKnown));
  switch (schema.format) {
    case schema::Format::kAvro:
      return writing(schema, schema::avro::JsonWriter(
                                 std::static_pointer_cast<const schema::avro::AvroSchema>(parsed)));
    case schema::Format::kProtobuf: {
      ASSIGN(auto writer,
             schema::protobuf::JsonWriter::make(
                 std::static_pointer_cast<const schema::protobuf::ProtobufSchema>(parsed)));
      return writing(schema, std::move(writer));
    }
    case schema::Format::kJsonSchema:
      break;
  }
  ASSIGN(auto validator,
         schema::json_schema::Validator::compile(
             std::static_pointer_cast<const schema::json_schema::JsonSchema>(parsed)));
  return writing(schema, CheckingWriter(std::move(validator)));
}

}  // namespace tailrace::connect
