#include "connect/record_encoder.h"

#include <fmt/format.h>

#include "base/log.h"
#include "schema/avro/json_writer.h"
#include "schema/json_schema/validator.h"
#include "schema/protobuf/json_writer.h"
#include "schema/record_rows.h"
#include "subjects/record_rules.h"

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
        writer_(std::move(writer)) {
    if (!schema::append_header_schema(header_, schema.id, schema.guid))
      schema::append_wire_header(header_, schema.id);
    // Records are the file's first message.
    if (schema.format != schema::Format::kProtobuf) return;
    header_ += '\0';
    ++name_bytes_;
  }

  Status encode(std::string_view json, std::string& out) override {
    const std::size_t before = out.size();
    schema::append_wire_header(out, id_);
    Status written = writer_.write(json, out);
    if (!written) out.resize(before);
    return written;
  }
  std::size_t name_bytes() const override { return name_bytes_; }
  const std::string& name_in_header() const override { return header_; }
  const std::set<std::string>& left_out() const override { return writer_.left_out(); }
  std::string describe() const override { return describe_; }

 private:
  std::int32_t id_;
  std::string header_;
  std::size_t name_bytes_ = schema::kWireHeaderBytes;
  std::string describe_;
  Writer writer_;
};

/// Records that the schema's rules let pass; asked after they are written, of what they say then.
class RuledEncoder final : public RecordEncoder {
 public:
  RuledEncoder(std::unique_ptr<RecordEncoder> encoder, subjects::RecordRules rules)
      : encoder_(std::move(encoder)), rules_(std::move(rules)) {}

  /// Of a format with columns: `rows` reads back what is written.
  void read_by(std::unique_ptr<schema::RecordRows> rows, std::size_t writer) {
    rows_ = std::move(rows);
    writer_ = writer;
  }

  Status encode(std::string_view json, std::string& out) override {
    const std::size_t before = out.size();
    TRY(encoder_->encode(json, out));
    Status passes = check(json, std::string_view(out).substr(before));
    if (!passes) out.resize(before);
    return passes;
  }
  std::size_t name_bytes() const override { return encoder_->name_bytes(); }
  const std::string& name_in_header() const override { return encoder_->name_in_header(); }
  const std::set<std::string>& left_out() const override { return encoder_->left_out(); }
  std::string describe() const override { return encoder_->describe(); }

 private:
  Status check(std::string_view json, std::string_view record) {
    ASSIGN(const schema::cel::Value message, message_of(json, record));
    if (auto broken = rules_.broken(message))
      return error(Code::kInvalidArgument, std::move(*broken));
    return {};
  }

  Result<schema::cel::Value> message_of(std::string_view json, std::string_view record) {
    if (!rows_) {
      ASSIGN(const schema::Json document, schema::parse_json(json));
      return schema::cel::value_of(document);
    }
    const Bytes bytes = as_bytes(record.substr(schema::kWireHeaderBytes));
    std::vector<schema::BadRecord> bad;
    rows_->append(writer_, {&bytes, 1}, bad);
    if (!bad.empty()) return error(Code::kInternal, bad[0].why);
    ASSIGN(const auto row, from_arrow(rows_->finish()->ToStructArray()));
    return schema::cel::value_of(*row, 0);
  }

  std::unique_ptr<RecordEncoder> encoder_;
  subjects::RecordRules rules_;
  std::unique_ptr<schema::RecordRows> rows_;  ///< null: a record is its JSON
  std::size_t writer_ = 0;
};

/// With the rules that a record is held to when it is written.
Result<std::unique_ptr<RecordEncoder>> ruled(const RegisteredSchema& schema,
                                             const schema::SchemaPtr& parsed,
                                             std::unique_ptr<RecordEncoder> encoder) {
  if (!schema.rules) return encoder;
  Type message;
  std::unique_ptr<schema::RecordRows> rows;
  std::size_t writer = 0;
  if (schema.format != schema::Format::kJsonSchema) {
    ASSIGN(rows, schema::make_record_rows(parsed));
    ASSIGN(writer, rows->add_writer(parsed));
    message = arrow::struct_(rows->columns()->fields());
  }
  auto rules =
      subjects::RecordRules::make(schema.rules, subjects::RecordRules::When::kWrite, message);
  for (const std::string& kept : rules.kept()) LOG(warn, "{}: {}", encoder->describe(), kept);
  if (rules.empty()) return encoder;
  auto made = std::make_unique<RuledEncoder>(std::move(encoder), std::move(rules));
  if (rows) made->read_by(std::move(rows), writer);
  return made;
}

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
      return ruled(
          schema, parsed,
          writing(schema, schema::avro::JsonWriter(
                              std::static_pointer_cast<const schema::avro::AvroSchema>(parsed))));
    case schema::Format::kProtobuf: {
      ASSIGN(auto writer,
             schema::protobuf::JsonWriter::make(
                 std::static_pointer_cast<const schema::protobuf::ProtobufSchema>(parsed)));
      return ruled(schema, parsed, writing(schema, std::move(writer)));
    }
    case schema::Format::kJsonSchema:
      break;
  }
  ASSIGN(auto validator,
         schema::json_schema::Validator::compile(
             std::static_pointer_cast<const schema::json_schema::JsonSchema>(parsed)));
  return ruled(schema, parsed, writing(schema, CheckingWriter(std::move(validator))));
}

}  // namespace tailrace::connect
