// Walks JSON Schemas.
#include "registry/json_entities.h"

namespace tailrace::registry {

using schema::Json;

namespace {

class Walk {
 public:
  explicit Walk(const std::function<void(const std::string&, bool, Json&)>& visit)
      : visit_(visit) {}

  void walk(Json& schema, const std::string& scope, bool in_field) {
    if (!schema.object()) return;
    for (const char* word : {"allOf", "anyOf", "oneOf"}) {
      Json* list = schema.find(word);
      if (!list || !list->array()) continue;
      for (std::size_t i = 0; i < list->array()->size(); ++i)
        walk((*list->array())[i], scope + word + "." + std::to_string(i) + ".", false);
    }
    for (const char* word : {"if", "then", "else"})
      walk_part(schema, word, scope + "conditional." + word + ".");
    walk_part(schema, "not", scope + "not.");
    walk_part(schema, "items", scope + "array.");
    const std::string* type = schema.find_text("type");
    if (schema.find("properties") || (type && *type == "object"))
      walk_object(schema, scope + "object", in_field);
  }

 private:
  void walk_part(Json& schema, const char* word, const std::string& scope) {
    if (Json* part = schema.find(word)) walk(*part, scope, false);
  }

  void walk_object(Json& schema, const std::string& name, bool in_field) {
    if (!in_field) visit_(name, false, schema);
    if (Json* properties = schema.find("properties"); properties && properties->object()) {
      for (auto& [property, value] : *properties->object()) {
        visit_(name + "." + property, true, value);
        walk(value, name + "." + property + ".", true);
      }
    }
    for (const char* word : {"definitions", "$defs"}) {
      Json* list = schema.find(word);
      if (!list || !list->object()) continue;
      for (auto& [definition, value] : *list->object())
        walk(value, name + "." + word + "." + definition + ".", false);
    }
  }

  const std::function<void(const std::string&, bool, Json&)>& visit_;
};

}  // namespace

void each_entity(Json& schema, const std::function<void(const std::string&, bool, Json&)>& visit) {
  Walk(visit).walk(schema, "", false);
}

}  // namespace tailrace::registry
