// References, metadata and rule sets as JSON, in Confluent's registry's forms.
#include <algorithm>
#include <array>

#include "subjects/entities.h"

namespace tailrace::subjects {
namespace {

using schema::Json;
using schema::JsonArray;
using schema::JsonObject;

std::unexpected<Error> wrong(std::string_view what, std::string_view expected) {
  return error(Code::kInvalidArgument,
               "\"" + std::string(what) + "\" must be " + std::string(expected));
}

Result<std::optional<std::string>> text_member(const Json& object, std::string_view name) {
  const Json* member = object.find(name);
  if (!member || member->is_null()) return std::nullopt;
  if (!member->text()) return wrong(name, "text");
  return *member->text();
}

Result<std::set<std::string>> texts_of(const Json* array, std::string_view name) {
  std::set<std::string> out;
  if (!array || array->is_null()) return out;
  if (!array->array()) return wrong(name, "a list of texts");
  for (const Json& item : *array->array()) {
    if (!item.text()) return wrong(name, "a list of texts");
    out.insert(*item.text());
  }
  return out;
}

Result<std::map<std::string, std::string>> text_map(const Json* object, std::string_view name) {
  std::map<std::string, std::string> out;
  if (!object || object->is_null()) return out;
  if (!object->object()) return wrong(name, "an object of texts");
  for (const auto& [key, value] : *object->object()) {
    if (!value.text()) return wrong(name, "an object of texts");
    out[key] = *value.text();
  }
  return out;
}

Json texts(const std::set<std::string>& values) {
  JsonArray out;
  for (const std::string& value : values) out.push_back(Json(value));
  return Json(std::move(out));
}

Json text_object(const std::map<std::string, std::string>& values) {
  JsonObject out;
  for (const auto& [key, value] : values) out.push_back({key, Json(value)});
  return Json(std::move(out));
}

void add(JsonObject& object, const char* name, const std::optional<std::string>& value) {
  if (value && !value->empty()) object.push_back({name, Json(*value)});
}

constexpr std::array<std::string_view, 2> kKinds = {"TRANSFORM", "CONDITION"};
constexpr std::array<std::string_view, 6> kModes = {"UPGRADE", "DOWNGRADE", "UPDOWN",
                                                    "WRITE",   "READ",      "WRITEREAD"};

template <std::size_t N>
Status one_of(const std::array<std::string_view, N>& words, const Json& object,
              std::string_view name, std::string& out) {
  ASSIGN(const auto word, text_member(object, name));
  if (!word) return {};
  if (std::ranges::find(words, *word) == words.end())
    return wrong(name, "a word the registry knows");
  out = *word;
  return {};
}

Result<Rule> rule_of(const Json& json) {
  if (!json.object()) return wrong("rule", "an object");
  Rule rule;
  ASSIGN(rule.name, text_member(json, "name"));
  ASSIGN(rule.doc, text_member(json, "doc"));
  TRY(one_of(kKinds, json, "kind", rule.kind));
  TRY(one_of(kModes, json, "mode", rule.mode));
  ASSIGN(rule.type, text_member(json, "type"));
  ASSIGN(rule.tags, texts_of(json.find("tags"), "tags"));
  ASSIGN(rule.params, text_map(json.find("params"), "params"));
  ASSIGN(rule.expr, text_member(json, "expr"));
  ASSIGN(rule.on_success, text_member(json, "onSuccess"));
  ASSIGN(rule.on_failure, text_member(json, "onFailure"));
  if (const Json* disabled = json.find("disabled"); disabled && disabled->boolean())
    rule.disabled = *disabled->boolean();
  return rule;
}

Result<std::vector<Rule>> rules_of(const Json& json, std::string_view name) {
  std::vector<Rule> out;
  const Json* list = json.find(name);
  if (!list || list->is_null()) return out;
  if (!list->array()) return wrong(name, "a list of rules");
  for (const Json& item : *list->array()) {
    ASSIGN(Rule rule, rule_of(item));
    out.push_back(std::move(rule));
  }
  return out;
}

Json to_json(const Rule& rule) {
  JsonObject out;
  add(out, "name", rule.name);
  add(out, "doc", rule.doc);
  add(out, "kind", rule.kind);
  add(out, "mode", rule.mode);
  add(out, "type", rule.type);
  if (!rule.tags.empty()) out.push_back({"tags", texts(rule.tags)});
  if (!rule.params.empty()) out.push_back({"params", text_object(rule.params)});
  add(out, "expr", rule.expr);
  add(out, "onSuccess", rule.on_success);
  add(out, "onFailure", rule.on_failure);
  out.push_back({"disabled", Json(rule.disabled)});
  return Json(std::move(out));
}

void add(JsonObject& object, const char* name, const std::vector<Rule>& rules) {
  if (rules.empty()) return;
  JsonArray list;
  for (const Rule& rule : rules) list.push_back(to_json(rule));
  object.push_back({name, Json(std::move(list))});
}

}  // namespace

Result<std::vector<SchemaReference>> references_of(const Json& json) {
  std::vector<SchemaReference> out;
  if (json.is_null()) return out;
  if (!json.array()) return wrong("references", "a list");
  for (const Json& item : *json.array()) {
    SchemaReference reference;
    const std::string* name = item.find_text("name");
    const std::string* subject = item.find_text("subject");
    const Json* version = item.find("version");
    if (!name || !subject || !version || !version->integer())
      return wrong("references", "objects with name, subject and version");
    out.push_back({*name, *subject, static_cast<int>(*version->integer())});
  }
  return out;
}

Result<Metadata> metadata_of(const Json& json) {
  if (!json.object()) return wrong("metadata", "an object");
  Metadata out;
  if (const Json* tags = json.find("tags"); tags && !tags->is_null()) {
    if (!tags->object()) return wrong("tags", "an object of lists");
    for (const auto& [path, list] : *tags->object()) {
      ASSIGN(out.tags[path], texts_of(&list, "tags"));
    }
  }
  ASSIGN(out.properties, text_map(json.find("properties"), "properties"));
  ASSIGN(out.sensitive, texts_of(json.find("sensitive"), "sensitive"));
  return out;
}

Result<RuleSet> rule_set_of(const Json& json) {
  if (!json.object()) return wrong("ruleSet", "an object");
  RuleSet out;
  ASSIGN(out.migration, rules_of(json, "migrationRules"));
  ASSIGN(out.domain, rules_of(json, "domainRules"));
  ASSIGN(out.encoding, rules_of(json, "encodingRules"));
  ASSIGN(out.enable_at, text_member(json, "enableAt"));
  return out;
}

Json to_json(const std::vector<SchemaReference>& references) {
  JsonArray out;
  for (const SchemaReference& one : references) {
    out.push_back(Json(JsonObject{{"name", Json(one.name)},
                                  {"subject", Json(one.subject)},
                                  {"version", Json(std::int64_t{one.version})}}));
  }
  return Json(std::move(out));
}

Json to_json(const Metadata& metadata) {
  JsonObject out;
  if (!metadata.tags.empty()) {
    JsonObject tags;
    for (const auto& [path, values] : metadata.tags) tags.push_back({path, texts(values)});
    out.push_back({"tags", Json(std::move(tags))});
  }
  if (!metadata.properties.empty()) out.push_back({"properties", text_object(metadata.properties)});
  if (!metadata.sensitive.empty()) out.push_back({"sensitive", texts(metadata.sensitive)});
  return Json(std::move(out));
}

Json to_json(const RuleSet& rules) {
  JsonObject out;
  add(out, "migrationRules", rules.migration);
  add(out, "domainRules", rules.domain);
  add(out, "encodingRules", rules.encoding);
  add(out, "enableAt", rules.enable_at);
  return Json(std::move(out));
}

}  // namespace tailrace::subjects
