// Functions, aggregates and triggers: user code does not run here, and is refused as a Cassandra
// refuses it that does not allow it.
#include "cql_schema/draft.h"
#include "cql_schema/refusal.h"
#include "cql_schema/types.h"

namespace tailrace::cql_schema {
namespace {

using cql_types::Outcome;

// frozen<> is for what is in types, not for arguments.
Outcome<void> check_argument(const cql_syntax::Type& type, std::string_view what) {
  ASSIGN(const auto raw, raw_type(type));
  const bool always = raw.kind == cql_types::Kind::kTuple || raw.kind == cql_types::Kind::kVector;
  if (always || !raw.frozen) return {};
  return invalid("{0} '{1}' cannot be frozen; remove frozen<> modifier from '{1}'", what,
                 raw.text());
}

std::string signature(const std::string& name, const std::vector<std::string>& types) {
  std::string text;
  for (const auto& type : types) text += (text.empty() ? "" : ", ") + type;
  return name + "(" + text + ")";
}

}  // namespace

DraftOutcome create_function(const cql_syntax::CreateFunction& statement, const std::string&,
                             Scene&) {
  if (statement.if_not_exists && statement.or_replace)
    return invalid("Cannot use both 'OR REPLACE' and 'IF NOT EXISTS' directives");
  return invalid(
      "User-defined functions are disabled in cassandra.yaml - set "
      "user_defined_functions_enabled=true to enable");
}

DraftOutcome create_aggregate(const cql_syntax::CreateAggregate& statement,
                              const std::string& keyspace_name, Scene& scene) {
  const auto* keyspace = scene.schema.keyspace(keyspace_name);
  if (!keyspace) return misconfigured("Keyspace {} doesn't exist", keyspace_name);
  if (statement.if_not_exists && statement.or_replace)
    return invalid("Cannot use both 'OR REPLACE' and 'IF NOT EXISTS' directives");
  if (!is_plain_name(statement.name.name))
    return invalid("Aggregate name '{}' is invalid", statement.name.name);
  for (const auto& argument : statement.arguments) TRY(check_argument(argument, "Argument"));
  TRY(check_argument(statement.state_type, "State type"));
  std::vector<std::string> types;
  ASSIGN(const auto state, raw_type(statement.state_type));
  types.push_back(state.text());
  for (const auto& argument : statement.arguments) {
    ASSIGN(const auto raw, raw_type(argument));
    TRY(resolved(raw, *keyspace));
    types.push_back(raw.text());
  }
  TRY(resolved(state, *keyspace));
  // There are no functions, so there is none that an aggregate could be made of.
  return invalid("State function {} doesn't exist",
                 signature(keyspace_name + "." + statement.state_function, types));
}

DraftOutcome create_trigger(const cql_syntax::CreateTrigger& statement,
                            const std::string& keyspace_name, Scene& scene) {
  if (!scene.schema.keyspace(keyspace_name))
    return invalid("Keyspace '{}' doesn't exist", keyspace_name);
  const auto table = scene.schema.table(keyspace_name, statement.table.name);
  if (!table) return invalid("Table '{}' doesn't exist", statement.table.name);
  if (table->view) return invalid("Cannot CREATE TRIGGER for a materialized view");
  return invalid("Trigger class '{}' couldn't be loaded", statement.class_name);
}

DraftOutcome drop_trigger(const cql_syntax::DropTrigger& statement,
                          const std::string& keyspace_name, Scene&) {
  if (statement.if_exists) return Draft{};
  return invalid("Trigger '{}' on '{}.{}' doesn't exist", statement.name, keyspace_name,
                 statement.table.name);
}

}  // namespace tailrace::cql_schema
