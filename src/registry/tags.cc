// Walks schemas for the tags of their records and fields.
#include "registry/tags.h"

#include <algorithm>
#include <set>

#include "registry/formats.h"
#include "schema/avro/avro_schema.h"
#include "schema/protobuf/protobuf_schema.h"

namespace tailrace::registry {

using schema::Format;
using schema::Json;
using schema::JsonArray;
using schema::JsonObject;

namespace {

constexpr std::string_view kTags = "confluent:tags";

class Found {
 public:
  explicit Found(const std::vector<std::string>& wanted) : wanted_(wanted) {}

  void add(const std::string& path, const char* kind, const std::vector<std::string>& tags) {
    const bool matches = std::ranges::any_of(wanted_, [&](const std::string& one) {
      return one == "*" || std::ranges::count(tags, one);
    });
    if (tags.empty() || !matches) return;
    JsonArray texts(tags.begin(), tags.end());
    const JsonObject entity{{"entityPath", Json(path)}, {"entityType", Json(std::string(kind))}};
    parts_.emplace_back(JsonObject{{"schemaEntity", Json(entity)}, {"tags", Json(texts)}});
  }
  void add_record(const std::string& path, const std::vector<std::string>& tags) {
    add(path, "sr_record", tags);
  }
  void add_field(const std::string& path, const std::vector<std::string>& tags) {
    add(path, "sr_field", tags);
  }
  JsonArray take() { return std::move(parts_); }

 private:
  const std::vector<std::string>& wanted_;
  JsonArray parts_;
};

// Texts of a list, each once, in order.
std::vector<std::string> texts_of(const Json* list) {
  std::vector<std::string> out;
  if (!list || !list->array()) return out;
  for (const Json& one : *list->array()) {
    if (one.text() && !std::ranges::count(out, *one.text())) out.push_back(*one.text());
  }
  return out;
}

std::vector<std::string> tags_in(const JsonObject& properties) {
  for (const auto& [name, value] : properties) {
    if (name == kTags) return texts_of(&value);
  }
  return {};
}

void walk(Found& found, const schema::avro::Type& type, std::set<const void*>& visited) {
  using schema::avro::Kind;
  for (const auto* branch : type.branches) walk(found, *branch, visited);
  if (type.element) walk(found, *type.element, visited);
  if (type.kind != Kind::kRecord || !visited.insert(&type).second) return;
  const std::string& name = type.defined->full_name;
  found.add_record(name, tags_in(type.properties));
  for (const auto& field : type.defined->fields) {
    found.add_field(name + "." + field.name, tags_in(field.properties));
    walk(found, *field.type, visited);
  }
}

// Paths are those of Confluent's registry: "object.name", "object.list.array.object.name".
void walk(Found& found, const Json& schema, const std::string& scope, bool in_field) {
  if (!schema.object()) return;
  for (const char* word : {"allOf", "anyOf", "oneOf"}) {
    const Json* list = schema.find(word);
    if (!list || !list->array()) continue;
    for (std::size_t i = 0; i < list->array()->size(); ++i)
      walk(found, (*list->array())[i], scope + word + "." + std::to_string(i) + ".", false);
  }
  for (const char* word : {"if", "then", "else"}) {
    if (const Json* part = schema.find(word))
      walk(found, *part, scope + "conditional." + word + ".", false);
  }
  if (const Json* part = schema.find("not")) walk(found, *part, scope + "not.", false);
  if (const Json* part = schema.find("items")) walk(found, *part, scope + "array.", false);
  const std::string* type = schema.find_text("type");
  const Json* properties = schema.find("properties");
  if (!properties && !(type && *type == "object")) return;
  const std::string name = scope + "object";
  if (!in_field) found.add_record(name, texts_of(schema.find(kTags)));
  if (properties && properties->object()) {
    for (const auto& [property, value] : *properties->object()) {
      found.add_field(name + "." + property, texts_of(value.find(kTags)));
      walk(found, value, name + "." + property + ".", true);
    }
  }
  for (const char* word : {"definitions", "$defs"}) {
    const Json* list = schema.find(word);
    if (!list || !list->object()) continue;
    for (const auto& [definition, value] : *list->object())
      walk(found, value, name + "." + word + "." + definition + ".", false);
  }
}

void add_tags(std::vector<std::string>& out, const schema::protobuf::Option& member) {
  if (member.name != "tags") return;
  const auto add = [&out](const std::string& tag) {
    if (!std::ranges::count(out, tag)) out.push_back(tag);
  };
  if (member.value.kind == schema::protobuf::Value::Kind::kText) add(member.value.text);
  for (const auto& one : member.value.elements) add(one.text);
}

std::vector<std::string> tags_in(const schema::protobuf::Options& options, std::string_view name) {
  std::vector<std::string> out;
  for (const auto& option : options) {
    if (option.name != name) continue;
    for (const auto& member : option.value.members) add_tags(out, member);
  }
  return out;
}

void walk(Found& found, const schema::protobuf::Message& message, const std::string& scope) {
  const std::string name = scope + message.name;
  found.add_record(name, tags_in(message.options, "confluent.message_meta"));
  const auto add_fields = [&](const std::vector<schema::protobuf::Field>& fields) {
    for (const auto& field : fields)
      found.add_field(name + "." + field.name, tags_in(field.options, "confluent.field_meta"));
  };
  for (const auto& one : message.oneofs) add_fields(one.fields);
  add_fields(message.fields);
  for (const auto& inner : message.messages) walk(found, inner, name + ".");
}

}  // namespace

subjects::Answer<Json> tagged_parts(const subjects::Registry& registry,
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
    const auto text = schema::parse_json(schema.text);
    if (!text) return subjects::invalid_schema(text.error().what);
    walk(found, *text, "", false);
  }
  return Json(found.take());
}

}  // namespace tailrace::registry
