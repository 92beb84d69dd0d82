// Records of `_schemas`: each kind written and read in one place.
#include "subjects/records.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace tailrace::subjects {
namespace {

using schema::Format;
using schema::Json;
using schema::JsonObject;

constexpr std::array<std::string_view, 5> kModeNames = {"READWRITE", "READONLY",
                                                        "READONLY_OVERRIDE", "IMPORT", "FORWARD"};

std::string text_of(JsonObject object) {
  std::string out;
  schema::append_json(out, Json(std::move(object)));
  return out;
}

Json number(int value) {
  return Json(std::int64_t{value});
}

std::string key_text(const char* type, const Scope& subject, int magic) {
  JsonObject out{{"keytype", Json(std::string(type))}};
  if (subject) out.push_back({"subject", Json(*subject)});
  out.push_back({"magic", number(magic)});
  return text_of(std::move(out));
}

std::string schema_key(const std::string& subject, int version) {
  return text_of({{"keytype", Json(std::string("SCHEMA"))},
                  {"subject", Json(subject)},
                  {"version", number(version)},
                  {"magic", number(1)}});
}

JsonObject subject_object(const Scope& subject) {
  JsonObject out;
  if (subject) out.push_back({"subject", Json(*subject)});
  return out;
}

struct Encoder {
  RecordText operator()(const Noop&) const { return {key_text("NOOP", {}, 0), std::nullopt}; }
  RecordText operator()(const PutSchema& put) const {
    const SchemaVersion& schema = put.schema;
    JsonObject value{{"subject", Json(schema.subject)},
                     {"version", number(schema.version)},
                     {"id", number(schema.id)},
                     {"schemaType", Json(std::string(format_name(schema.format)))}};
    if (!schema.references.empty()) value.push_back({"references", to_json(schema.references)});
    if (schema.metadata) value.push_back({"metadata", to_json(*schema.metadata)});
    if (schema.rules) value.push_back({"ruleSet", to_json(*schema.rules)});
    value.push_back({"schema", Json(schema.text)});
    value.push_back({"deleted", Json(schema.deleted)});
    return {schema_key(schema.subject, schema.version), text_of(std::move(value))};
  }
  RecordText operator()(const DropSchema& drop) const {
    return {schema_key(drop.subject, drop.version), std::nullopt};
  }
  RecordText operator()(const PutConfig& put) const {
    RecordText out{key_text("CONFIG", put.scope, 0), std::nullopt};
    if (!put.config) return out;
    JsonObject value = subject_object(put.scope);
    for (auto& member : to_json(*put.config, "compatibilityLevel"))
      value.push_back(std::move(member));
    out.value = text_of(std::move(value));
    return out;
  }
  RecordText operator()(const PutMode& put) const {
    RecordText out{key_text("MODE", put.scope, 0), std::nullopt};
    if (!put.mode) return out;
    JsonObject value = subject_object(put.scope);
    value.push_back({"mode", Json(std::string(mode_name(*put.mode)))});
    out.value = text_of(std::move(value));
    return out;
  }
  RecordText operator()(const DeleteSubject& del) const {
    return {key_text("DELETE_SUBJECT", del.subject, 0),
            text_of({{"subject", Json(del.subject)}, {"version", number(del.up_to_version)}})};
  }
  RecordText operator()(const ClearSubject& clear) const {
    return {key_text("CLEAR_SUBJECT", clear.scope, 0), text_of(subject_object(clear.scope))};
  }
  RecordText operator()(const PutContext& put) const {
    const JsonObject names{{"tenant", Json(std::string("default"))},
                           {"context", Json(put.context)}};
    JsonObject key{{"keytype", Json(std::string("CONTEXT"))}};
    key.insert(key.end(), names.begin(), names.end());
    key.push_back({"magic", number(0)});
    RecordText out{text_of(std::move(key)), std::nullopt};
    if (!put.dropped) out.value = text_of(names);
    return out;
  }
  RecordText operator()(const PutAssociation& put) const {
    const Association& one = put.association;
    const auto text = [](const std::string& member) { return Json(member); };
    const std::string tenant = "default";
    RecordText out{text_of({{"keytype", text("ASSOC")},
                            {"tenant", text(tenant)},
                            {"resourceName", text(one.resource_name)},
                            {"resourceNamespace", text(one.resource_namespace)},
                            {"resourceType", text(one.resource_type)},
                            {"associationType", text(one.type)},
                            {"subject", text(one.subject)},
                            {"magic", number(0)}}),
                   std::nullopt};
    if (put.dropped) return out;
    out.value = text_of({{"guid", text(one.guid)},
                         {"tenant", text(tenant)},
                         {"resourceName", text(one.resource_name)},
                         {"resourceNamespace", text(one.resource_namespace)},
                         {"resourceId", text(one.resource_id)},
                         {"resourceType", text(one.resource_type)},
                         {"associationType", text(one.type)},
                         {"subject", text(one.subject)},
                         {"lifecycle", text(std::string(lifecycle_name(one.strong)))},
                         {"frozen", Json(one.frozen)}});
    return out;
  }
};

std::unexpected<Error> no_record(std::string_view what) {
  return error(Code::kInvalidArgument, "no record of a schema registry: " + std::string(what));
}

Result<int> int_member(const Json& json, std::string_view name) {
  const Json* member = json.find(name);
  constexpr std::int64_t kMax = 0x7FFFFFFF;
  if (!member || !member->integer() || *member->integer() < 0 || *member->integer() > kMax)
    return no_record("\"" + std::string(name) + "\" is missing");
  return static_cast<int>(*member->integer());
}

std::optional<Format> format_of(const Json& value) {
  const std::string* name = value.find_text("schemaType");
  if (!name) return Format::kAvro;
  for (const Format format : {Format::kAvro, Format::kJsonSchema, Format::kProtobuf}) {
    if (*name == format_name(format)) return format;
  }
  return std::nullopt;
}

Result<Change> schema_change(const Json& key, const Json* value, std::int64_t timestamp_ms) {
  const std::string* subject = key.find_text("subject");
  if (!subject) return no_record("a schema without subject");
  ASSIGN(const int version, int_member(key, "version"));
  if (!value) return Change(DropSchema{*subject, version});
  const std::string* text = value->find_text("schema");
  const auto format = format_of(*value);
  if (!format) return Change(Noop{});
  if (!text) return no_record("a schema without text");
  SchemaVersion out{.subject = *subject, .version = version, .format = *format, .text = *text};
  ASSIGN(out.id, int_member(*value, "id"));
  if (const Json* refs = value->find("references")) {
    ASSIGN(out.references, references_of(*refs));
  }
  if (const Json* metadata = value->find("metadata"); metadata && !metadata->is_null()) {
    ASSIGN(out.metadata, metadata_of(*metadata));
  }
  if (const Json* rules = value->find("ruleSet"); rules && !rules->is_null()) {
    ASSIGN(out.rules, rule_set_of(*rules));
  }
  const Json* deleted = value->find("deleted");
  out.deleted = deleted && deleted->boolean() && *deleted->boolean();
  out.timestamp_ms = timestamp_ms;
  out.fingerprint = fingerprint(out.text, out.references, out.metadata, out.rules);
  return Change(PutSchema{std::move(out)});
}

Scope scope_of(const Json& key) {
  const std::string* subject = key.find_text("subject");
  return subject ? Scope(*subject) : std::nullopt;
}

Result<Change> config_change(const Json& key, const Json* value) {
  PutConfig out{scope_of(key), std::nullopt};
  if (!value) return Change(std::move(out));
  ASSIGN(out.config, config_of(*value));
  if (const std::string* level = value->find_text("compatibilityLevel"))
    out.config->compatibility = schema::level_named(*level);
  return Change(std::move(out));
}

Result<Change> mode_change(const Json& key, const Json* value) {
  PutMode out{scope_of(key), std::nullopt};
  if (!value) return Change(std::move(out));
  const std::string* name = value->find_text("mode");
  if (name) out.mode = mode_named(*name);
  if (!out.mode) return no_record("a mode without name");
  return Change(std::move(out));
}

Result<Change> delete_change(const Json* value) {
  if (!value) return Change(Noop{});
  const std::string* subject = value->find_text("subject");
  if (!subject) return no_record("a deletion without subject");
  ASSIGN(const int version, int_member(*value, "version"));
  return Change(DeleteSubject{*subject, version});
}

Result<Change> association_change(const Json& key, const Json* value, std::int64_t timestamp_ms) {
  PutAssociation out{.association = {}, .dropped = value == nullptr};
  Association& one = out.association;
  const auto read = [](const Json& from, const char* name, std::string& to) {
    const std::string* text = from.find_text(name);
    if (text) to = *text;
    return text != nullptr;
  };
  if (!read(key, "resourceName", one.resource_name) ||
      !read(key, "resourceNamespace", one.resource_namespace) ||
      !read(key, "resourceType", one.resource_type) || !read(key, "associationType", one.type) ||
      !read(key, "subject", one.subject))
    return no_record("an association's key lacks a name");
  if (!value) return Change(std::move(out));
  std::string lifecycle;
  if (!read(*value, "guid", one.guid) || !read(*value, "resourceId", one.resource_id) ||
      !read(*value, "lifecycle", lifecycle) || !is_strong(lifecycle))
    return no_record("an association lacks a member");
  one.strong = *is_strong(lifecycle);
  const Json* frozen = value->find("frozen");
  one.frozen = frozen && frozen->boolean() ? *frozen->boolean() : one.strong;
  one.created_ms = one.updated_ms = timestamp_ms;
  return Change(std::move(out));
}

Result<std::optional<bool>> flag_of(const Json& json, std::string_view name) {
  const Json* member = json.find(name);
  if (!member || member->is_null()) return std::nullopt;
  if (!member->boolean())
    return error(Code::kInvalidArgument, "\"" + std::string(name) + "\" must be true or false");
  return *member->boolean();
}

Result<std::optional<std::string>> word_of(const Json& json, std::string_view name) {
  const Json* member = json.find(name);
  if (!member || member->is_null()) return std::nullopt;
  if (!member->text())
    return error(Code::kInvalidArgument, "\"" + std::string(name) + "\" must be text");
  return *member->text();
}

template <typename T, typename Read>
Status read_part(const Json& json, std::string_view name, Read read, std::optional<T>& out) {
  const Json* member = json.find(name);
  if (!member || member->is_null()) return {};
  ASSIGN(out, read(*member));
  return {};
}

void add(JsonObject& out, const char* name, const std::optional<std::string>& text) {
  if (text && !text->empty()) out.push_back({name, Json(*text)});
}
void add(JsonObject& out, const char* name, const std::optional<bool>& flag) {
  if (flag) out.push_back({name, Json(*flag)});
}
template <typename T>
void add_part(JsonObject& out, const char* name, const std::optional<T>& part) {
  if (part) out.push_back({name, to_json(*part)});
}

}  // namespace

std::string_view mode_name(Mode mode) {
  return kModeNames[static_cast<std::size_t>(mode)];
}

std::optional<Mode> mode_named(std::string_view name) {
  std::string upper(name);
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
  const auto found = std::ranges::find(kModeNames, upper);
  if (found == kModeNames.end()) return std::nullopt;
  return static_cast<Mode>(found - kModeNames.begin());
}

RecordText encode(const Change& change) {
  return std::visit(Encoder{}, change);
}

Result<Change> decode(std::string_view key_text, std::optional<std::string_view> value_text,
                      std::int64_t timestamp_ms) {
  ASSIGN(const Json key, schema::parse_json(key_text));
  const std::string* type = key.find_text("keytype");
  if (!type) return no_record("a key without keytype");
  Json parsed;
  const Json* value = nullptr;
  if (value_text) {
    ASSIGN(parsed, schema::parse_json(*value_text));
    if (!parsed.is_null()) value = &parsed;
  }
  if (*type == "SCHEMA") return schema_change(key, value, timestamp_ms);
  if (*type == "CONFIG") return config_change(key, value);
  if (*type == "MODE") return mode_change(key, value);
  if (*type == "DELETE_SUBJECT") return delete_change(value);
  if (*type == "CLEAR_SUBJECT" && value) return Change(ClearSubject{scope_of(*value)});
  if (*type == "ASSOC") return association_change(key, value, timestamp_ms);
  if (*type == "CONTEXT") {
    const std::string* context = key.find_text("context");
    if (!context) return no_record("a context without name");
    return Change(PutContext{*context, value == nullptr});
  }
  return Change(Noop{});
}

JsonObject to_json(const Config& config, const char* level_name) {
  JsonObject out;
  add(out, "alias", config.alias);
  add(out, "aliasForDeks", config.alias_for_deks);
  add(out, "normalize", config.normalize);
  add(out, "validateFields", config.validate_fields);
  add(out, "validateNewSchemas", config.validate_new_schemas);
  add(out, "validateRules", config.validate_rules);
  if (config.compatibility)
    out.push_back({level_name, Json(std::string(schema::level_name(*config.compatibility)))});
  add(out, "compatibilityPolicy", config.compatibility_policy);
  add(out, "compatibilityGroup", config.compatibility_group);
  add_part(out, "defaultMetadata", config.default_metadata);
  add_part(out, "overrideMetadata", config.override_metadata);
  add_part(out, "defaultRuleSet", config.default_rules);
  add_part(out, "overrideRuleSet", config.override_rules);
  return out;
}

Result<Config> config_of(const Json& json) {
  if (!json.object()) return error(Code::kInvalidArgument, "a config must be an object");
  Config out;
  ASSIGN(out.alias, word_of(json, "alias"));
  ASSIGN(out.alias_for_deks, word_of(json, "aliasForDeks"));
  ASSIGN(out.normalize, flag_of(json, "normalize"));
  ASSIGN(out.validate_fields, flag_of(json, "validateFields"));
  ASSIGN(out.validate_new_schemas, flag_of(json, "validateNewSchemas"));
  ASSIGN(out.validate_rules, flag_of(json, "validateRules"));
  ASSIGN(out.compatibility_policy, word_of(json, "compatibilityPolicy"));
  ASSIGN(out.compatibility_group, word_of(json, "compatibilityGroup"));
  TRY(read_part(json, "defaultMetadata", metadata_of, out.default_metadata));
  TRY(read_part(json, "overrideMetadata", metadata_of, out.override_metadata));
  TRY(read_part(json, "defaultRuleSet", rule_set_of, out.default_rules));
  TRY(read_part(json, "overrideRuleSet", rule_set_of, out.override_rules));
  return out;
}

}  // namespace tailrace::subjects
