#include "cql_schema/draft.h"

#include <algorithm>

#include "cql_schema/refusal.h"
#include "cql_schema/table_options.h"

namespace tailrace::cql_schema {

using cql_types::Outcome;

Outcome<std::string> keyspace_of(const cql_syntax::QualifiedName& name, const Circumstances& now) {
  if (name.keyspace) return *name.keyspace;
  if (!now.keyspace.empty()) return now.keyspace;
  return invalid(
      "No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename");
}

bool is_plain_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

Outcome<void> check_table(const Table& table, std::vector<std::string>& warnings) {
  // Of every sentence here Cassandra says first which table it is about.
  const auto about = table.keyspace + "." + table.name + ": ";
  if (!is_plain_name(table.name))
    return misconfigured(
        "{}Table name must not be empty or not contain non-alphanumeric-underscore characters (got "
        "\"{}\")",
        about, table.name);
  if (table.name.size() > 222)
    return misconfigured(
        "{}Table name must not be more than 222 characters long (got {} characters for \"{}\")",
        about, table.name.size(), table.name);
  TRY(check_ranges(table.options));
  for (const auto& column : table.columns) {
    const bool counter = column.type->kind == cql_types::Kind::kCounter;
    const bool key = column.position >= 0;
    if (key && counter)
      return misconfigured("{}PRIMARY KEY columns cannot contain counters", about);
    if (!key && table.counter && !counter)
      return misconfigured("{}Cannot have a non counter column (\"{}\") in a counter table", about,
                           column.name);
    if (!key && !table.counter && counter)
      return misconfigured("{}Cannot have a counter column (\"{}\") in a non counter table", about,
                           column.name);
  }
  for (const auto& index : in_order_made(table.indexes)) {
    auto checked = check_index(index, table, warnings);
    if (checked) continue;
    checked.error().warnings = std::move(warnings);
    return checked;
  }
  return {};
}

std::vector<Index> in_order_made(std::vector<Index> indexes) {
  std::sort(indexes.begin(), indexes.end(),
            [](const Index& a, const Index& b) { return a.number < b.number; });
  return indexes;
}

Draft updated(const Keyspace& before, Event::Change change, Event::Target target,
              const std::string& name) {
  Draft draft;
  draft.keyspace = std::make_shared<Keyspace>(before);
  draft.event.change = change;
  draft.event.target = target;
  draft.event.keyspace = before.name;
  draft.event.name = name;
  return draft;
}

void insert_column(Table& table, Column column) {
  if (column.number.value == 0) column.number = next_column(table);
  auto at = table.columns.begin() + table.key_columns();
  while (at != table.columns.end() && comes_before(*at, column)) ++at;
  table.columns.insert(at, std::move(column));
}

ColumnNumber next_column(const Table& table) {
  ColumnNumber last;
  for (const auto& column : table.columns) last = std::max(last, column.number);
  for (const auto& dropped : table.dropped) last = std::max(last, dropped.column.number);
  return last + 1;
}

std::vector<TablePtr> views_of(const Keyspace& keyspace, const std::string& table) {
  std::vector<TablePtr> views;
  for (const auto& [name, one] : keyspace.tables)
    if (one->view && one->view->base_table == table) views.push_back(one);
  return views;
}

}  // namespace tailrace::cql_schema
