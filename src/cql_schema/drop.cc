// DROP of all kinds, and what refuses it.
#include <algorithm>

#include "cql_schema/draft.h"
#include "cql_schema/refusal.h"
#include "cql_schema/types.h"

namespace tailrace::cql_schema {
namespace {

using cql_syntax::Drop;
using Target = Event::Target;

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

template <typename... Arguments>
DraftOutcome missing(const Drop& statement, fmt::format_string<Arguments...> text,
                     Arguments&&... arguments) {
  if (statement.if_exists) return Draft{};
  return invalid(text, std::forward<Arguments>(arguments)...);
}

DraftOutcome drop_keyspace(const Drop& statement, const Keyspace* keyspace) {
  const auto& name = statement.name.name;
  if (!keyspace) return missing(statement, "Keyspace '{}' doesn't exist", name);
  Draft draft;
  draft.gone = true;
  draft.event = {Event::Change::kDropped, Target::kKeyspace, name, "", {}};
  return draft;
}

DraftOutcome drop_table(const Drop& statement, const std::string& in, const Keyspace* keyspace,
                        const TablePtr& table) {
  const auto& name = statement.name.name;
  if (!table) return missing(statement, "Table '{}.{}' doesn't exist", in, name);
  if (table->view)
    return invalid(
        "Cannot use DROP TABLE on a materialized view. Please use DROP MATERIALIZED VIEW instead.");
  // Cassandra's sentence has one place for two words, so the keyspace is told instead of the views.
  if (!views_of(*keyspace, name).empty())
    return invalid("Cannot drop a table when materialized views still depend on it ({})", in);
  auto draft = updated(*keyspace, Event::Change::kDropped, Target::kTable, name);
  draft.keyspace->tables.erase(name);
  return draft;
}

DraftOutcome drop_view(const Drop& statement, const std::string& in, const Keyspace* keyspace,
                       const TablePtr& table) {
  const auto& name = statement.name.name;
  if (!table || !table->view)
    return missing(statement, "Materialized view '{}.{}' doesn't exist", in, name);
  auto draft = updated(*keyspace, Event::Change::kDropped, Target::kTable, name);
  draft.keyspace->tables.erase(name);
  return draft;
}

DraftOutcome drop_index(const Drop& statement, const std::string& in, const Keyspace* keyspace) {
  const auto& name = statement.name.name;
  if (keyspace)
    for (const auto& [table_name, table] : keyspace->tables) {
      const auto& indexes = table->indexes;
      if (std::none_of(indexes.begin(), indexes.end(),
                       [&](const Index& one) { return one.name == name; }))
        continue;
      auto made = std::make_shared<Table>(*table);
      std::erase_if(made->indexes, [&](const Index& one) { return one.name == name; });
      auto draft = updated(*keyspace, Event::Change::kUpdated, Target::kTable, table_name);
      draft.keyspace->tables[table_name] = std::move(made);
      return draft;
    }
  return missing(statement, "Index '{}.{}' doesn't exist'", in, name);
}

DraftOutcome drop_type(const Drop& statement, const std::string& in, const Keyspace* keyspace) {
  const auto& name = statement.name.name;
  if (!keyspace || !keyspace->types.contains(name))
    return missing(statement, "Type '{}.{}' doesn't exist", in, name);
  std::vector<std::string> users;
  for (const auto& [other, type] : keyspace->types)
    if (other != name && uses(*type, name)) users.push_back(other);
  if (!users.empty())
    return invalid("Cannot drop user type '{}.{}' as it is still used by user types {}", in, name,
                   joined(users));
  for (const auto& [other, table] : keyspace->tables)
    if (!table->view && std::any_of(table->columns.begin(), table->columns.end(),
                                    [&](const Column& column) { return uses(*column.type, name); }))
      users.push_back(other);
  if (!users.empty())
    return invalid("Cannot drop user type '{}.{}' as it is still used by tables {}", in, name,
                   joined(users));
  auto draft = updated(*keyspace, Event::Change::kDropped, Target::kType, name);
  draft.keyspace->types.erase(name);
  return draft;
}

// There are no functions and no aggregates.
DraftOutcome drop_function(const Drop& statement, const std::string& in, const Keyspace* keyspace) {
  const auto* what = statement.kind == Drop::Kind::kFunction ? "Function" : "Aggregate";
  auto name = in + "." + statement.name.name;
  if (statement.arguments) {
    std::vector<std::string> types;
    for (const auto& type : *statement.arguments) {
      ASSIGN(const auto raw, raw_type(type));
      types.push_back(raw.text());
    }
    name += "(" + joined(types) + ")";
  }
  if (keyspace && statement.arguments)
    for (const auto& type : *statement.arguments) {
      ASSIGN(const auto raw, raw_type(type));
      const bool always =
          raw.kind == cql_types::Kind::kTuple || raw.kind == cql_types::Kind::kVector;
      if (!always && raw.frozen)
        return invalid("Argument '{0}' cannot be frozen; remove frozen<> modifier from '{0}'",
                       raw.text());
      TRY(resolved(raw, *keyspace));
    }
  return missing(statement, "{} '{}' doesn't exist", what, name);
}

}  // namespace

DraftOutcome drop(const Drop& statement, const std::string& in, Scene& scene) {
  const auto* keyspace = scene.schema.keyspace(in);
  const auto table = scene.schema.table(in, statement.name.name);
  switch (statement.kind) {
    case Drop::Kind::kKeyspace:
      return drop_keyspace(statement, keyspace);
    case Drop::Kind::kTable:
      return drop_table(statement, in, keyspace, table);
    case Drop::Kind::kView:
      return drop_view(statement, in, keyspace, table);
    case Drop::Kind::kIndex:
      return drop_index(statement, in, keyspace);
    case Drop::Kind::kType:
      return drop_type(statement, in, keyspace);
    case Drop::Kind::kFunction:
    case Drop::Kind::kAggregate:
      return drop_function(statement, in, keyspace);
  }
  return Draft{};
}

}  // namespace tailrace::cql_schema
