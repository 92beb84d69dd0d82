#include "cql_schema/cql_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "cql_schema/compact.h"
#include "cql_schema/java_order.h"
#include "cql_types/number.h"
#include "cql_types/uuid.h"

namespace tailrace::cql_schema {
namespace {

using cql_types::quoted_if_needed;

std::string quoted(std::string_view text) {
  std::string made = "'";
  for (const char c : text) {
    made += c;
    if (c == '\'') made += c;
  }
  return made + "'";
}

std::string map_text(const std::map<std::string, std::string>& map) {
  std::string text = "{";
  for (const auto& [name, value] : map) {
    if (text.size() > 1) text += ", ";
    text += quoted(name) + ": " + quoted(value);
  }
  return text + "}";
}

template <typename List, typename Text>
std::string joined(const List& list, Text&& text_of) {
  std::string text;
  for (const auto& one : list) {
    if (!text.empty()) text += ", ";
    text += text_of(one);
  }
  return text;
}

std::string name_of(const Column& column) {
  return quoted_if_needed(column.name);
}

std::string mask_text(const Mask& mask) {
  return fmt::format(" MASKED WITH system.{}({})", mask.function,
                     joined(mask.arguments, [](const std::string& one) { return one; }));
}

std::string column_text(const Column& column) {
  return name_of(column) + " " + shown_type(*column.type) +
         (column.kind == ColumnKind::kStatic ? " static" : "") +
         (column.mask ? mask_text(*column.mask) : "");
}

// Key columns, static ones, regular ones; among the last two those of one cell first.
std::vector<Column> in_create_order(const Table& table) {
  auto columns = table.columns;
  const auto rank = [](const Column& column) {
    const int kind = column.kind == ColumnKind::kStatic ? 0 : 2;
    return kind + (column.type->is_multi_cell() ? 1 : 0);
  };
  std::stable_sort(columns.begin() + table.key_columns(), columns.end(),
                   [&](const Column& a, const Column& b) { return rank(a) < rank(b); });
  return columns;
}

std::vector<Column> key_columns(const Table& table, ColumnKind kind) {
  std::vector<Column> columns;
  for (const auto& column : table.columns)
    if (column.kind == kind) columns.push_back(column);
  return columns;
}

std::string primary_key_text(const Table& table) {
  auto text = joined(key_columns(table, ColumnKind::kPartitionKey), name_of);
  if (table.partition_columns > 1) text = "(" + text + ")";
  const auto clustering = joined(key_columns(table, ColumnKind::kClustering), name_of);
  if (!clustering.empty()) text += ", " + clustering;
  return "PRIMARY KEY (" + text + ")\n";
}

std::string_view yes_or_no(bool value) {
  return value ? "true" : "false";
}

std::string options_text(const TableOptions& options, bool view) {
  std::vector<std::string> lines;
  const auto add = [&lines](std::string_view name, const std::string& value) {
    lines.push_back(fmt::format("{} = {}", name, value));
  };
  const auto add_switch = [&](std::string_view name, bool value) {
    add(name, std::string(yes_or_no(value)));
  };
  add("additional_write_policy", quoted(options.additional_write_policy));
  add_switch("allow_auto_snapshot", options.allow_auto_snapshot.value_or(true));
  add("bloom_filter_fp_chance", cql_types::double_text(options.bloom_filter_fp_chance));
  add("caching", map_text(options.caching));
  add_switch("cdc", options.cdc.value_or(false));
  add("comment", quoted(options.comment));
  add("compaction", map_text(options.compaction));
  add("compression", map_text(options.compression));
  add("memtable", quoted(options.memtable.value_or("default")));
  add("crc_check_chance", cql_types::double_text(options.crc_check_chance));
  if (!view) add("default_time_to_live", std::to_string(options.default_time_to_live));
  add("extensions", "{}");
  add("gc_grace_seconds", std::to_string(options.gc_grace_seconds));
  add_switch("incremental_backups", options.incremental_backups.value_or(true));
  add("max_index_interval", std::to_string(options.max_index_interval));
  add("memtable_flush_period_in_ms", std::to_string(options.memtable_flush_period_in_ms));
  add("min_index_interval", std::to_string(options.min_index_interval));
  add("read_repair", quoted(options.read_repair));
  add("speculative_retry", quoted(options.speculative_retry));
  std::string text;
  for (const auto& line : lines) text += (text.empty() ? "" : "\n    AND ") + line;
  return text;
}

// What stands after WITH, its end included.
std::string with_text(const Table& table, bool with_internals) {
  std::string text;
  if (table.compact) text += "COMPACT STORAGE\n    AND ";
  if (with_internals) text += "ID = " + cql_types::uuid_text(table.id) + "\n    AND ";
  auto clustering = joined(key_columns(table, ColumnKind::kClustering), [](const Column& column) {
    return name_of(column) + (column.descending ? " DESC" : " ASC");
  });
  // The hidden clustering column is told here and nowhere else.
  if (table.compact && clustering.empty()) {
    int i = 1;
    while (table.find("column" + std::to_string(i)) >= 0) ++i;
    clustering = "column" + std::to_string(i) + " ASC";
  }
  if (!clustering.empty()) text += "CLUSTERING ORDER BY (" + clustering + ")\n    AND ";
  text += table.virtual_table && is_virtual_keyspace(table.keyspace)
              ? "comment = " + quoted(table.options.comment)
              : options_text(table.options, table.view.has_value());
  return text + ";";
}

const DroppedColumn* find_dropped(const Table& table, const std::string& name) {
  for (const auto& one : table.dropped)
    if (one.column.name == name) return &one;
  return nullptr;
}

// Columns of CREATE TABLE, and the key where it does not stand beside its only column. A column
// that was dropped and came back is told by what happened, after the statement.
std::string body_text(const Table& table, bool with_dropped) {
  const bool single = table.key_columns() == 1 && !table.compact;
  const bool dropped = with_dropped && !table.dropped.empty();
  const auto columns = in_create_order(table);
  std::string text;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (with_dropped && find_dropped(table, columns[i].name)) continue;
    text += "    " + column_text(columns[i]);
    if (single && columns[i].kind == ColumnKind::kPartitionKey) text += " PRIMARY KEY";
    if (!single || dropped || i + 1 < columns.size()) text += ',';
    text += '\n';
  }
  for (std::size_t i = 0; with_dropped && i < table.dropped.size(); ++i) {
    text += "    " + column_text(table.dropped[i].column);
    if (!single || i + 1 < table.dropped.size()) text += ',';
    text += '\n';
  }
  if (!single) text += "    " + primary_key_text(table);
  return text;
}

std::string dropped_text(const Table& table) {
  std::string text;
  for (const auto& dropped : table.dropped) {
    text += fmt::format("\nALTER TABLE {} DROP {} USING TIMESTAMP {};", table.text(),
                        name_of(dropped.column), dropped.dropped_us);
    if (const int at = table.find(dropped.column.name); at >= 0)
      text += fmt::format("\nALTER TABLE {} ADD {};", table.text(),
                          column_text(table.columns[static_cast<std::size_t>(at)]));
  }
  return text;
}

std::string view_text(const Table& table, bool with_internals) {
  const auto& view = *table.view;
  const auto columns = view.include_all_columns ? "*" : joined(table.columns, name_of);
  return fmt::format(
      "CREATE MATERIALIZED VIEW {} AS\n    SELECT {}\n    FROM {}.{}\n    WHERE {}\n    {} WITH {}",
      table.text(), columns, quoted_if_needed(table.keyspace), quoted_if_needed(view.base_table),
      view.where_clause, primary_key_text(table), with_text(table, with_internals));
}

}  // namespace

std::string create_keyspace_text(const Keyspace& keyspace) {
  const auto name = quoted_if_needed(keyspace.name);
  if (keyspace.virtual_keyspace)
    return fmt::format(
        "/*\nWarning: Keyspace {0} is a virtual keyspace and cannot be recreated with CQL.\n"
        "Structure, for reference:\nVIRTUAL KEYSPACE {0};\n*/",
        name);
  const std::string package = "org.apache.cassandra.locator.";
  auto strategy = keyspace.replication.at("class");
  if (strategy.starts_with(package)) strategy.erase(0, package.size());
  auto replication = "{'class': " + quoted(strategy);
  for (const auto& option : java_order(keys_of(keyspace.replication)))
    if (option != "class")
      replication += ", " + quoted(option) + ": " + quoted(keyspace.replication.at(option));
  return fmt::format("CREATE KEYSPACE {} WITH replication = {}}}  AND durable_writes = {};", name,
                     replication, yes_or_no(keyspace.durable_writes));
}

std::string create_type_text(const cql_types::Type& type) {
  auto text = fmt::format("CREATE TYPE {}.{} (\n", quoted_if_needed(type.keyspace),
                          quoted_if_needed(type.name));
  for (std::size_t i = 0; i < type.parameters.size(); ++i)
    text += fmt::format("{}    {} {}", i == 0 ? "" : ",\n", quoted_if_needed(type.field_names[i]),
                        shown_type(*type.parameters[i]));
  return text + "\n);";
}

std::string create_index_text(const Index& index, const Table& table) {
  const bool custom = index.kind == "CUSTOM";
  auto text = fmt::format("CREATE {}INDEX {} ON {} ({})", custom ? "CUSTOM " : "",
                          quoted_if_needed(index.name), table.text(), index.options.at("target"));
  if (!custom) return text + ";";
  text += " USING " + quoted(index.options.at("class_name"));
  auto options = index.options;
  options.erase("target");
  options.erase("class_name");
  if (!options.empty()) text += " WITH OPTIONS = " + map_text(options);
  return text + ";";
}

std::string create_table_text(const Table& table, bool with_internals) {
  if (table.view) return view_text(table, with_internals);
  const bool is_virtual = is_virtual_keyspace(table.keyspace);
  auto text =
      fmt::format("{} TABLE {} (\n{}) WITH {}", is_virtual ? "VIRTUAL" : "CREATE", table.text(),
                  body_text(table, with_internals), with_text(table, with_internals));
  if (is_virtual)
    text = fmt::format(
        "/*\nWarning: Table {} is a virtual table and cannot be recreated with CQL.\n"
        "Structure, for reference:\n{}\n*/",
        table.text(), text);
  if (with_internals) text += dropped_text(table);
  if (table.compact)
    text = fmt::format(
        "/*\nWarning: Table {} omitted because it has constructs not compatible with CQL (was "
        "created via legacy API).\nApproximate structure, for reference:\n(this should not be used "
        "to reproduce this schema)\n\n{}\n*/",
        table.text(), text);
  return text;
}

}  // namespace tailrace::cql_schema
