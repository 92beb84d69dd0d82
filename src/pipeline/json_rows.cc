#include "pipeline/json_rows.h"

#include <fmt/format.h>

#include "engine/functions/json_columns.h"
#include "pipeline/json_demands.h"
#include "schema/json_schema/columns.h"
#include "schema/json_schema/validator.h"

namespace tailrace::pipeline {
namespace {

using schema::json_schema::JsonSchema;
using schema::json_schema::Validator;

class JsonRows final : public schema::RecordRows {
 public:
  /// `whole`: the schema is no object with properties, and its value the one column.
  JsonRows(Schema columns, bool whole, std::unique_ptr<engine::JsonColumn> rows)
      : columns_(std::move(columns)), whole_(whole), rows_(std::move(rows)) {}

  const Schema& columns() const override { return columns_; }

  Result<std::size_t> add_writer(const schema::SchemaPtr& writer) override {
    if (writer->format() != schema::Format::kJsonSchema)
      return error(Code::kFailedPrecondition,
                   "it is a schema of type " + std::string(format_name(writer->format())));
    ASSIGN(auto validator, Validator::compile(std::static_pointer_cast<const JsonSchema>(writer)));
    auto demands = JsonDemands::of(validator.rules());
    writers_.push_back({std::move(validator), std::move(demands)});
    return writers_.size() - 1;
  }

  void append(std::size_t writer, std::span<const Bytes> records,
              std::vector<schema::BadRecord>& bad) override {
    for (std::size_t i = 0; i < records.size(); ++i)
      if (auto why = append_one(writers_[writer], as_text(records[i])); !why.empty())
        bad.push_back({i, std::move(why)});
  }

  void append_null() override { rows_->append_null(); }
  std::int64_t size() const override { return rows_->size(); }

  Batch finish() override {
    const std::int64_t rows = rows_->size();
    const Array values = rows_->finish().value();
    if (whole_) return arrow::RecordBatch::Make(columns_, rows, {values});
    return arrow::RecordBatch::Make(
        columns_, rows, static_cast<const arrow::StructArray&>(*values).Flatten().ValueOrDie());
  }

 private:
  struct Writer {
    Validator validator;
    std::optional<JsonDemands> demands;
  };

  /// Why not, or empty.
  std::string append_one(const Writer& writer, std::string_view text) {
    if (writer.demands && reader_.append(*rows_, text, writer.demands->root())) return {};
    simdjson::dom::element document;
    if (const auto wrong = parser_.parse(text.data(), text.size()).get(document))
      return std::string("not a JSON document: ") + simdjson::error_message(wrong);
    if (const auto violation = writer.validator.check(document)) return message_of(*violation);
    if (rows_->append(document)) return {};
    return "the document is no " + spark_name(*columns_->field(0)->type());
  }

  Schema columns_;
  bool whole_;
  std::unique_ptr<engine::JsonColumn> rows_;
  std::vector<Writer> writers_;
  engine::JsonReader reader_;
  simdjson::dom::parser parser_;
};

}  // namespace

Result<std::unique_ptr<schema::RecordRows>> make_rows(const schema::SchemaPtr& reader) {
  if (reader->format() != schema::Format::kJsonSchema) return schema::make_record_rows(reader);
  ASSIGN(Schema columns, schema::columns_of(*reader));
  ASSIGN(const Type type, schema::json_schema::type_of(static_cast<const JsonSchema&>(*reader)));
  ASSIGN(auto rows, engine::JsonColumn::make(type, 0, engine::JsonColumn::Wholes::kByValue));
  const bool whole = type->id() != arrow::Type::STRUCT;
  return std::make_unique<JsonRows>(std::move(columns), whole, std::move(rows));
}

}  // namespace tailrace::pipeline
