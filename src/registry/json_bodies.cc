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
  if (const Json* part = json.find("metadata"); part && !part->is_null()) {
    auto metadata = subjects::metadata_of(*part);
    if (!metadata) return std::unexpected(unprocessable(metadata.error()));
    out.metadata = std::move(*metadata);
  }
  if (const Json* part = json.find("ruleSet"); part && !part->is_null()) {
    auto rules = subjects::rule_set_of(*part);
    if (!rules) return std::unexpected(unprocessable(rules.error()));
    if (std::string wrong = what_is_wrong(*rules); !wrong.empty()) return refuse(42210, wrong);
    out.rules = std::move(*rules);
  }
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
