// CREATE and ALTER MATERIALIZED VIEW.
#include <algorithm>
#include <set>

#include "cql_schema/draft.h"
#include "cql_schema/java_order.h"
#include "cql_schema/refusal.h"
#include "cql_schema/table_options.h"
#include "cql_schema/types.h"
#include "cql_types/class_name.h"

namespace tailrace::cql_schema {
namespace {

using cql_syntax::CreateView;
using cql_syntax::Expression;
using cql_syntax::Operator;
using cql_syntax::Relation;
using cql_types::Outcome;

constexpr const char* kUsageWarning =
    "Materialized views are experimental and are not recommended for production use.";

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string joined(const std::vector<std::string>& names, std::string_view between = ", ") {
  std::string text;
  for (const auto& name : names) {
    if (!text.empty()) text += between;
    text += name;
  }
  return text;
}

Outcome<const Column*> existing(const Table& table, const std::string& name) {
  const int at = table.find(name);
  if (at < 0)
    return invalid("Undefined column name {} in table {}", cql_types::quoted_if_needed(name),
                   table.text());
  return &table.columns[static_cast<std::size_t>(at)];
}

Outcome<std::vector<std::string>> selected(const CreateView& statement, const Table& table) {
  std::vector<std::string> names;
  if (statement.selectors.empty())
    for (const auto& column : table.columns) names.push_back(column.name);
  for (const auto& selector : statement.selectors) {
    const auto text = cql_syntax::print(selector.expression);
    if (!selector.alias.empty())
      return invalid("Cannot use aliases when defining a materialized view (got {} AS {})", text,
                     cql_types::quoted_if_needed(selector.alias));
    if (selector.expression.kind != Expression::Kind::kColumn)
      return invalid("Can only select columns by name when defining a materialized view (got {})",
                     text);
    ASSIGN(const auto* column, existing(table, selector.expression.text));
    if (!contains(names, column->name)) names.push_back(column->name);
  }
  for (const auto& name : java_order(names)) {
    ASSIGN(const auto* column, existing(table, name));
    if (column->kind == ColumnKind::kStatic)
      return invalid("Cannot include static column '{}' in materialized view '{}'", name,
                     statement.name.name);
  }
  return names;
}

Outcome<void> check_key_type(const Column& column) {
  const auto& type = *column.type;
  if (type.is_multi_cell())
    return invalid("Invalid non-frozen {} type '{}' for PRIMARY KEY column '{}'",
                   cql_types::is_collection(type.kind) ? "collection" : "user-defined",
                   cql_types::to_class_name(type), column.name);
  if (type.kind == cql_types::Kind::kCounter)
    return invalid("counter type is not supported for PRIMARY KEY column '{}'", column.name);
  if (uses_duration(type))
    return invalid("duration type is not supported for PRIMARY KEY column '{}'", column.name);
  return {};
}

Outcome<std::vector<std::string>> key_names(const CreateView& statement, const Table& table,
                                            const std::vector<std::string>& names) {
  const auto& view = statement.name.name;
  if (statement.primary_key.partition.empty())
    return invalid("Must provide at least one partition key column for materialized view '{}'",
                   view);
  auto all = statement.primary_key.partition;
  const auto& clustering = statement.primary_key.clustering;
  all.insert(all.end(), clustering.begin(), clustering.end());
  std::vector<std::string> key;
  for (const auto& name : all) {
    const int at = table.find(name);
    if (at < 0 || !contains(names, name))
      return invalid("Unknown column '{}' referenced in PRIMARY KEY for materialized view '{}'",
                     name, view);
    if (contains(key, name))
      return invalid("Duplicate column '{}' in PRIMARY KEY clause for materialized view '{}'", name,
                     view);
    key.push_back(name);
    TRY(check_key_type(table.columns[static_cast<std::size_t>(at)]));
  }
  const auto& order = statement.options.clustering_order;
  const bool fits =
      std::equal(order.begin(), order.end(), clustering.begin(), clustering.end(),
                 [](const auto& one, const auto& name) { return one.column == name; });
  if (!order.empty() && !fits)
    return invalid(
        "Clustering key columns must exactly match columns in CLUSTERING ORDER BY "
        "directive");
  return key;
}

// All of the table's key, and at most one column more.
Outcome<void> check_key(const CreateView& statement, const Table& table,
                        const std::vector<std::string>& key) {
  std::vector<std::string> missing;
  for (int i = 0; i < table.key_columns(); ++i)
    if (const auto& name = table.columns[static_cast<std::size_t>(i)].name; !contains(key, name))
      missing.push_back(name);
  if (!missing.empty())
    return invalid(
        "Cannot create materialized view '{}' without primary key columns {} from base table '{}'",
        statement.name.name, joined(missing), table.name);
  std::vector<std::string> more;
  for (const auto& name : key)
    if (table.find(name) >= table.key_columns()) more.push_back(name);
  if (more.size() > 1)
    return invalid(
        "Cannot include more than one non-primary key column in materialized view primary key (got "
        "{})",
        joined(java_order(more)));
  return {};
}

Outcome<void> check_where(const CreateView& statement, const Table& table,
                          const std::vector<std::string>& key) {
  for (const auto& relation : statement.where)
    if (relation.kind == Relation::Kind::kToken)
      return invalid("Cannot use token relation when defining a materialized view");
  for (const auto& relation : statement.where)
    if (relation.kind == Relation::Kind::kIndex)
      return invalid(
          "WHERE clause for materialized view '{}' cannot contain custom index expressions",
          statement.name.name);
  std::vector<std::string> restricted;
  std::vector<std::string> illegal;
  for (const auto& relation : statement.where)
    for (const auto& name : relation.columns) {
      ASSIGN(const auto* column, existing(table, name));
      restricted.push_back(name);
      if (column->position < 0 && relation.op != Operator::kIsNotNull && !contains(illegal, name))
        illegal.push_back(name);
    }
  std::vector<std::string> open;
  for (const auto& name : java_order(key))
    if (!contains(restricted, name)) open.push_back(name);
  if (!open.empty())
    return invalid("Primary key columns {} must be restricted with 'IS NOT NULL' or otherwise",
                   joined(open));
  if (!illegal.empty()) {
    std::sort(illegal.begin(), illegal.end());
    return invalid(
        "Non-primary key columns can only be restricted with 'IS NOT NULL' (got: {} restricted "
        "illegally)",
        joined(illegal, ","));
  }
  return {};
}

Outcome<Table> built_view(const CreateView& statement, const Table& base,
                          const std::vector<std::string>& names,
                          const std::vector<std::string>& key) {
  const Properties given(statement.options.properties);
  TRY(check_options(given));
  std::int32_t ttl = 0;
  TRY(given.read("default_time_to_live", ttl));
  if (ttl != 0)
    return invalid(
        "Cannot set default_time_to_live for a materialized view. Data in a materialized view "
        "always expire at the same time than the corresponding data in the parent table.");
  Table view;
  view.keyspace = base.keyspace;
  view.name = statement.name.name;
  ASSIGN(view.options, built_options(given, default_options()));
  ASSIGN(auto id, given_id(given));
  if (id) view.id = std::move(*id);
  view.partition_columns = static_cast<int>(statement.primary_key.partition.size());
  view.clustering_columns = static_cast<int>(statement.primary_key.clustering.size());
  view.view = View{base.name, cql_syntax::print(statement.where), statement.selectors.empty()};
  for (const auto& name : key) {
    Column column = base.columns[static_cast<std::size_t>(base.find(name))];
    const int at = static_cast<int>(view.columns.size());
    const bool clustering = at >= view.partition_columns;
    column.kind = clustering ? ColumnKind::kClustering : ColumnKind::kPartitionKey;
    column.position = clustering ? at - view.partition_columns : at;
    for (const auto& order : statement.options.clustering_order)
      if (order.column == name) column.descending = order.descending;
    if (!clustering) column.descending = false;
    column.number = ColumnNumber(static_cast<std::uint32_t>(at + 1));
    view.columns.push_back(std::move(column));
  }
  std::vector<Column> others;
  for (const auto& name : names) {
    if (contains(key, name)) continue;
    others.push_back(base.columns[static_cast<std::size_t>(base.find(name))]);
    others.back().kind = ColumnKind::kRegular;
  }
  std::sort(others.begin(), others.end(), comes_before);
  for (auto& column : others) {
    column.number = ColumnNumber(static_cast<std::uint32_t>(view.columns.size() + 1));
    view.columns.push_back(std::move(column));
  }
  return view;
}

Outcome<void> check_duplicates(const CreateView& statement) {
  const auto& name = statement.name;
  const auto text = name.keyspace ? *name.keyspace + "." + name.name : name.name;
  std::set<std::string> seen;
  for (const auto& order : statement.options.clustering_order)
    if (!seen.insert(order.column).second)
      return invalid("Duplicate column '{}' in CLUSTERING ORDER BY clause for view '{}'",
                     order.column, text);
  return {};
}

}  // namespace

DraftOutcome create_view(const CreateView& statement, const std::string& keyspace_name,
                         Scene& scene) {
  TRY(check_duplicates(statement));
  if (!scene.now.materialized_views)
    return invalid("Materialized views are disabled. Enable in cassandra.yaml to use.");
  const auto* keyspace = scene.schema.keyspace(keyspace_name);
  if (!keyspace) return invalid("Keyspace '{}' doesn't exist", keyspace_name);
  const auto table = scene.schema.table(keyspace_name, statement.from.name);
  if (!table || table->view) return invalid("Base table '{}' doesn't exist", statement.from.name);
  const auto& name = statement.name.name;
  if (const auto other = scene.schema.table(keyspace_name, name)) {
    if (!other->view)
      return invalid(
          "Cannot create materialized view '{}' - a table with the same name already exists", name);
    if (statement.if_not_exists) {
      Draft nothing;
      nothing.warnings.emplace_back(kUsageWarning);
      return nothing;
    }
    cql_types::Failure failed(
        cql_types::ErrorCode::kAlreadyExists,
        fmt::format("Cannot add already existing table \"{}\" to keyspace \"{}\"", name,
                    keyspace_name));
    failed.keyspace = keyspace_name;
    failed.name = name;
    return std::unexpected(std::move(failed));
  }
  if (table->counter) return invalid("Materialized views are not supported on counter tables");
  if (table->options.gc_grace_seconds == 0)
    return invalid(
        "Cannot create materialized view '{}' for base table '{}' with gc_grace_seconds of 0, "
        "since this value is used to TTL undelivered updates. Setting gc_grace_seconds too low "
        "might cause undelivered updates to expire before being replayed.",
        name, statement.from.name);
  ASSIGN(const auto names, selected(statement, *table));
  ASSIGN(const auto key, key_names(statement, *table, names));
  TRY(check_key(statement, *table, key));
  TRY(check_where(statement, *table, key));
  ASSIGN(auto view, built_view(statement, *table, names, key));
  std::vector<std::string> warnings;
  TRY(check_table(view, warnings));
  if (view.id.empty()) view.id = scene.now.new_id();
  view.number = scene.take_number();
  auto draft = updated(*keyspace, Event::Change::kCreated, Event::Target::kTable, name);
  draft.warnings.emplace_back(kUsageWarning);
  draft.keyspace->tables[name] = std::make_shared<Table>(std::move(view));
  return draft;
}

DraftOutcome alter_view(const cql_syntax::AlterView& statement, const std::string& keyspace_name,
                        Scene& scene) {
  const auto& name = statement.name.name;
  const auto view = scene.schema.table(keyspace_name, name);
  if (!view || !view->view) {
    if (statement.if_exists) return Draft{};
    return invalid("Materialized view '{}.{}' doesn't exist", keyspace_name, name);
  }
  const Properties given(statement.properties);
  TRY(check_options(given));
  if (given.has("id")) return misconfigured("Cannot alter table id.");
  Table made = *view;
  ASSIGN(made.options, built_options(given, view->options));
  if (made.options.gc_grace_seconds == 0)
    return invalid(
        "Cannot alter gc_grace_seconds of a materialized view to 0, since this value is used to "
        "TTL undelivered updates. Setting gc_grace_seconds too low might cause undelivered updates "
        "to expire before being replayed.");
  if (made.options.default_time_to_live > 0)
    return invalid(
        "Forbidden default_time_to_live detected for a materialized view. Data in a materialized "
        "view always expire at the same time than the corresponding data in the parent table. "
        "default_time_to_live must be set to zero, see CASSANDRA-12868 for more information");
  auto draft = updated(*scene.schema.keyspace(keyspace_name), Event::Change::kUpdated,
                       Event::Target::kTable, name);
  draft.keyspace->tables[name] = std::make_shared<Table>(std::move(made));
  return draft;
}

}  // namespace tailrace::cql_schema
