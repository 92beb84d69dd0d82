// Walks schemas for the tags of their records and fields.
#include "registry/tags.h"

#include <algorithm>
#include <set>

#include "registry/formats.h"
#include "registry/json_entities.h"
#include "registry/tag_texts.h"
#include "schema/avro/avro_schema.h"
#include "schema/protobuf/protobuf_schema.h"

namespace tailrace::registry {

using schema::Format;
using schema::Json;
using schema::JsonArray;
using schema::JsonObject;

namespace {

class Found {
 public:
  explicit Found(const std::vector<std::string>& wanted) : wanted_(wanted) {}

  void add(const std::string& path, bool is_field, std::vector<std::string> tags) {
    const bool matches = std::ranges::any_of(wanted_, [&](const std::string& one) {
      return one == "*" || std::ranges::count(tags, one);
    });
    if (!tags.empty() && matches) parts_.push_back({path, is_field, std::move(tags)});
  }
  void add_record(const std::string& path, std::vector<std::string> tags) {
    add(path, false, std::move(tags));
  }
  void add_field(const std::string& path, std::vector<std::string> tags) {
    add(path, true, std::move(tags));
  }
  std::vector<EntityTags> take() { return std::move(parts_); }

 private:
  const std::vector<std::string>& wanted_;
  std::vector<EntityTags> parts_;
};

std::vector<std::string> tags_among(const JsonObject& properties) {
  for (const auto& [name, value] : properties) {
    if (name == kTagsProperty) return tag_texts(&value);
  }
  return {};
}

void walk(Found& found, const schema::avro::Type& type, std::set<const void*>& visited) {
  using schema::avro::Kind;
  for (const auto* branch : type.branches) walk(found, *branch, visited);
  if (type.element) walk(found, *type.element, visited);
  if (type.kind != Kind::kRecord || !visited.insert(&type).second) return;
  const std::string& name = type.defined->full_name;
  found.add_record(name, tags_among(type.properties));
  for (const auto& field : type.defined->fields) {
    found.add_field(name + "." + field.name, tags_among(field.properties));
    walk(found, *field.type, visited);
  }
}

void walk(Found& found, const schema::protobuf::Message& message, const std::string& scope) {
  const std::string name = scope + message.name;
  found.add_record(name, tags_in(message.options, kMessageMeta));
  const auto add_fields = [&](const std::vector<schema::protobuf::Field>& fields) {
    for (const auto& field : fields)
      found.add_field(name + "." + field.name, tags_in(field.options, kFieldMeta));
  };
  for (const auto& one : message.oneofs) add_fields(one.fields);
  add_fields(message.fields);
  for (const auto& inner : message.messages) walk(found, inner, name + ".");
}

}  // namespace

subjects::Answer<std::vector<EntityTags>> tagged_parts(const subjects::Registry& registry,
                                                       const subjects::SchemaVersion& schema,
                                                       const std::vector<std::string>& wanted) {
  ASSIGN(const auto parsed, parsed_schema(registry, schema));
  Found found(wanted);
  if (schema.format == Format::kAvro) {
    std::set<const void*> visited;
    walk(found, static_cast<const schema::avro::AvroSchema&>(*parsed).root(), visited);
  } else if (schema.format == Format::kProtobuf) {
    const auto& file = static_cast<const schema::protobuf::ProtobufSchema&>(*parsed).file();
    for (const auto& message : file.messages) walk(found, message, "");
  } else {
    auto text = schema::parse_json(schema.text);
    if (!text) return subjects::invalid_schema(text.error().what);
    each_entity(*text, [&](const std::string& path, bool is_field, const Json& entity) {
      found.add(path, is_field, tag_texts(entity.find(kTagsProperty)));
    });
  }
  return found.take();
}

Json to_json(const std::vector<EntityTags>& parts) {
  JsonArray out;
  for (const EntityTags& part : parts) {
    const std::string kind = part.is_field ? "sr_field" : "sr_record";
    const JsonObject entity{{"entityPath", Json(part.path)}, {"entityType", Json(kind)}};
    out.emplace_back(JsonObject{{"schemaEntity", Json(entity)},
                                {"tags", Json(JsonArray(part.tags.begin(), part.tags.end()))}});
  }
  return Json(std::move(out));
}

}  // namespace tailrace::registry
