// ALTER TABLE: columns added, dropped, renamed and masked, and options.
#include <algorithm>
#include <optional>

#include "cql_schema/compact.h"
#include "cql_schema/draft.h"
#include "cql_schema/java_order.h"
#include "cql_schema/refusal.h"
#include "cql_schema/table_options.h"
#include "cql_schema/types.h"

namespace tailrace::cql_schema {
namespace {

using cql_syntax::AlterTable;
using cql_types::Kind;
using cql_types::Outcome;

// The table and its views as they become.
struct Edit {
  const Keyspace& keyspace;
  const TablePtr before;
  Table table;
  std::map<std::string, Table> views;
  std::vector<std::string> warnings;

  Edit(const Keyspace& in, TablePtr found)
      : keyspace(in), before(std::move(found)), table(*before) {
    for (const auto& view : views_of(in, before->name)) views.emplace(view->name, *view);
  }
};

std::vector<std::string> dependent_indexes(const Table& table, const std::string& column) {
  std::vector<std::string> names;
  for (const auto& index : in_order_made(table.indexes))
    if (index.column == column) names.push_back(index.name);
  return names;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

Outcome<void> check_returning(const Edit& edit, const Column& column, bool is_static) {
  for (const auto& dropped : edit.before->dropped) {
    if (dropped.column.name != column.name) continue;
    const auto& before = *dropped.column.type;
    if (!fits_in_place(*column.type, before))
      return invalid(
          "Cannot add a column '{0}' of type {1}, incompatible with previously dropped column "
          "'{0}' of type {2}",
          column.name, to_cql(*column.type), to_cql(before));
    const bool was_static = dropped.column.kind == ColumnKind::kStatic;
    if (was_static != is_static)
      return invalid(
          "Cannot re-add previously dropped column '{}' of kind {}, incompatible with previous "
          "kind {}",
          column.name, is_static ? "STATIC" : "REGULAR", was_static ? "STATIC" : "REGULAR");
    if (edit.before->counter)
      return invalid("Cannot re-add previously dropped counter column {}", column.name);
  }
  return {};
}

std::optional<Column> find_hidden(const Table& table, const std::string& name) {
  auto hidden = hidden_columns(table);
  const auto found = std::ranges::find(hidden, name, &Column::name);
  return found == hidden.end() ? std::nullopt : std::optional(std::move(*found));
}

Outcome<void> add_column(const AlterTable& statement, const cql_syntax::Column& given, Edit& edit) {
  Column column;
  column.name = given.name;
  column.kind = given.is_static ? ColumnKind::kStatic : ColumnKind::kRegular;
  ASSIGN(const auto raw, raw_type(given.type));
  ASSIGN(column.type, resolved(raw, edit.keyspace));
  if (given.mask) {
    ASSIGN(column.mask, made_mask(*given.mask, given.name, *column.type));
  }
  if (edit.table.find(given.name) >= 0 || find_hidden(*edit.before, given.name)) {
    if (statement.if_column_not_exists) return {};
    return invalid("Column with name '{}' already exists", given.name);
  }
  if (edit.before->compact) return invalid("Cannot add new column to a COMPACT STORAGE table");
  if (given.is_static && edit.before->clustering_columns == 0)
    return invalid(
        "Static columns are only useful (and thus allowed) if the table has at least one "
        "clustering column");
  if (column.type->kind == Kind::kUserType && !column.type->frozen)
    for (const auto& field : column.type->parameters)
      if (field->is_multi_cell())
        return invalid(
            "Non-frozen UDTs with nested non-frozen collections are not supported for column {}",
            given.name);
  TRY(check_returning(edit, column, given.is_static));
  for (auto& [name, view] : edit.views)
    if (!given.is_static && view.view->include_all_columns) {
      auto copy = column;
      copy.number = ColumnNumber{};
      insert_column(view, std::move(copy));
    }
  insert_column(edit.table, std::move(column));
  return {};
}

Outcome<void> add_columns(const AlterTable& statement, Edit& edit) {
  for (const auto& column : statement.columns) TRY(add_column(statement, column, edit));
  return check_table(edit.table, edit.warnings);
}

Outcome<void> drop_column(const AlterTable& statement, const std::string& name,
                          std::int64_t dropped_us, Edit& edit) {
  const int at = edit.before->find(name);
  if (const auto hidden = find_hidden(*edit.before, name)) {
    if (hidden->position >= 0) return invalid("Cannot drop PRIMARY KEY column {}", name);
    return invalid("Cannot drop column {}, which COMPACT STORAGE hides", name);
  }
  if (at < 0) {
    if (statement.if_column_exists) return {};
    return invalid("Column {} was not found in table '{}'", name, edit.before->text());
  }
  const auto& column = edit.before->columns[static_cast<std::size_t>(at)];
  if (column.position >= 0) return invalid("Cannot drop PRIMARY KEY column {}", name);
  if (edit.before->compact && edit.before->clustering_columns > 0)
    return invalid("Cannot drop {}, the only value of a COMPACT STORAGE table", name);
  if (column.type->kind == Kind::kUserType && !column.type->frozen)
    return invalid("Cannot drop non-frozen column {} of user type {}", name, to_cql(*column.type));
  if (const auto indexes = dependent_indexes(*edit.before, name); !indexes.empty())
    return invalid("Cannot drop column {} because it has dependent secondary indexes ({})", name,
                   joined(indexes));
  if (!edit.views.empty())
    return invalid("Cannot drop column {} on base table {} with materialized views", name,
                   edit.before->name);
  DroppedColumn dropped{column, dropped_us};
  dropped.column.type = without_user_types(column.type);
  dropped.column.mask.reset();
  std::erase_if(edit.table.dropped,
                [&](const DroppedColumn& one) { return one.column.name == name; });
  edit.table.dropped.push_back(std::move(dropped));
  std::erase_if(edit.table.columns, [&](const Column& one) { return one.name == name; });
  return {};
}

Outcome<void> drop_columns(const AlterTable& statement, const Circumstances& now, Edit& edit) {
  auto dropped_us = now.now_us;
  if (statement.timestamp) {
    const auto given = java_long(*statement.timestamp);
    if (!given)
      return crashed("java.lang.NumberFormatException: For input string: \"{}\"",
                     *statement.timestamp);
    dropped_us = *given;
  }
  std::vector<std::string> names;
  for (const auto& column : statement.columns)
    if (std::find(names.begin(), names.end(), column.name) == names.end())
      names.push_back(column.name);
  for (const auto& name : java_order(names)) TRY(drop_column(statement, name, dropped_us, edit));
  return {};
}

// A renamed column in a view's WHERE clause: its name stands as a word of its own there.
void rename_in_view(Table& view, const std::string& from, const std::string& to) {
  const int at = view.find(from);
  if (at < 0) return;
  view.columns[static_cast<std::size_t>(at)].name = to;
  const auto parsed = cql_syntax::parse("SELECT * FROM t WHERE " + view.view->where_clause);
  if (!parsed) return;
  auto relations = std::get<cql_syntax::Select>(parsed->body).where;
  for (auto& relation : relations)
    for (auto& column : relation.columns)
      if (column == from) column = to;
  view.view->where_clause = cql_syntax::print(relations);
}

Outcome<void> rename_column(const std::string& from, const std::string& to, Edit& edit) {
  const int at = edit.before->find(from);
  if (at < 0)
    return invalid("Undefined column name {} in table {}", cql_types::quoted_if_needed(from),
                   edit.before->text());
  if (edit.before->columns[static_cast<std::size_t>(at)].position < 0)
    return invalid("Cannot rename non PRIMARY KEY column {}", from);
  if (edit.before->find(to) >= 0)
    return invalid(
        "Cannot rename column {} to {} in table '{}'; another column with that name already exists",
        from, to, edit.before->text());
  if (const auto indexes = dependent_indexes(*edit.before, from); !indexes.empty())
    return invalid("Can't rename column {} because it has dependent secondary indexes ({})", from,
                   joined(indexes));
  if (edit.table.find(to) >= 0) return crashed("java.lang.IllegalArgumentException");
  for (auto& [name, view] : edit.views) rename_in_view(view, from, to);
  edit.table.columns[static_cast<std::size_t>(at)].name = to;
  return {};
}

Outcome<void> rename_columns(const AlterTable& statement, Edit& edit) {
  std::map<std::string, std::string> renamed;
  for (const auto& [from, to] : statement.renamed) renamed[from] = to;
  for (const auto& from : java_order(keys_of(renamed)))
    TRY(rename_column(from, renamed[from], edit));
  return {};
}

Outcome<void> mask_column(const AlterTable& statement, Edit& edit) {
  const auto& given = statement.columns.front();
  const int at = edit.before->find(given.name);
  if (at < 0) {
    if (statement.if_column_exists) return {};
    return invalid("Column with name '{}' doesn't exist on table '{}'", given.name,
                   edit.before->name);
  }
  auto& column = edit.table.columns[static_cast<std::size_t>(at)];
  column.mask.reset();
  if (statement.kind == AlterTable::Kind::kMask && given.mask) {
    ASSIGN(column.mask, made_mask(*given.mask, given.name, *column.type));
  }
  for (auto& [name, view] : edit.views)
    if (const int place = view.find(given.name); place >= 0)
      view.columns[static_cast<std::size_t>(place)].mask = column.mask;
  return check_table(edit.table, edit.warnings);
}

Outcome<void> alter_options(const AlterTable& statement, Edit& edit) {
  const Properties given(statement.properties);
  TRY(check_options(given));
  if (given.has("id")) return misconfigured("Cannot alter table id.");
  ASSIGN(edit.table.options, built_options(given, edit.before->options));
  const auto& options = edit.table.options;
  if (edit.before->counter && options.default_time_to_live > 0)
    return invalid("Cannot set default_time_to_live on a table with counters");
  if (!edit.views.empty() && options.gc_grace_seconds == 0)
    return invalid(
        "Cannot alter gc_grace_seconds of the base table of a materialized view to 0, since this "
        "value is used to TTL undelivered updates. Setting gc_grace_seconds too low might cause "
        "undelivered updates to expire before being replayed.");
  return {};
}

Outcome<void> altered(const AlterTable& statement, const Circumstances& now, Edit& edit) {
  switch (statement.kind) {
    case AlterTable::Kind::kAlterType:
      return invalid("Altering column types is no longer supported");
    case AlterTable::Kind::kMask:
    case AlterTable::Kind::kDropMask:
      return mask_column(statement, edit);
    case AlterTable::Kind::kAdd:
      return add_columns(statement, edit);
    case AlterTable::Kind::kDrop:
      return drop_columns(statement, now, edit);
    case AlterTable::Kind::kRename:
      return rename_columns(statement, edit);
    case AlterTable::Kind::kDropCompactStorage:
      return invalid("DROP COMPACT STORAGE is disabled. Enable in cassandra.yaml to use.");
    case AlterTable::Kind::kOptions:
      return alter_options(statement, edit);
  }
  return {};
}

}  // namespace

DraftOutcome alter_table(const AlterTable& statement, const std::string& keyspace_name,
                         Scene& scene) {
  if (statement.kind == AlterTable::Kind::kOptions)
    TRY(built_options(Properties(statement.properties), default_options()));
  if (statement.kind == AlterTable::Kind::kMask && !scene.now.dynamic_data_masking)
    return masks_are_off();
  const auto table = scene.schema.table(keyspace_name, statement.name.name);
  if (!table) {
    if (statement.if_exists) return Draft{};
    return invalid("Table '{}.{}' doesn't exist", keyspace_name, statement.name.name);
  }
  if (table->view)
    return invalid(
        "Cannot use ALTER TABLE on a materialized view; use ALTER MATERIALIZED VIEW instead");
  const auto& keyspace = *scene.schema.keyspace(keyspace_name);
  Edit edit(keyspace, table);
  TRY(altered(statement, scene.now, edit));
  auto draft =
      updated(keyspace, Event::Change::kUpdated, Event::Target::kTable, statement.name.name);
  draft.warnings = std::move(edit.warnings);
  draft.keyspace->tables[table->name] = std::make_shared<Table>(std::move(edit.table));
  for (auto& [name, view] : edit.views)
    draft.keyspace->tables[name] = std::make_shared<Table>(std::move(view));
  return draft;
}

}  // namespace tailrace::cql_schema
