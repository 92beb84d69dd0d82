// A Protobuf schema (proto2 or proto3), parsed and checked.
//
// Its text is a .proto file, or the base64 of a serialized FileDescriptorProto; a reference's name
// is the path by which files import it. What is refused, with line and column: what protoc would
// not compile, but for two things (linker.h) and custom options that it cannot read; editions;
// groups within groups; and what is too long, too deep, or has more than kMaxTypes types. Texts
// that are known from before are only read: what cannot be linked shows when linked() is asked for.
#pragma once

#include <deque>
#include <mutex>

#include "schema/protobuf/element.h"
#include "schema/protobuf/linker.h"
#include "schema/protobuf/message_index.h"
#include "schema/protobuf/names.h"
#include "schema/schema.h"

namespace tailrace::schema::protobuf {

class ProtobufSchema final : public ParsedSchema {
 public:
  static Result<std::shared_ptr<const ProtobufSchema>> parse(
      std::string_view text, std::span<const Reference> references = {}, Age age = Age::kNew);

  const File& file() const { return file_; }
  const Names& names() const { return names_; }

  /// The descriptors; made when they are first asked for.
  Result<const google::protobuf::FileDescriptor*> linked() const;

  /// A message by its full name; the first one of the file for an empty name. kNotFound.
  Result<const google::protobuf::Descriptor*> message(std::string_view full_name) const;

  /// The full name of the message at an index, which counts messages as the text shows them.
  Result<std::string> message_at(const MessageIndex& index) const;
  /// The way back.
  Result<MessageIndex> index_of(std::string_view full_name) const;

  Format format() const override { return Format::kProtobuf; }
  std::string canonical() const override;
  std::string normalized() const override;
  std::string record_name() const override;
  bool equivalent(const ParsedSchema& other) const override;
  std::vector<Incompatibility> incompatibilities(const ParsedSchema& writer) const override;

  /// The text without custom options and extensions: `format=ignore_extensions`.
  std::string without_extensions() const;
  /// The base64 of the FileDescriptorProto: `format=serialized`.
  Result<std::string> serialized() const;

  /// Whether an import of this schema and one of the other's are the same file with one text.
  bool is_import_of(int import, const ProtobufSchema& other, int other_import) const;

 private:
  ProtobufSchema();
  Status read(std::string_view text, std::span<const Reference> references);
  Result<std::unique_ptr<const Linked>> link(const std::string& text) const;

  File file_;
  std::deque<File> imports_;
  std::vector<Reference> references_;  ///< their texts of .proto files
  Names names_;
  mutable std::once_flag link_once_;
  mutable Result<std::unique_ptr<const Linked>> linked_;
};

/// The elements of a schema's text, in either of its forms.
Result<File> read_schema(std::string_view text);

}  // namespace tailrace::schema::protobuf
