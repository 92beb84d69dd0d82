#include "workflows/params.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "schema/json_schema/validator.h"

namespace tailrace::workflows {
namespace {

namespace json_schema = schema::json_schema;

/// ParamsDict.deep_merge: mappings member by member, all else as `over` says.
jinja::Value merged(const jinja::Value& under, const jinja::Value& over) {
  if (under.dict() == nullptr || over.dict() == nullptr) return over;
  jinja::Dict all = *under.dict();
  for (const auto& [name, value] : over.dict()->items()) {
    const jinja::Value* before = all.find(name);
    all.set(name, before != nullptr ? merged(*before, value) : value);
  }
  return all;
}

std::unexpected<Error> bad(const std::string& name, const std::string& why) {
  return error(Code::kInvalidArgument, fmt::format("Invalid input for param {}: {}", name, why));
}

Status check(const dags::Param& param, const jinja::Value& value) {
  if (value.is_undefined())
    return bad(param.name, "No value passed and Param has no default value");
  const jinja::Dict* keywords = param.schema.dict();
  if (keywords == nullptr || keywords->size() == 0) return {};
  jinja::Dict whole;
  if (keywords->find("$schema") == nullptr)
    whole.set("$schema", "https://json-schema.org/draft/2020-12/schema");
  for (const auto& [name, keyword] : keywords->items()) whole.set(name, keyword);
  ASSIGN(const std::string schema_text, jinja::to_json(jinja::Value(std::move(whole))));
  auto parsed = json_schema::JsonSchema::parse(schema_text);
  if (!parsed) return bad(param.name, "its schema is none: " + parsed.error().what);
  auto rules = json_schema::Validator::compile(*parsed, json_schema::Formats::kAsserted);
  if (!rules) return bad(param.name, rules.error().what);
  ASSIGN(const std::string text, jinja::to_json(value));
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  if (parser.parse(text).get(document) != simdjson::SUCCESS)
    return bad(param.name, "it is no JSON");
  if (const auto violation = rules->check(document)) {
    return bad(param.name, fmt::format("{} {}", text.size() > 200 ? "the value" : text,
                                       json_schema::message_of(*violation)));
  }
  return {};
}

}  // namespace

Status check_params(const dags::Dag& dag, const jinja::Value& conf) {
  for (const dags::Param& param : dag.params) {
    const jinja::Value* given = conf.dict() != nullptr ? conf.dict()->find(param.name) : nullptr;
    TRY(check(param, given == nullptr                ? param.value
                     : param.value.dict() != nullptr ? merged(param.value, *given)
                                                     : *given));
  }
  return {};
}

}  // namespace tailrace::workflows
