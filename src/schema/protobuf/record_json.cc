#include "schema/protobuf/record_json.h"

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/type_resolver_util.h>
#include <simdjson.h>

#include "schema/protobuf/protobuf_schema.h"

namespace tailrace::schema::protobuf {
namespace {

namespace pb = google::protobuf;

constexpr const char* kUrl = "type.googleapis.com";

/// Text that takes no more than a record's JSON may have.
class Limited final : public pb::io::ZeroCopyOutputStream {
 public:
  explicit Limited(std::string& out) : out_(out), stream_(&out), begin_(out.size()) {}

  bool Next(void** data, int* size) override {
    full_ = full_ || out_.size() - begin_ > kMaxRecordJsonBytes;
    return !full_ && stream_.Next(data, size);
  }
  void BackUp(int count) override { stream_.BackUp(count); }
  std::int64_t ByteCount() const override { return stream_.ByteCount(); }

  bool full() const { return full_; }

 private:
  std::string& out_;
  pb::io::StringOutputStream stream_;
  const std::size_t begin_;
  bool full_ = false;
};

class ProtobufJson final : public RecordJson {
 public:
  ProtobufJson(SchemaPtr writer, const pb::DescriptorPool& pool)
      : writer_(std::move(writer)),
        types_(pb::util::NewTypeResolverForDescriptorPool(kUrl, &pool)) {}

  Status append(Bytes record, std::string& out) override {
    const auto& schema = static_cast<const ProtobufSchema&>(*writer_);
    ASSIGN(const MessageIndex index, take_message_index(record));
    ASSIGN(const std::string name, schema.message_at(index));
    ASSIGN(const pb::Descriptor* message, schema.message(name));
    pb::util::JsonPrintOptions options;
    options.preserve_proto_field_names = true;
    const std::size_t before = out.size();
    pb::io::ArrayInputStream in(record.data(), static_cast<int>(record.size()));
    Limited limited(out);
    const auto done = pb::util::BinaryToJsonStream(
        types_.get(), std::string(kUrl) + "/" + message->full_name(), &in, &limited, options);
    if (limited.full())
      return error(Code::kResourceExhausted, "the record is longer than is shown");
    if (!done.ok())
      return error(Code::kDataLoss,
                   "it is no " + message->full_name() + ": " + std::string(done.message()));
    if (!simdjson::validate_utf8(out.data() + before, out.size() - before))
      return error(Code::kDataLoss, "text that is not UTF-8");
    return {};
  }

 private:
  const SchemaPtr writer_;
  const std::unique_ptr<pb::util::TypeResolver> types_;
};

}  // namespace

Result<std::unique_ptr<RecordJson>> make_protobuf_json(const SchemaPtr& writer) {
  silence_library();
  ASSIGN(const auto* file, static_cast<const ProtobufSchema&>(*writer).linked());
  return std::make_unique<ProtobufJson>(writer, *file->pool());
}

}  // namespace tailrace::schema::protobuf
