#include "schema/avro/record_rows.h"

#include "schema/avro/decoder.h"

namespace tailrace::schema::avro {
namespace {

class AvroRows final : public RecordRows {
 public:
  AvroRows(std::shared_ptr<const AvroSchema> reader, Rows rows)
      : reader_(std::move(reader)), rows_(std::move(rows)) {}

  const Schema& columns() const override { return rows_.schema(); }

  Result<std::size_t> add_writer(const SchemaPtr& writer) override {
    if (writer->format() != Format::kAvro)
      return error(Code::kFailedPrecondition,
                   "it is a schema of type " + std::string(format_name(writer->format())));
    ASSIGN(auto decoder, Decoder::make(static_cast<const AvroSchema&>(*writer), *reader_));
    writers_.push_back(std::move(decoder));
    return writers_.size() - 1;
  }

  void append(std::size_t writer, std::span<const Bytes> records,
              std::vector<BadRecord>& bad) override {
    writers_[writer].append(records, rows_, bad);
  }
  void append_null() override { rows_.append_null(); }
  std::int64_t size() const override { return rows_.size(); }
  Batch finish() override { return rows_.finish(); }

 private:
  std::shared_ptr<const AvroSchema> reader_;
  Rows rows_;
  std::vector<Decoder> writers_;
};

}  // namespace

Result<std::unique_ptr<RecordRows>> make_avro_rows(const SchemaPtr& reader) {
  auto avro = std::static_pointer_cast<const AvroSchema>(reader);
  ASSIGN(const Schema columns, columns_of(avro->root()));
  ASSIGN(Rows rows, Rows::make(columns));
  return std::make_unique<AvroRows>(std::move(avro), std::move(rows));
}

}  // namespace tailrace::schema::avro
