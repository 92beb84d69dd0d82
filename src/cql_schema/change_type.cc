// CREATE and ALTER TYPE. A changed type is at once in all that uses it: types, tables, functions.
#include <algorithm>

#include "cql_schema/draft.h"
#include "cql_schema/java_order.h"
#include "cql_schema/refusal.h"
#include "cql_schema/types.h"

namespace tailrace::cql_schema {
namespace {

using cql_syntax::AlterType;
using cql_types::Kind;
using cql_types::Outcome;
using cql_types::RawType;

Outcome<void> check_field(const RawType& raw) {
  if (raw.kind == Kind::kCounter) return invalid("A user type cannot contain counters");
  if (raw.kind == Kind::kUserType && !raw.frozen)
    return invalid("A user type cannot contain non-frozen UDTs");
  return {};
}

std::string whole_name(const cql_types::Type& type) {
  return cql_types::quoted_if_needed(type.keyspace) + "." + cql_types::quoted_if_needed(type.name);
}

TypePtr changed_type(const cql_types::Type& before, std::vector<std::string> names,
                     std::vector<TypePtr> types) {
  return cql_types::user_type(before.keyspace, before.name, std::move(names), std::move(types),
                              false);
}

std::vector<std::string> partition_keys_using(const Keyspace& keyspace, const std::string& type) {
  std::vector<std::string> tables;
  // Tables before views, as Cassandra has them.
  for (const bool views : {false, true})
    for (const auto& [name, table] : keyspace.tables) {
      if (table->view.has_value() != views) continue;
      for (int i = 0; i < table->partition_columns; ++i)
        if (uses(*table->partition_column(i).type, type)) {
          tables.push_back(table->text());
          break;
        }
    }
  return tables;
}

Outcome<TypePtr> with_field(const AlterType& statement, const Keyspace& keyspace,
                            const TypePtr& type) {
  ASSIGN(const auto raw, raw_type(statement.field.type));
  TRY(check_field(raw));
  const auto& field = statement.field.name;
  const auto name = whole_name(*type);
  const auto& names = type->field_names;
  if (std::find(names.begin(), names.end(), field) != names.end()) {
    if (statement.if_field) return type;
    return invalid("Cannot add field {0} to type {1}: a field with name {0} already exists", field,
                   name);
  }
  ASSIGN(auto made, resolved(raw, keyspace));
  if (uses(*made, type->name))
    return invalid(
        "Cannot add new field {} of type {} to user type {} as it would create a circular "
        "reference",
        field, in_keyspace(raw, keyspace.name).text(), name);
  const auto tables = partition_keys_using(keyspace, type->name);
  if (!tables.empty()) {
    const auto list = java_list(tables);
    return invalid(
        "Cannot add new field {} of type {} to user type {} as the type is being used in partition "
        "key by the following tables: {}",
        field, in_keyspace(raw, keyspace.name).text(), name, list.substr(1, list.size() - 2));
  }
  auto field_names = type->field_names;
  auto field_types = type->parameters;
  field_names.push_back(field);
  field_types.push_back(std::move(made));
  return changed_type(*type, std::move(field_names), std::move(field_types));
}

Outcome<TypePtr> with_renamed(const AlterType& statement, const TypePtr& type) {
  auto names = type->field_names;
  std::map<std::string, std::string> renamed;
  for (const auto& [from, to] : statement.renamed) renamed[from] = to;
  for (const auto& from : java_order(keys_of(renamed))) {
    const auto at = std::find(type->field_names.begin(), type->field_names.end(), from);
    if (at == type->field_names.end()) {
      if (statement.if_field) continue;
      return invalid("Unkown field {} in user type {}", from, whole_name(*type));
    }
    names[static_cast<std::size_t>(at - type->field_names.begin())] = renamed[from];
  }
  for (const auto& name : names)
    if (std::count(names.begin(), names.end(), name) > 1)
      return invalid("Duplicate field name {} in type {}", name, type->keyspace);
  return changed_type(*type, std::move(names), type->parameters);
}

void replace_type(Keyspace& keyspace, const TypePtr& changed) {
  for (auto& [name, type] : keyspace.types)
    type = name == changed->name ? changed : with_user_type(type, changed);
  for (auto& [name, table] : keyspace.tables) {
    const bool affected =
        std::any_of(table->columns.begin(), table->columns.end(),
                    [&](const Column& column) { return uses(*column.type, changed->name); });
    if (!affected) continue;
    auto made = std::make_shared<Table>(*table);
    for (auto& column : made->columns) column.type = with_user_type(column.type, changed);
    table = std::move(made);
  }
  for (auto& function : keyspace.functions) {
    for (auto& type : function.argument_types) type = with_user_type(type, changed);
    function.returns = with_user_type(function.returns, changed);
  }
  for (auto& aggregate : keyspace.aggregates) {
    for (auto& type : aggregate.argument_types) type = with_user_type(type, changed);
    aggregate.state_type = with_user_type(aggregate.state_type, changed);
    aggregate.returns = with_user_type(aggregate.returns, changed);
  }
}

}  // namespace

DraftOutcome create_type(const cql_syntax::CreateType& statement, const std::string& keyspace_name,
                         Scene& scene) {
  const auto* keyspace = scene.schema.keyspace(keyspace_name);
  if (!keyspace) return invalid("Keyspace '{}' doesn't exist", keyspace_name);
  const auto& name = statement.name.name;
  if (keyspace->types.contains(name)) {
    if (statement.if_not_exists) return Draft{};
    return invalid("A user type with name '{}' already exists", name);
  }
  std::vector<std::string> names;
  for (const auto& field : statement.fields) {
    if (std::find(names.begin(), names.end(), field.name) != names.end())
      return invalid("Duplicate field name '{}' in type '{}'", field.name, name);
    names.push_back(field.name);
  }
  std::vector<RawType> raws;
  for (const auto& field : statement.fields) {
    ASSIGN(auto raw, raw_type(field.type));
    TRY(check_field(raw));
    raws.push_back(std::move(raw));
  }
  std::vector<TypePtr> types;
  for (const auto& raw : raws) {
    ASSIGN(auto made, resolved(raw, *keyspace));
    types.push_back(std::move(made));
  }
  auto draft = updated(*keyspace, Event::Change::kCreated, Event::Target::kType, name);
  draft.keyspace->types[name] =
      cql_types::user_type(keyspace_name, name, std::move(names), std::move(types), false);
  return draft;
}

DraftOutcome alter_type(const AlterType& statement, const std::string& keyspace_name,
                        Scene& scene) {
  const auto type = scene.schema.type(keyspace_name, statement.name.name);
  if (!type) {
    if (statement.if_exists) return Draft{};
    return invalid("Type {}.{} doesn't exist", keyspace_name, statement.name.name);
  }
  const auto& keyspace = *scene.schema.keyspace(keyspace_name);
  TypePtr changed;
  switch (statement.kind) {
    case AlterType::Kind::kAlter:
      return invalid("Altering field types is no longer supported");
    case AlterType::Kind::kAdd: {
      ASSIGN(changed, with_field(statement, keyspace, type));
      break;
    }
    case AlterType::Kind::kRename: {
      ASSIGN(changed, with_renamed(statement, type));
      break;
    }
  }
  auto draft = updated(keyspace, Event::Change::kUpdated, Event::Target::kType, type->name);
  replace_type(*draft.keyspace, changed);
  return draft;
}

}  // namespace tailrace::cql_schema
