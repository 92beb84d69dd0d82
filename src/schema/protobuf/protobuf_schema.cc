#include "schema/protobuf/protobuf_schema.h"

#include <google/protobuf/descriptor.pb.h>

#include <algorithm>

#include "base/base64.h"
#include "schema/protobuf/descriptor_reader.h"
#include "schema/protobuf/known_files.h"
#include "schema/protobuf/printer.h"
#include "schema/protobuf/reader.h"

namespace tailrace::schema::protobuf {

Result<File> read_schema(std::string_view text) {
  auto file = read_file(text);
  if (file) return file;
  const auto bytes = decode_base64(text);
  if (!bytes) return file;
  auto described = read_descriptor(*bytes);
  // A text that is base64 by chance is told as the text it is.
  return described || described.error().code == Code::kUnimplemented ? described : file;
}

ProtobufSchema::ProtobufSchema() : names_(&known_names()) {}

Result<std::shared_ptr<const ProtobufSchema>> ProtobufSchema::parse(
    std::string_view text, std::span<const Reference> references, Age age) {
  std::shared_ptr<ProtobufSchema> made(new ProtobufSchema);
  TRY(made->read(text, references));
  if (age == Age::kNew) {
    // Errors tell places in the text as it was given, unless that is base64.
    TRY(made->link(read_file(text) ? std::string(text) : made->canonical()));
    TRY(printed_normal(made->file_, made->names_));
  }
  return made;
}

Status ProtobufSchema::read(std::string_view text, std::span<const Reference> references) {
  ASSIGN(file_, read_schema(text));
  auto import = static_cast<int>(known_files().size());
  for (const auto& reference : references) {
    auto read = read_schema(reference.text);
    if (!read) return std::unexpected(read.error().in("\"" + reference.name + "\""));
    references_.push_back({reference.name, printed(*read)});
    names_.add(imports_.emplace_back(std::move(*read)), import++);
  }
  names_.add(file_, -1);
  return {};
}

// Custom options are for others to read: where they do not link, the schema does without them.
Result<std::unique_ptr<const Linked>> ProtobufSchema::link(const std::string& text) const {
  auto made = Linked::make(text, references_);
  if (made) return made;
  std::vector<Reference> references;
  for (std::size_t i = 0; i < references_.size(); ++i)
    references.push_back({references_[i].name, printed(imports_[i], Shown::kNoCustomOptions)});
  auto plain = Linked::make(printed(file_, Shown::kNoCustomOptions), references);
  return plain ? std::move(plain) : std::move(made);
}

Result<const google::protobuf::FileDescriptor*> ProtobufSchema::linked() const {
  std::call_once(link_once_, [&] { linked_ = link(canonical()); });
  if (!linked_) return std::unexpected(linked_.error());
  return &(*linked_)->file();
}

Result<const google::protobuf::Descriptor*> ProtobufSchema::message(
    std::string_view full_name) const {
  std::string name(full_name);
  if (name.empty()) {
    ASSIGN(name, message_at({0}));
  }
  ASSIGN(const auto* file, linked());
  const auto* found = file->pool()->FindMessageTypeByName(name);
  if (!found) return error(Code::kNotFound, "the schema has no message \"" + name + "\"");
  return found;
}

Result<std::string> ProtobufSchema::message_at(const MessageIndex& index) const {
  std::string name = file_.package;
  const auto* list = &file_.messages;
  for (const std::int32_t number : index) {
    const auto place = static_cast<std::size_t>(number);
    if (number < 0 || place >= list->size())
      return error(Code::kNotFound, "the schema has no message at that index");
    name += (name.empty() ? "" : ".") + (*list)[place].name;
    list = &(*list)[place].messages;
  }
  return name;
}

Result<MessageIndex> ProtobufSchema::index_of(std::string_view full_name) const {
  MessageIndex made;
  std::string_view rest = full_name;
  if (!file_.package.empty() && rest.starts_with(file_.package + "."))
    rest.remove_prefix(file_.package.size() + 1);
  const auto* list = &file_.messages;
  while (!rest.empty()) {
    const auto dot = rest.find('.');
    const auto found = std::ranges::find(*list, rest.substr(0, dot), &Message::name);
    if (found == list->end())
      return error(Code::kNotFound, "the schema has no message \"" + std::string(full_name) + "\"");
    made.push_back(static_cast<std::int32_t>(found - list->begin()));
    list = &found->messages;
    rest = dot == rest.npos ? std::string_view() : rest.substr(dot + 1);
  }
  return made;
}

std::string ProtobufSchema::canonical() const {
  return printed(file_);
}

std::string ProtobufSchema::normalized() const {
  auto made = printed_normal(file_, names_);
  return made ? *made : canonical();
}

std::string ProtobufSchema::record_name() const {
  return message_at({0}).value_or(std::string());
}

bool ProtobufSchema::equivalent(const ParsedSchema& other) const {
  return other.format() == Format::kProtobuf && canonical() == other.canonical();
}

std::string ProtobufSchema::without_extensions() const {
  return printed(file_, Shown::kNoExtensions);
}

Result<std::string> ProtobufSchema::serialized() const {
  ASSIGN(const auto* file, linked());
  google::protobuf::FileDescriptorProto descriptor;
  file->CopyTo(&descriptor);
  return encode_base64(descriptor.SerializeAsString());
}

bool ProtobufSchema::is_import_of(int import, const ProtobufSchema& other, int other_import) const {
  const auto known = static_cast<int>(known_files().size());
  if (import < known || other_import < known) return import == other_import;
  const auto& mine = references_[static_cast<std::size_t>(import - known)];
  const auto& theirs = other.references_[static_cast<std::size_t>(other_import - known)];
  return mine.name == theirs.name && mine.text == theirs.text;
}

}  // namespace tailrace::schema::protobuf
