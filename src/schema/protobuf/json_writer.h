// JSON documents as Protobuf records of a file's first message, by Protobuf's own mapping of JSON.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "schema/protobuf/protobuf_schema.h"

namespace tailrace::schema::protobuf {

/// One thread at a time.
class JsonWriter {
 public:
  static Result<JsonWriter> make(std::shared_ptr<const ProtobufSchema> schema);
  JsonWriter(JsonWriter&&) noexcept;
  ~JsonWriter();

  /// Appends the message's index and the record; kInvalidArgument with what does not fit, and then
  /// nothing is appended. Members that are no field are left out.
  Status write(std::string_view json, std::string& out);

  /// What libprotobuf said of members that were left out: no more than some hundreds are told
  /// apart.
  const std::set<std::string>& left_out() const { return left_out_; }

 private:
  struct Message;
  JsonWriter();

  std::shared_ptr<const ProtobufSchema> schema_;
  std::unique_ptr<Message> message_;
  std::set<std::string> left_out_;
};

}  // namespace tailrace::schema::protobuf
