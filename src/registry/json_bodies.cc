// JSON of the registry's API.
#include "registry/json_bodies.h"

namespace tailrace::registry {

using schema::Json;
using schema::JsonArray;
using schema::JsonObject;
using subjects::Candidate;
using subjects::Refusal;
using subjects::refuse;

namespace {

Answer<void> read_int(const Json& body, std::string_view name, int& out) {
  const Json* member = body.find(name);
  if (!member || member->is_null()) return {};
  constexpr std::int64_t kMax = 0x7FFFFFFF;
  if (!member->integer() || *member->integer() < -1 || *member->integer() > kMax)
    return refuse(422, "\"" + std::string(name) + "\" must be a number");
  out = static_cast<int>(*member->integer());
  return {};
}

// What a client got wrong in a body's form.
Refusal unprocessable(const Error& wrong) {
  return {422, wrong.what};
}

Answer<void> read_metadata(const Json& body, std::optional<subjects::Metadata>& out) {
  const Json* part = body.find("metadata");
  if (!part || part->is_null()) return {};
  auto metadata = subjects::metadata_of(*part);
  if (!metadata) return std::unexpected(unprocessable(metadata.error()));
  out = std::move(*metadata);
  return {};
}

Answer<void> read_rules(const Json& body, std::string_view name,
                        std::optional<subjects::RuleSet>& out) {
  const Json* part = body.find(name);
  if (!part || part->is_null()) return {};
  auto rules = subjects::rule_set_of(*part);
  if (!rules) return std::unexpected(unprocessable(rules.error()));
  if (std::string wrong = what_is_wrong(*rules); !wrong.empty()) return refuse(42210, wrong);
  out = std::move(*rules);
  return {};
}

Answer<void> read_texts(const Json& body, std::string_view name, std::vector<std::string>& out) {
  const Json* list = body.find(name);
  if (!list || list->is_null()) return {};
  const auto wrong = refuse(422, "\"" + std::string(name) + "\" must be a list of texts");
  if (!list->array()) return wrong;
  for (const Json& one : *list->array()) {
    if (!one.text()) return wrong;
    out.push_back(*one.text());
  }
  return {};
}

Answer<void> read_tags(const Json& body, std::string_view name, std::vector<EntityTags>& out) {
  const Json* list = body.find(name);
  if (!list || list->is_null()) return {};
  const auto wrong = refuse(
      422, "\"" + std::string(name) + "\" must be a list of objects with schemaEntity and tags");
  if (!list->array()) return wrong;
  for (const Json& one : *list->array()) {
    const Json* entity = one.find("schemaEntity");
    const std::string* path = entity ? entity->find_text("entityPath") : nullptr;
    const std::string* kind = entity ? entity->find_text("entityType") : nullptr;
    if (!path || !kind || (*kind != "sr_field" && *kind != "sr_record")) return wrong;
    EntityTags& part = out.emplace_back(EntityTags{*path, *kind == "sr_field", {}});
    TRY(read_texts(one, "tags", part.tags));
  }
  return {};
}

Answer<Candidate> read_candidate(const Json& json) {
  Candidate out;
  TRY(read_int(json, "version", out.version));
  TRY(read_int(json, "id", out.id));
  if (const std::string* type = json.find_text("schemaType")) out.schema_type = *type;
  if (const Json* text = json.find("schema"); text && !text->is_null()) {
    if (!text->text()) return refuse(422, "\"schema\" must be text");
    out.text = *text->text();
  }
  if (const Json* list = json.find("references")) {
    auto references = subjects::references_of(*list);
    if (!references) return std::unexpected(unprocessable(references.error()));
    out.references = std::move(*references);
  }
  TRY(read_metadata(json, out.metadata));
  TRY(read_rules(json, "ruleSet", out.rules));
  return out;
}

}  // namespace

Answer<Json> object_of(std::string_view body) {
  if (body.size() > schema::kMaxSchemaBytes)
    return refuse(42209, "Register operation failed because schema is too large");
  auto json = schema::parse_json(body);
  if (!json) return refuse(400, json.error().what);
  if (!json->object()) return refuse(422, "The body must be a JSON object");
  return std::move(*json);
}

Answer<Candidate> candidate_of(std::string_view body) {
  ASSIGN(const Json json, object_of(body));
  return read_candidate(json);
}

Answer<Registration> registration_of(std::string_view body) {
  ASSIGN(const Json json, object_of(body));
  Registration out;
  ASSIGN(out.candidate, read_candidate(json));
  TRY(read_tags(json, "schemaTagsToAdd", out.tags.add));
  TRY(read_tags(json, "schemaTagsToRemove", out.tags.remove));
  const Json* propagates = json.find("propagateSchemaTags");
  out.propagates_tags = propagates && propagates->boolean() && *propagates->boolean();
  return out;
}

Answer<TagRequest> tag_request_of(std::string_view body) {
  ASSIGN(const Json json, object_of(body));
  TagRequest out;
  TRY(read_int(json, "newVersion", out.new_version));
  TRY(read_tags(json, "tagsToAdd", out.tags.add));
  TRY(read_tags(json, "tagsToRemove", out.tags.remove));
  TRY(read_metadata(json, out.metadata));
  TRY(read_rules(json, "ruleSet", out.rules));
  TRY(read_rules(json, "rulesToMerge", out.rules_to_merge));
  TRY(read_texts(json, "rulesToRemove", out.rules_to_remove));
  if (out.rules && (out.rules_to_merge || !out.rules_to_remove.empty()))
    return refuse(42210, "ruleSet should be omitted if specifying rulesToMerge or rulesToRemove");
  return out;
}

Answer<ConfigChange> config_change_of(std::string_view body) {
  ASSIGN(const Json json, object_of(body));
  ConfigChange out;
  auto config = subjects::config_of(json);
  if (!config) return std::unexpected(unprocessable(config.error()));
  out.config = std::move(*config);
  if (const Json* level = json.find("compatibility"); level && !level->is_null()) {
    if (level->text()) out.config.compatibility = schema::level_named(*level->text());
    if (!out.config.compatibility) {
      return refuse(42203,
                    "Invalid compatibility level. Valid values are none, backward, forward, full, "
                    "backward_transitive, forward_transitive, and full_transitive");
    }
  }
  for (const auto& rules : {out.config.default_rules, out.config.override_rules}) {
    if (!rules) continue;
    if (std::string wrong = what_is_wrong(*rules); !wrong.empty()) return refuse(42210, wrong);
  }
  for (const auto& [name, value] : *json.object()) {
    if (value.is_null()) out.cleared.push_back(name);
  }
  return out;
}

Answer<std::optional<subjects::Mode>> mode_of(std::string_view body) {
  ASSIGN(const Json json, object_of(body));
  const Json* member = json.find("mode");
  if (!member || member->is_null()) return std::nullopt;
  const auto mode = member->text() ? subjects::mode_named(*member->text()) : std::nullopt;
  if (!mode)
    return refuse(42204, "Invalid mode. Valid values are READWRITE, READONLY, IMPORT and FORWARD.");
  return mode;
}

std::string text_of(Json json) {
  std::string out;
  schema::append_json(out, json);
  return out;
}

JsonObject version_json(const subjects::SchemaVersion& schema, bool subject_and_version) {
  JsonObject out;
  if (subject_and_version) {
    out.push_back({"subject", Json(schema.subject)});
    out.push_back({"version", Json(std::int64_t{schema.version})});
  }
  out.push_back({"id", Json(std::int64_t{schema.id})});
  out.push_back({"guid", Json(schema.guid())});
  out.push_back({"schemaType", Json(std::string(schema::format_name(schema.format)))});
  if (!schema.references.empty())
    out.push_back({"references", subjects::to_json(schema.references)});
  if (schema.metadata) out.push_back({"metadata", subjects::to_json(*schema.metadata)});
  if (schema.rules) out.push_back({"ruleSet", subjects::to_json(*schema.rules)});
  out.push_back({"schema", Json(schema.text)});
  out.push_back({"ts", Json(schema.timestamp_ms)});
  out.push_back({"deleted", Json(schema.deleted)});
  return out;
}

Json texts_json(const std::vector<std::string>& texts) {
  JsonArray out;
  for (const std::string& text : texts) out.emplace_back(text);
  return Json(std::move(out));
}

Json numbers_json(const std::vector<int>& numbers) {
  JsonArray out;
  for (const int number : numbers) out.emplace_back(std::int64_t{number});
  return Json(std::move(out));
}

}  // namespace tailrace::registry
