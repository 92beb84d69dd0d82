// Adds tags to a schema's text, and takes them away.
#include <algorithm>

#include "registry/json_entities.h"
#include "registry/tag_texts.h"
#include "registry/tags.h"
#include "schema/json_schema/exact_json.h"
#include "schema/protobuf/printer.h"
#include "schema/protobuf/protobuf_schema.h"

namespace tailrace::registry {

using schema::Format;
using schema::Json;
using schema::JsonObject;
using subjects::Answer;

namespace {

using Tags = std::vector<std::string>;

void add(Tags& tags, const Tags& more) {
  for (const std::string& tag : more) {
    if (!std::ranges::count(tags, tag)) tags.push_back(tag);
  }
}

void remove(Tags& tags, const Tags& some) {
  std::erase_if(tags, [&](const std::string& tag) { return std::ranges::count(some, tag) > 0; });
}

std::unexpected<subjects::Refusal> no_entity(const std::string& path) {
  return subjects::invalid_schema("No matching path '" + path + "' found in the schema");
}

// The record of a name, and the field of it that is meant.
struct AvroPath {
  std::string record, field;

  explicit AvroPath(const EntityTags& entity) : record(entity.path) {
    if (!entity.is_field) return;
    const auto dot = record.rfind('.');
    field = record.substr(dot == std::string::npos ? 0 : dot + 1);
    record.resize(dot == std::string::npos ? 0 : dot);
  }
  bool names(const std::string& full_name) const {
    return record == full_name || (!record.contains('.') && full_name.ends_with("." + record));
  }
};

std::string full_name(const Json& type, const std::string& space) {
  const std::string* name = type.find_text("name");
  if (!name) return "";
  if (name->contains('.')) return *name;
  const std::string* own = type.find_text("namespace");
  const std::string& where = own ? *own : space;
  return where.empty() ? *name : where + "." + *name;
}

// The record or field in an Avro schema's text; null when it has none of that path.
JsonObject* find_avro(Json& type, const AvroPath& path, const std::string& space) {
  if (type.array()) {
    for (Json& branch : *type.array()) {
      if (auto* found = find_avro(branch, path, space)) return found;
    }
    return nullptr;
  }
  for (const char* part : {"items", "values"}) {
    Json* inner = type.find(part);
    if (auto* found = inner ? find_avro(*inner, path, space) : nullptr) return found;
  }
  Json* kind = type.find("type");
  if (!kind) return nullptr;
  if (!kind->text()) return find_avro(*kind, path, space);
  Json* fields = type.find("fields");
  if (!fields || !fields->array()) return nullptr;
  const std::string name = full_name(type, space);
  const bool is_meant = path.names(name);
  if (is_meant && path.field.empty()) return type.object();
  const auto dot = name.rfind('.');
  const std::string inner_space = dot == std::string::npos ? "" : name.substr(0, dot);
  for (Json& field : *fields->array()) {
    const std::string* own = field.find_text("name");
    if (is_meant && own && *own == path.field) return field.object();
    Json* inner = field.find("type");
    if (auto* found = inner ? find_avro(*inner, path, inner_space) : nullptr) return found;
  }
  return nullptr;
}

// "allof.0" is as good as "allOf.0".
bool same_path(std::string_view one, std::string_view other) {
  return std::ranges::equal(one, other, [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  });
}

JsonObject* find_in_json_schema(Json& schema, const EntityTags& wanted) {
  JsonObject *exact = nullptr, *alike = nullptr;
  each_entity(schema, [&](const std::string& path, bool is_field, Json& entity) {
    if (is_field != wanted.is_field || !entity.object()) return;
    if (!exact && path == wanted.path) exact = entity.object();
    if (!alike && same_path(path, wanted.path)) alike = entity.object();
  });
  return exact ? exact : alike;
}

Answer<std::string> in_json(Format format, std::string_view text, const TagChange& change) {
  const bool is_avro = format == Format::kAvro;
  auto root = is_avro ? schema::parse_json(text) : schema::json_schema::read_exact_json(text);
  if (!root) return subjects::invalid_schema(root.error().what);
  const auto apply = [&](const std::vector<EntityTags>& entities, auto edit) -> Answer<void> {
    for (const EntityTags& entity : entities) {
      JsonObject* found =
          is_avro ? find_avro(*root, AvroPath(entity), "") : find_in_json_schema(*root, entity);
      if (!found) return no_entity(entity.path);
      const auto has = std::ranges::find(*found, kTagsProperty, &schema::JsonMember::name);
      Tags tags = tag_texts(has == found->end() ? nullptr : &has->value);
      edit(tags, entity.tags);
      set_tags(*found, tags);
    }
    return {};
  };
  TRY(apply(change.add, add));
  TRY(apply(change.remove, remove));
  std::string out;
  schema::append_json(out, *root);
  return out;
}

schema::protobuf::Options* find_field(schema::protobuf::Message& message, std::string_view name) {
  for (auto& field : message.fields) {
    if (field.name == name) return &field.options;
  }
  for (auto& one : message.oneofs) {
    std::string_view rest = name;
    if (rest.starts_with(one.name + ".")) rest.remove_prefix(one.name.size() + 1);
    for (auto& field : one.fields) {
      if (field.name == rest) return &field.options;
    }
  }
  return nullptr;
}

// The options of the message or field that a path names.
schema::protobuf::Options* find_options(std::vector<schema::protobuf::Message>& messages,
                                        std::string_view path, bool is_field) {
  for (auto& message : messages) {
    if (!is_field && path == message.name) return &message.options;
    if (!path.starts_with(message.name + ".")) continue;
    const std::string_view rest = path.substr(message.name.size() + 1);
    if (auto* found = find_options(message.messages, rest, is_field)) return found;
    if (auto* found = is_field ? find_field(message, rest) : nullptr) return found;
  }
  return nullptr;
}

Answer<std::string> in_protobuf(std::string_view text, const TagChange& change) {
  auto file = schema::protobuf::read_schema(text);
  if (!file) return subjects::invalid_schema(file.error().what);
  const auto apply = [&](const std::vector<EntityTags>& entities, auto edit) -> Answer<void> {
    for (const EntityTags& entity : entities) {
      std::string_view path = entity.path;
      if (path.starts_with('.')) path.remove_prefix(1);
      auto* options = find_options(file->messages, path, entity.is_field);
      if (!options) return no_entity(entity.path);
      const std::string_view meta = entity.is_field ? kFieldMeta : kMessageMeta;
      Tags tags = tags_in(*options, meta);
      edit(tags, entity.tags);
      set_tags(*options, meta, tags);
    }
    return {};
  };
  TRY(apply(change.add, add));
  TRY(apply(change.remove, remove));
  return schema::protobuf::printed(*file);
}

}  // namespace

Answer<std::string> with_tags(Format format, std::string_view text, const TagChange& change) {
  return format == Format::kProtobuf ? in_protobuf(text, change) : in_json(format, text, change);
}

}  // namespace tailrace::registry
