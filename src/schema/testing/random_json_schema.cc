#include "schema/testing/random_json_schema.h"

#include <array>

namespace tailrace::schema::testing {
namespace {

constexpr std::array<std::string_view, 5> kDrafts = {
    "http://json-schema.org/draft-04/schema#", "http://json-schema.org/draft-06/schema#",
    "http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema"};
constexpr std::array<std::string_view, 7> kTypes = {"string", "integer", "number", "boolean",
                                                    "null",   "array",   "object"};
constexpr std::array<std::string_view, 6> kNames = {"a", "b", "c", "id2", "x_y", "z"};
constexpr std::array<std::string_view, 6> kPatterns = {"^a", "b$", "[a-z]+", "^x_", "c|d", ".*"};
constexpr std::array<std::string_view, 5> kFormats = {"date-time", "date", "email", "uuid",
                                                      "other"};

template <typename Pool>
std::string one_of(RandomJsonSchema& random, const Pool& pool) {
  return std::string(pool[random.below(pool.size())]);
}

void set(JsonObject& into, std::string name, Json value) {
  for (auto& one : into)
    if (one.name == name) return void(one.value = std::move(value));
  into.push_back({std::move(name), std::move(value)});
}

}  // namespace

std::string RandomJsonSchema::name() {
  return one_of(*this, kNames);
}

Json RandomJsonSchema::schema() {
  draft_ = static_cast<Draft>(below(5));
  definitions_ = one_in(2) ? 0 : 1 + below(3);
  JsonObject made;
  if (draft_ != Draft::k7 || one_in(3))
    set(made, "$schema", std::string(kDrafts[static_cast<std::size_t>(draft_)]));
  Json body = any(3);
  if (body.boolean()) return body;
  for (const auto& one : *body.object()) set(made, one.name, one.value);
  if (definitions_ > 0) {
    JsonObject definitions;
    for (std::size_t i = 0; i < definitions_; ++i)
      set(definitions, "d" + std::to_string(i), any(2));
    set(made, draft_ >= Draft::k2019 ? "$defs" : "definitions", std::move(definitions));
  }
  return made;
}

Json RandomJsonSchema::any(int depth) {
  if (draft_ != Draft::k4 && one_in(15)) return one_in(2);
  JsonObject made;
  if (one_in(25)) return made;
  if (definitions_ > 0 && one_in(6)) {
    const auto* folder = draft_ >= Draft::k2019 ? "#/$defs/d" : "#/definitions/d";
    set(made, "$ref", one_in(12) ? "#" : folder + std::to_string(below(definitions_)));
    if (!one_in(4)) return made;
  }
  if (!one_in(5)) add_type(made);
  if (one_in(3)) add_string(made);
  if (one_in(3)) add_number(made);
  if (one_in(2)) add_object(made, depth);
  if (one_in(4)) add_array(made, depth);
  if (depth > 0 && one_in(4)) add_combination(made, depth);
  if (one_in(3)) add_words(made);
  return made;
}

void RandomJsonSchema::add_type(JsonObject& into) {
  if (!one_in(6)) return set(into, "type", one_in(2) ? "object" : one_of(*this, kTypes));
  JsonArray types;
  for (std::size_t i = 1 + below(3); i > 0; --i) types.push_back(one_of(*this, kTypes));
  set(into, "type", std::move(types));
}

void RandomJsonSchema::add_string(JsonObject& into) {
  if (one_in(2)) set(into, "minLength", std::int64_t(below(4)));
  if (one_in(2)) set(into, "maxLength", std::int64_t(4 + below(4)));
  if (one_in(3)) set(into, "pattern", one_of(*this, kPatterns));
  if (one_in(4)) set(into, "format", one_of(*this, kFormats));
}

Json RandomJsonSchema::number() {
  if (one_in(3)) return static_cast<double>(below(40)) / 4;
  return std::int64_t(below(12));
}

void RandomJsonSchema::add_number(JsonObject& into) {
  if (one_in(3)) set(into, "minimum", number());
  if (one_in(3)) set(into, "maximum", number());
  for (const auto* name : {"exclusiveMinimum", "exclusiveMaximum"})
    if (one_in(6)) set(into, name, draft_ == Draft::k4 ? Json(one_in(2)) : number());
  if (one_in(4))
    set(into, "multipleOf",
        one_in(2) ? Json(0.25 + below(4) * 0.25) : Json(std::int64_t(1 + below(6))));
}

void RandomJsonSchema::add_array(JsonObject& into, int depth) {
  if (one_in(4)) set(into, "minItems", std::int64_t(below(3)));
  if (one_in(4)) set(into, "maxItems", std::int64_t(2 + below(3)));
  if (one_in(4)) set(into, "uniqueItems", one_in(2));
  if (depth <= 0) return;
  if (draft_ >= Draft::k2019) {
    if (one_in(3)) set(into, "prefixItems", list(depth - 1));
    if (one_in(3)) set(into, "items", any(depth - 1));
    if (one_in(6)) set(into, "unevaluatedItems", any(depth - 1));
    if (one_in(6)) set(into, "minContains", std::int64_t(below(3)));
    if (one_in(6)) set(into, "maxContains", std::int64_t(1 + below(3)));
  } else {
    if (one_in(2)) set(into, "items", one_in(2) ? list(depth - 1) : any(depth - 1));
    if (one_in(3)) set(into, "additionalItems", one_in(2) ? Json(one_in(2)) : any(depth - 1));
  }
  if (one_in(5)) set(into, "contains", any(depth - 1));
}

Json RandomJsonSchema::list(int depth) {
  JsonArray made;
  for (std::size_t i = 1 + below(3); i > 0; --i) made.push_back(any(depth));
  return made;
}

Json RandomJsonSchema::properties(int depth) {
  JsonObject made;
  for (std::size_t i = below(5); i > 0; --i) set(made, name(), any(depth));
  return made;
}

void RandomJsonSchema::add_object(JsonObject& into, int depth) {
  if (depth > 0 && !one_in(4)) set(into, "properties", properties(depth - 1));
  if (one_in(2)) {
    JsonArray required;
    for (std::size_t i = 1 + below(2); i > 0; --i) required.push_back(name());
    set(into, "required", std::move(required));
  }
  if (one_in(6)) set(into, "minProperties", std::int64_t(below(3)));
  if (one_in(6)) set(into, "maxProperties", std::int64_t(3 + below(3)));
  if (one_in(3))
    set(into, "additionalProperties", depth <= 0 || one_in(2) ? Json(one_in(2)) : any(depth - 1));
  if (depth <= 0) return;
  if (one_in(6)) {
    JsonObject patterns;
    set(patterns, one_of(*this, kPatterns), any(depth - 1));
    set(into, "patternProperties", std::move(patterns));
  }
  if (one_in(10)) set(into, "propertyNames", any(depth - 1));
  if (draft_ >= Draft::k2019) {
    if (one_in(6)) set(into, "unevaluatedProperties", one_in(2) ? Json(one_in(2)) : any(depth - 1));
    if (one_in(8)) set(into, "dependentSchemas", properties(depth - 1));
  }
  if (one_in(8)) {
    JsonObject dependencies;
    JsonArray names{name()};
    if (one_in(3)) names.push_back(name());
    set(dependencies, name(), std::move(names));
    if (draft_ < Draft::k2019 && one_in(3)) set(dependencies, name(), any(depth - 1));
    set(into, draft_ >= Draft::k2019 ? "dependentRequired" : "dependencies",
        std::move(dependencies));
  }
}

void RandomJsonSchema::add_combination(JsonObject& into, int depth) {
  static constexpr std::array<std::string_view, 3> kAll = {"allOf", "anyOf", "oneOf"};
  const std::size_t which = below(6);
  if (which < 4) return set(into, one_of(*this, kAll), list(depth - 1));
  if (which == 4) return set(into, "not", any(depth - 1));
  for (const auto* name : {"if", "then", "else"})
    if (!one_in(3)) set(into, name, any(depth - 1));
}

Json RandomJsonSchema::value(int depth) {
  const std::size_t which = below(depth > 0 ? 8 : 6);
  if (which == 0) return {};
  if (which == 1) return one_in(2);
  if (which < 4) return number();
  if (which < 6) return one_of(*this, kNames);
  if (which == 6) return JsonArray{value(depth - 1), value(depth - 1)};
  JsonObject made;
  for (std::size_t i = below(3); i > 0; --i) set(made, name(), value(depth - 1));
  return made;
}

void RandomJsonSchema::add_words(JsonObject& into) {
  switch (below(8)) {
    case 0:
      return set(into, "title", name());
    case 1:
      return set(into, "description", name());
    case 2:
    case 3:
      return set(into, "default", value(1));
    case 4: {
      JsonArray values;
      for (std::size_t i = 1 + below(3); i > 0; --i) values.push_back(value(1));
      return set(into, "enum", std::move(values));
    }
    case 5:
      return set(into, "const", one_in(2) ? Json(name()) : number());
    case 6:
      return set(into, "connect.type", std::string(one_in(2) ? "bytes" : "int8"));
    default:
      return set(into, "readOnly", one_in(2));
  }
}

Json RandomJsonSchema::changed(const Json& from) {
  if (const auto* named = from.find_text("$schema")) {
    for (std::size_t i = 0; i < kDrafts.size(); ++i)
      if (*named == kDrafts[i]) draft_ = static_cast<Draft>(i);
  } else {
    draft_ = Draft::k7;
  }
  definitions_ = 0;
  for (const auto* folder : {"$defs", "definitions"})
    if (const Json* all = from.find(folder); all && all->object())
      definitions_ = all->object()->size();
  Json made = from;
  for (std::size_t i = 1 + below(3); i > 0; --i) made = change(made, "", 0);
  return made;
}

// One change somewhere: a member taken away, put in, made another, or changed in turn.
Json RandomJsonSchema::change(const Json& from, std::string_view key, int depth) {
  if (const auto* members = from.object()) {
    JsonObject made = *members;
    const bool is_map =
        key == "properties" || key == "$defs" || key == "definitions" || key == "patternProperties";
    if (!made.empty() && !one_in(3)) {
      JsonMember& one = made[below(made.size())];
      if (one.name != "$schema") one.value = change(one.value, is_map ? "" : one.name, depth + 1);
      return made;
    }
    if (!made.empty() && one_in(3)) {
      const std::size_t at = below(made.size());
      if (made[at].name != "$schema" && made[at].name != "$defs" && made[at].name != "definitions")
        made.erase(made.begin() + static_cast<std::ptrdiff_t>(at));
      return made;
    }
    if (key == "properties") {
      set(made, name(), any(1));
      return made;
    }
    if (is_map) return made;
    switch (below(5)) {
      case 0:
        add_string(made);
        break;
      case 1:
        add_number(made);
        break;
      case 2:
        add_object(made, 1);
        break;
      case 3:
        add_words(made);
        break;
      default:
        add_type(made);
    }
    return made;
  }
  if (const auto* items = from.array()) {
    JsonArray made = *items;
    const bool schemas = !made.empty() && (made[0].object() || made[0].boolean());
    if (!made.empty() && one_in(2)) {
      Json& one = made[below(made.size())];
      one = change(one, key, depth + 1);
    } else if (one_in(2) && !made.empty()) {
      made.pop_back();
    } else {
      made.push_back(schemas ? any(1) : key == "type" ? one_of(*this, kTypes) : name());
    }
    return made;
  }
  if (key == "type") return one_of(*this, kTypes);
  if (from.integer()) return std::int64_t(below(10));
  if (from.is_number()) return number();
  if (from.boolean()) return one_in(40) ? Json(std::int64_t(1)) : Json(!*from.boolean());
  if (from.text() && !from.text()->starts_with('#') && one_in(2)) return name();
  return one_in(40) ? value(1) : from;
}

Json RandomJsonSchema::document(const Json& schema) {
  return value_for(schema, 4);
}

Json RandomJsonSchema::value_for(const Json& schema, int depth) {
  if (depth <= 0 || one_in(12)) return value(2);
  const auto* type = schema.find_text("type");
  const Json* inside = schema.find("properties");
  if (inside && inside->object() && (!type || *type == "object")) {
    JsonObject made;
    for (const auto& [name, one] : *inside->object())
      if (!one_in(5)) set(made, name, value_for(one, depth - 1));
    if (one_in(4)) set(made, name(), value(1));
    return made;
  }
  if (!type) return value(2);
  if (*type == "array") {
    JsonArray made;
    const Json* items = schema.find("items");
    for (std::size_t i = below(4); i > 0; --i)
      made.push_back(items && items->object() ? value_for(*items, depth - 1) : value(1));
    return made;
  }
  if (*type == "string") return one_of(*this, kNames) + (one_in(2) ? "abc" : "");
  if (*type == "integer") return std::int64_t(below(12));
  if (*type == "number") return number();
  if (*type == "boolean") return one_in(2);
  return value(2);
}

}  // namespace tailrace::schema::testing
