#include "schema/protobuf/json_writer.h"

#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/util/json_util.h>

namespace tailrace::schema::protobuf {
namespace {

namespace pb = google::protobuf;

constexpr std::size_t kMostLeftOut = 256;

/// Empty when the document was taken.
std::string parse(std::string_view json, bool strict, pb::Message& message) {
  message.Clear();
  pb::util::JsonParseOptions options;
  options.ignore_unknown_fields = !strict;
  const auto status = pb::util::JsonStringToMessage({json.data(), json.size()}, &message, options);
  if (status.ok()) return {};
  return status.message().empty() ? "it does not fit" : std::string(status.message());
}

}  // namespace

struct JsonWriter::Message {
  pb::DynamicMessageFactory factory;
  std::unique_ptr<pb::Message> message;
};

JsonWriter::JsonWriter() = default;
JsonWriter::JsonWriter(JsonWriter&&) noexcept = default;
JsonWriter::~JsonWriter() = default;

Result<JsonWriter> JsonWriter::make(std::shared_ptr<const ProtobufSchema> schema) {
  silence_library();
  JsonWriter writer;
  ASSIGN(const auto name, schema->message_at({0}));
  ASSIGN(const pb::Descriptor* descriptor, schema->message(name));
  writer.schema_ = std::move(schema);
  writer.message_ = std::make_unique<Message>();
  writer.message_->message.reset(writer.message_->factory.GetPrototype(descriptor)->New());
  return writer;
}

Status JsonWriter::write(std::string_view json, std::string& out) {
  pb::Message& message = *message_->message;
  if (std::string why = parse(json, true, message); !why.empty()) {
    // Members that are no field are no reason to refuse a record; anything else is.
    if (const std::string still = parse(json, false, message); !still.empty())
      return error(Code::kInvalidArgument, still);
    if (left_out_.size() < kMostLeftOut) left_out_.insert(std::move(why));
  }
  if (!message.IsInitialized())
    return error(Code::kInvalidArgument,
                 "required fields are missing: " + message.InitializationErrorString());
  append_message_index({0}, out);
  message.AppendPartialToString(&out);
  return {};
}

}  // namespace tailrace::schema::protobuf
