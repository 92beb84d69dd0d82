#include "schema/protobuf/record_rows.h"

#include <map>

#include "schema/protobuf/decoder.h"

namespace tailrace::schema::protobuf {
namespace {

class ProtobufRows final : public RecordRows {
 public:
  ProtobufRows(std::string message, Decoder decoder, Rows rows)
      : message_(std::move(message)), decoder_(std::move(decoder)), rows_(std::move(rows)) {}

  const Schema& columns() const override { return rows_.schema(); }

  Result<std::size_t> add_writer(const SchemaPtr& writer) override {
    if (writer->format() != Format::kProtobuf)
      return error(Code::kFailedPrecondition,
                   "it is a schema of type " + std::string(format_name(writer->format())));
    writers_.push_back({std::static_pointer_cast<const ProtobufSchema>(writer), {}});
    return writers_.size() - 1;
  }

  void append(std::size_t writer, std::span<const Bytes> records,
              std::vector<BadRecord>& bad) override {
    messages_.clear();
    places_.clear();
    for (std::size_t i = 0; i < records.size(); ++i) {
      Bytes record = records[i];
      if (auto why = take_index(writers_[writer], record); !why.empty()) {
        bad.push_back({i, std::move(why)});
        continue;
      }
      messages_.push_back(record);
      places_.push_back(i);
    }
    const std::size_t told = bad.size();
    decoder_.append(messages_, rows_, bad);
    for (std::size_t i = told; i < bad.size(); ++i) bad[i].index = places_[bad[i].index];
  }

  void append_null() override { rows_.append_null(); }
  std::int64_t size() const override { return rows_.size(); }
  Batch finish() override { return rows_.finish(); }

 private:
  struct Writer {
    std::shared_ptr<const ProtobufSchema> schema;
    std::map<MessageIndex, std::string> wrong;  ///< why a message is not read; empty when it is
  };

  /// Why the record cannot be read, or empty.
  std::string take_index(Writer& writer, Bytes& record) const {
    auto index = take_message_index(record);
    if (!index) return index.error().what;
    const auto known = writer.wrong.find(*index);
    if (known != writer.wrong.end()) return known->second;
    const auto name = writer.schema->message_at(*index);
    std::string wrong = !name               ? name.error().what
                        : *name == message_ ? ""
                                            : "a " + *name + " where a " + message_ + " is read";
    constexpr std::size_t kMostKept = 1000;
    if (writer.wrong.size() < kMostKept) writer.wrong.emplace(std::move(*index), wrong);
    return wrong;
  }

  std::string message_;
  Decoder decoder_;
  Rows rows_;
  std::vector<Writer> writers_;
  std::vector<Bytes> messages_;      ///< of the run, behind their indexes
  std::vector<std::size_t> places_;  ///< of these in the run
};

}  // namespace

Result<std::unique_ptr<RecordRows>> make_protobuf_rows(const SchemaPtr& reader) {
  const auto& schema = static_cast<const ProtobufSchema&>(*reader);
  ASSIGN(std::string message, schema.message_at({0}));
  ASSIGN(Decoder decoder, Decoder::make(schema));
  ASSIGN(Rows rows, Rows::make(decoder.columns()));
  return std::make_unique<ProtobufRows>(std::move(message), std::move(decoder), std::move(rows));
}

Result<Schema> columns_of(const ProtobufSchema& schema) {
  ASSIGN(const Decoder decoder, Decoder::make(schema));
  return decoder.columns();
}

}  // namespace tailrace::schema::protobuf
