// CREATE TABLE.
#include <algorithm>

#include "cql_schema/draft.h"
#include "cql_schema/java_order.h"
#include "cql_schema/refusal.h"
#include "cql_schema/table_options.h"
#include "cql_schema/types.h"

namespace tailrace::cql_schema {
namespace {

using cql_syntax::CreateTable;
using cql_types::Kind;
using cql_types::Outcome;

const Column* find(const std::vector<Column>& columns, const std::string& name) {
  for (const auto& column : columns)
    if (column.name == name) return &column;
  return nullptr;
}

// All columns by name, their kinds not yet told but for static ones.
Outcome<std::vector<Column>> typed_columns(const CreateTable& statement, const Keyspace& keyspace) {
  std::vector<const cql_syntax::Column*> by_name;
  for (const auto& one : statement.columns) by_name.push_back(&one);
  // Cassandra keeps them in a HashMap until here: the first that is wrong in its order is told.
  std::vector<std::string> names;
  for (const auto& one : statement.columns) names.push_back(one.name);
  std::vector<Column> columns;
  for (const auto& name : java_order(names)) {
    const auto& one = **std::find_if(by_name.begin(), by_name.end(),
                                     [&](const auto* column) { return column->name == name; });
    Column made;
    made.name = one.name;
    ASSIGN(const auto raw, raw_type(one.type));
    ASSIGN(made.type, resolved(raw, keyspace));
    made.kind = one.is_static ? ColumnKind::kStatic : ColumnKind::kRegular;
    if (one.mask) {
      ASSIGN(made.mask, made_mask(*one.mask, one.name, *made.type));
    }
    columns.push_back(std::move(made));
  }
  std::sort(columns.begin(), columns.end(),
            [](const Column& a, const Column& b) { return a.name < b.name; });
  for (const auto& column : columns) {
    if (column.type->kind != Kind::kUserType || column.type->frozen) continue;
    for (const auto& field : column.type->parameters)
      if (field->is_multi_cell())
        return invalid("Non-frozen UDTs with nested non-frozen collections are not supported");
  }
  return columns;
}

Outcome<void> check_key_column(const Column& column) {
  const auto& type = *column.type;
  if (type.is_multi_cell()) {
    const auto* what = cql_types::is_collection(type.kind) ? "collection" : "user-defined";
    // A user type is told with its keyspace, and both are quoted as one name.
    const auto text = type.kind == Kind::kUserType
                          ? cql_types::quoted_if_needed(type.keyspace + "." + type.name)
                          : to_cql(type);
    return invalid("Invalid non-frozen {} type {} for PRIMARY KEY column '{}'", what, text,
                   column.name);
  }
  if (type.kind == Kind::kCounter)
    return invalid("counter type is not supported for PRIMARY KEY column '{}'", column.name);
  if (uses_duration(type))
    return invalid("duration type is not supported for PRIMARY KEY column '{}'", column.name);
  if (column.kind == ColumnKind::kStatic)
    return invalid("Static column '{}' cannot be part of the PRIMARY KEY", column.name);
  return {};
}

Outcome<void> check_key(const CreateTable& statement, const std::vector<Column>& columns) {
  std::vector<std::string> seen;
  auto names = statement.primary_key->partition;
  names.insert(names.end(), statement.primary_key->clustering.begin(),
               statement.primary_key->clustering.end());
  for (const auto& name : names) {
    const auto* column = find(columns, name);
    if (!column)
      return invalid("Unknown column '{}' referenced in PRIMARY KEY for table '{}'", name,
                     statement.name.name);
    if (std::find(seen.begin(), seen.end(), name) != seen.end())
      return invalid("Duplicate column '{}' in PRIMARY KEY clause for table '{}'", name,
                     statement.name.name);
    seen.push_back(name);
    TRY(check_key_column(*column));
  }
  return {};
}

Outcome<void> check_order(const CreateTable& statement) {
  const auto& clustering = statement.primary_key->clustering;
  const auto& order = statement.options.clustering_order;
  std::vector<std::string> others;
  for (const auto& one : order)
    if (std::find(clustering.begin(), clustering.end(), one.column) == clustering.end())
      others.push_back(one.column);
  if (!others.empty())
    return invalid(
        "Only clustering key columns can be defined in CLUSTERING ORDER directive: {} are not "
        "clustering columns",
        java_list(others));
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto& expected = clustering[i];
    if (order[i].column == expected) continue;
    const bool later = std::any_of(order.begin(), order.end(),
                                   [&](const auto& one) { return one.column == expected; });
    if (!later) return invalid("Missing CLUSTERING ORDER for column {}", expected);
    return invalid(
        "The order of columns in the CLUSTERING ORDER directive must match that of the clustering "
        "columns ({} must appear before {})",
        expected, order[i].column);
  }
  return {};
}

Outcome<void> check_compact(const CreateTable& statement, const std::vector<Column>& others) {
  for (const auto& column : others)
    if (column.type->is_multi_cell())
      return invalid("Non-frozen collections and UDTs are not supported with COMPACT STORAGE");
  if (std::any_of(others.begin(), others.end(),
                  [](const Column& one) { return one.kind == ColumnKind::kStatic; }))
    return invalid("Static columns are not supported in COMPACT STORAGE tables");
  if (statement.primary_key->clustering.empty()) {
    if (others.empty()) return invalid("No definition found that is not part of the PRIMARY KEY");
    return {};
  }
  if (others.size() > 1) {
    std::string names;
    for (const auto& column : others) names += (names.empty() ? "" : ", ") + column.name;
    return invalid(
        "COMPACT STORAGE with composite PRIMARY KEY allows no more than one column not part of the "
        "PRIMARY KEY (got: {})",
        names);
  }
  return {};
}

// Moves the key's columns out of `columns` to the front of the table.
void place_key(const CreateTable& statement, std::vector<Column>& columns, Table& table) {
  const auto place = [&](const std::vector<std::string>& names, ColumnKind kind) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto at = std::find_if(columns.begin(), columns.end(),
                                   [&](const Column& one) { return one.name == names[i]; });
      at->kind = kind;
      at->position = static_cast<int>(i);
      for (const auto& order : statement.options.clustering_order)
        if (order.column == names[i]) at->descending = order.descending;
      table.columns.push_back(std::move(*at));
      columns.erase(at);
    }
  };
  place(statement.primary_key->partition, ColumnKind::kPartitionKey);
  place(statement.primary_key->clustering, ColumnKind::kClustering);
  table.partition_columns = static_cast<int>(statement.primary_key->partition.size());
  table.clustering_columns = static_cast<int>(statement.primary_key->clustering.size());
}

Outcome<void> check_counters(const CreateTable& statement, const std::vector<Column>& others,
                             Table& table) {
  table.counter = std::any_of(
      statement.columns.begin(), statement.columns.end(), [](const cql_syntax::Column& one) {
        return one.type.kind == cql_syntax::Type::Kind::kNative && one.type.name == "counter";
      });
  if (!table.counter) return {};
  for (const auto& column : others)
    if (column.type->kind != Kind::kCounter)
      return invalid("Cannot mix counter and non counter columns in the same table");
  if (table.options.default_time_to_live > 0)
    return invalid("Cannot set default_time_to_live on a table with counters");
  return {};
}

Outcome<void> check_duplicates(const CreateTable& statement) {
  const auto& name = statement.name;
  const auto text = name.keyspace ? *name.keyspace + "." + name.name : name.name;
  std::vector<std::string> seen;
  for (const auto& column : statement.columns) {
    if (std::find(seen.begin(), seen.end(), column.name) != seen.end())
      return invalid("Duplicate column '{}' declaration for table '{}'", column.name, text);
    seen.push_back(column.name);
  }
  seen.clear();
  for (const auto& order : statement.options.clustering_order) {
    if (std::find(seen.begin(), seen.end(), order.column) != seen.end())
      return invalid("Duplicate column '{}' in CLUSTERING ORDER BY clause for table '{}'",
                     order.column, text);
    seen.push_back(order.column);
  }
  return {};
}

}  // namespace

Outcome<Table> built_table(const CreateTable& statement, const Keyspace& keyspace) {
  const Properties given(statement.options.properties);
  TRY(check_options(given));
  Table table;
  table.keyspace = keyspace.name;
  table.name = statement.name.name;
  ASSIGN(table.options, built_options(given, default_options()));
  ASSIGN(auto columns, typed_columns(statement, keyspace));
  TRY(check_key(statement, columns));
  TRY(check_order(statement));
  place_key(statement, columns, table);
  if (statement.options.compact_storage) {
    TRY(check_compact(statement, columns));
  } else if (table.clustering_columns == 0 &&
             std::any_of(columns.begin(), columns.end(),
                         [](const Column& one) { return one.kind == ColumnKind::kStatic; })) {
    return invalid(
        "Static columns are only useful (and thus allowed) if the table has at least one "
        "clustering column");
  }
  TRY(check_counters(statement, columns, table));
  ASSIGN(auto id, given_id(given));
  if (id) table.id = std::move(*id);
  table.compact = statement.options.compact_storage;
  std::stable_sort(columns.begin(), columns.end(), comes_before);
  for (auto& column : columns) table.columns.push_back(std::move(column));
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    table.columns[i].number = ColumnNumber(static_cast<std::uint32_t>(i + 1));
  return table;
}

DraftOutcome create_table(const CreateTable& statement, const std::string& keyspace_name,
                          Scene& scene) {
  TRY(check_duplicates(statement));
  // Options that are no options at all are told before anything else.
  TRY(built_options(Properties(statement.options.properties), default_options()));
  const bool masked = std::any_of(statement.columns.begin(), statement.columns.end(),
                                  [](const auto& column) { return column.mask.has_value(); });
  if (masked && !scene.now.dynamic_data_masking) return masks_are_off();
  const auto* keyspace = scene.schema.keyspace(keyspace_name);
  if (!keyspace) return invalid("Keyspace '{}' doesn't exist", keyspace_name);
  const auto found = keyspace->tables.find(statement.name.name);
  if (found != keyspace->tables.end() && !found->second->view) {
    if (statement.if_not_exists) return Draft{};
    cql_types::Failure failed(
        cql_types::ErrorCode::kAlreadyExists,
        fmt::format("Cannot add already existing table \"{}\" to keyspace \"{}\"",
                    statement.name.name, keyspace_name));
    failed.keyspace = keyspace_name;
    failed.name = statement.name.name;
    return std::unexpected(std::move(failed));
  }
  ASSIGN(auto table, built_table(statement, *keyspace));
  std::vector<std::string> warnings;
  TRY(check_table(table, warnings));
  if (found != keyspace->tables.end())
    return misconfigured("Cannot add table {}: a materialized view has this name", table.text());
  if (table.id.empty()) table.id = scene.now.new_id();
  table.number = scene.take_number();
  auto draft =
      updated(*keyspace, Event::Change::kCreated, Event::Target::kTable, statement.name.name);
  draft.keyspace->tables[statement.name.name] = std::make_shared<Table>(std::move(table));
  return draft;
}

}  // namespace tailrace::cql_schema
