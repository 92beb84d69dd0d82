#include "schema/record_json.h"

#include <simdjson.h>

#include "schema/avro/record_json.h"
#include "schema/protobuf/record_json.h"

namespace tailrace::schema {
namespace {

/// Documents, as they are but for spaces.
class Documents final : public RecordJson {
 public:
  Status append(Bytes record, std::string& out) override {
    if (record.size() > kMaxRecordJsonBytes)
      return error(Code::kResourceExhausted, "the document is longer than is shown");
    const simdjson::padded_string text(as_text(record));
    if (const auto read = parser_.parse(text); read.error() != simdjson::SUCCESS)
      return error(Code::kDataLoss,
                   std::string("it is no JSON: ") + simdjson::error_message(read.error()));
    const std::size_t before = out.size();
    out.resize(before + text.size());
    std::size_t size = 0;
    if (simdjson::minify(text.data(), text.size(), out.data() + before, size) != simdjson::SUCCESS)
      return error(Code::kDataLoss, "it is no JSON");
    out.resize(before + size);
    return {};
  }

 private:
  simdjson::dom::parser parser_;
};

}  // namespace

Result<std::unique_ptr<RecordJson>> make_record_json(const SchemaPtr& writer) {
  switch (writer->format()) {
    case Format::kAvro:
      return avro::make_avro_json(writer);
    case Format::kProtobuf:
      return protobuf::make_protobuf_json(writer);
    case Format::kJsonSchema:
      return std::make_unique<Documents>();
  }
  return error(Code::kInternal, "a schema of no format");
}

}  // namespace tailrace::schema
