#include "subjects/record_rules.h"

#include <fmt/format.h>

#include <algorithm>

namespace tailrace::subjects {
namespace {

using schema::cel::Binding;
using schema::cel::Program;
using schema::cel::Record;
using schema::cel::Value;

std::string name_of(const Rule& rule) {
  return rule.name.value_or("(without a name)");
}

bool applies(const Rule& rule, RecordRules::When when) {
  return rule.mode == "WRITEREAD" ||
         rule.mode == (when == RecordRules::When::kWrite ? "WRITE" : "READ");
}

/// The action of "A", or of "A,B" by when it is.
std::string action_of(const Rule& rule, RecordRules::When when) {
  const std::string text = rule.on_failure.value_or("");
  const auto comma = text.find(',');
  if (comma == std::string::npos) return text;
  return when == RecordRules::When::kWrite ? text.substr(0, comma) : text.substr(comma + 1);
}

/// As Avro names the types of values that have no parts; "" for others.
std::string_view avro_type(const Value& value) {
  if (value.get<std::string>()) return "STRING";
  if (value.get<std::int64_t>()) return "LONG";
  if (value.get<double>()) return "DOUBLE";
  if (value.get<bool>()) return "BOOLEAN";
  if (value.get<schema::cel::Bytes>()) return "BYTES";
  return "";
}

}  // namespace

Result<RecordRules::Compiled> RecordRules::compile(const Rule& rule, When when,
                                                   const Type& message) {
  const auto refuse = [](const std::string& why) { return error(Code::kUnimplemented, why); };
  const bool each_field = rule.type == "CEL_FIELD";
  if (rule.kind != "CONDITION") return refuse("its kind is " + rule.kind);
  if (rule.type != "CEL" && !each_field) return refuse("its type is " + rule.type.value_or("none"));
  if (!rule.expr) return refuse("it has no expression");
  if (!rule.tags.empty()) return refuse("fields' tags are not known here");
  std::vector<schema::cel::Variable> variables = {{"message", message}};
  if (each_field) {
    variables.push_back({"value"});
    variables.push_back({"name", arrow::utf8()});
    variables.push_back({"typeName", arrow::utf8()});
  }
  std::string_view body = *rule.expr;
  std::optional<Program> guard;
  const auto ignores = rule.params.find("cel.ignore.guard.separator");
  const bool whole = ignores != rule.params.end() && ignores->second == "true";
  if (const auto end = body.find(';'); !whole && end != std::string_view::npos) {
    const std::string_view before = body.substr(0, end);
    body.remove_prefix(end + 1);
    if (before.find_first_not_of(" \t\r\n") != std::string_view::npos) {
      ASSIGN(guard, Program::compile(before, variables, true));
    }
  }
  ASSIGN(Program program, Program::compile(body, variables, true));
  return Compiled{.name = name_of(rule),
                  .expr = *rule.expr,
                  .each_field = each_field,
                  .passes = action_of(rule, when) == "NONE",
                  .guard = std::move(guard),
                  .body = std::move(program)};
}

RecordRules RecordRules::make(const std::optional<RuleSet>& rules, When when, const Type& message) {
  RecordRules made;
  if (!rules) return made;
  for (const Rule& rule : rules->domain) {
    if (rule.disabled || !applies(rule, when)) continue;
    auto compiled = compile(rule, when, message);
    if (compiled)
      made.rules_.push_back(std::move(*compiled));
    else
      made.kept_.push_back(fmt::format("rule {} is kept and not evaluated: {}", name_of(rule),
                                       compiled.error().what));
  }
  if (when == When::kRead) std::ranges::reverse(made.rules_);
  return made;
}

std::optional<std::string> RecordRules::broken(const Value& message) {
  if (message.is_null()) return std::nullopt;
  for (Compiled& rule : rules_) {
    const auto why = fault(rule, message);
    if (why && !rule.passes) return fmt::format("rule {}: {}", rule.name, *why);
  }
  return std::nullopt;
}

namespace {

/// Whether the guard lets the rule be asked.
bool asks(std::optional<Program>& guard, std::span<const Binding> bindings) {
  if (!guard) return true;
  const auto result = guard->evaluate(bindings);
  return result && result->get<bool>() && *result->get<bool>();
}

std::optional<std::string> outcome(const Result<Value>& result, const std::string& expr,
                                   const std::string& of) {
  if (!result) return fmt::format("{} cannot be evaluated{}: {}", expr, of, result.error().what);
  if (const bool* holds = result->get<bool>(); holds && !*holds)
    return fmt::format("{} is false{}", expr, of);
  return std::nullopt;
}

}  // namespace

std::optional<std::string> RecordRules::fault(Compiled& rule, const Value& message) {
  if (!rule.each_field) {
    const Binding bindings[] = {{"message", &message}};
    if (!asks(rule.guard, bindings)) return std::nullopt;
    return outcome(rule.body.evaluate(bindings), rule.expr, "");
  }
  if (const Record* record = message.record())
    for (const auto& [name, value] : record->fields)
      if (auto why = field_fault(rule, name, value, message)) return why;
  if (const auto* map = message.map())
    for (const auto& [key, value] : *map)
      if (const auto* name = key.get<std::string>())
        if (auto why = field_fault(rule, *name, value, message)) return why;
  return std::nullopt;
}

std::optional<std::string> RecordRules::field_fault(Compiled& rule, const std::string& name,
                                                    const Value& value, const Value& message) {
  if (value.record() || value.map()) return fault(rule, value);
  if (const auto* list = value.list()) {
    for (const Value& item : *list)
      if (auto why = field_fault(rule, name, item, message)) return why;
    return std::nullopt;
  }
  const std::string_view type = avro_type(value);
  if (type.empty()) return std::nullopt;
  const Value name_value(name), type_value{std::string(type)};
  const Binding bindings[] = {
      {"message", &message}, {"value", &value}, {"name", &name_value}, {"typeName", &type_value}};
  if (!asks(rule.guard, bindings)) return std::nullopt;
  return outcome(rule.body.evaluate(bindings), rule.expr, " for the field " + name);
}

}  // namespace tailrace::subjects
