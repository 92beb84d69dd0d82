#include "schema/protobuf/record_json.h"

#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/type_resolver_util.h>
#include <simdjson.h>

#include <vector>

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

/// Whether every text in a message is UTF-8; libprotobuf itself asks that of proto3 alone.
bool is_utf8(const pb::Message& message) {
  const pb::Reflection& fields = *message.GetReflection();
  std::vector<const pb::FieldDescriptor*> set;
  fields.ListFields(message, &set);
  for (const pb::FieldDescriptor* field : set) {
    const bool text = field->type() == pb::FieldDescriptor::TYPE_STRING;
    if (!text && field->cpp_type() != pb::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const int count = field->is_repeated() ? fields.FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      std::string room;
      const auto good = [&](const std::string& one) {
        return simdjson::validate_utf8(one.data(), one.size());
      };
      const bool fits =
          text ? good(field->is_repeated()
                          ? fields.GetRepeatedStringReference(message, field, i, &room)
                          : fields.GetStringReference(message, field, &room))
               : is_utf8(field->is_repeated() ? fields.GetRepeatedMessage(message, field, i)
                                              : fields.GetMessage(message, field));
      if (!fits) return false;
    }
  }
  return true;
}

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
    TRY(check(*message, record));
    pb::util::JsonPrintOptions options;
    options.preserve_proto_field_names = true;
    pb::io::ArrayInputStream in(record.data(), static_cast<int>(record.size()));
    Limited limited(out);
    const auto done = pb::util::BinaryToJsonStream(
        types_.get(), std::string(kUrl) + "/" + message->full_name(), &in, &limited, options);
    if (limited.full())
      return error(Code::kResourceExhausted, "the record is longer than is shown");
    if (!done.ok())
      return error(Code::kDataLoss,
                   "it is no " + message->full_name() + ": " + std::string(done.message()));
    return {};
  }

 private:
  /// What makes JSON passes over bytes that are cut off, and over text that is none.
  Status check(const pb::Descriptor& message, Bytes record) {
    const std::unique_ptr<pb::Message> read(factory_.GetPrototype(&message)->New());
    if (!read->ParsePartialFromArray(record.data(), static_cast<int>(record.size())))
      return error(Code::kDataLoss, "it is no " + message.full_name());
    if (!read->IsInitialized())
      return error(Code::kDataLoss,
                   "required fields are missing: " + read->InitializationErrorString());
    if (!is_utf8(*read)) return error(Code::kDataLoss, "text that is not UTF-8");
    return {};
  }

  const SchemaPtr writer_;
  const std::unique_ptr<pb::util::TypeResolver> types_;
  pb::DynamicMessageFactory factory_;
};

}  // namespace

Result<std::unique_ptr<RecordJson>> make_protobuf_json(const SchemaPtr& writer) {
  silence_library();
  ASSIGN(const auto* file, static_cast<const ProtobufSchema&>(*writer).linked());
  return std::make_unique<ProtobufJson>(writer, *file->pool());
}

}  // namespace tailrace::schema::protobuf
