#include "cassandra/target.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "cql_types/parts.h"
#include "cql_types/type.h"
#include "cql_types/uuid.h"

namespace tailrace::cassandra {
namespace {

using cql_client::Cluster;
using cql_client::Row;
using cql_types::quoted_if_needed;
using cql_types::to_cql;

/// How long an answer is awaited: a change of the schema, or TRUNCATE, asks every node.
constexpr std::chrono::seconds kToRead{15}, kToChange{70};

std::string quoted(std::string_view keyspace, std::string_view name) {
  return quoted_if_needed(keyspace) + "." + quoted_if_needed(name);
}

std::string literal(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out.append(c == '\'' ? 2 : 1, c);
  return out + "'";
}

std::string text_of(const std::optional<std::string>& value) {
  return value.value_or("");
}

std::vector<std::string> list_of(const std::optional<std::string>& value) {
  std::vector<std::string> all;
  if (!value) return all;
  cql_types::CollectionReader reader(*value, 1);
  cql_types::Part part;
  while (reader.next(part)) all.emplace_back(part.value_or(""));
  return all;
}

/// Columns there, by name: kind, position and type as system_schema.columns has them.
using Columns = std::map<std::string, std::string>;

std::string column_key(std::string_view kind, std::int32_t position, std::string_view type) {
  return fmt::format("{} {} {}", kind, position, type);
}

Columns wanted_columns(const cql_schema::Table& table) {
  Columns columns;
  for (const cql_schema::Column& column : table.columns) {
    const bool partition = column.kind == cql_schema::ColumnKind::kPartitionKey;
    const bool clustering = column.kind == cql_schema::ColumnKind::kClustering;
    columns[column.name] = column_key(partition    ? "partition_key"
                                      : clustering ? "clustering"
                                                   : "regular",
                                      column.position, to_cql(*column.type));
  }
  return columns;
}

Result<Columns> columns_there(Cluster& cluster, const cql_schema::Table& table) {
  ASSIGN(const auto rows,
         asked(cluster,
               "SELECT column_name, kind, position, type FROM system_schema.columns WHERE "
               "keyspace_name = ? AND table_name = ?",
               {table.keyspace, table.name}));
  Columns columns;
  for (const Row& row : rows) {
    const std::string position = text_of(row[2]);
    if (position.size() != sizeof(std::int32_t)) continue;
    columns[text_of(row[0])] =
        column_key(text_of(row[1]), load_be<std::int32_t>(position.data()), text_of(row[3]));
  }
  return columns;
}

std::string create_type(const cql_types::Type& type) {
  std::string fields;
  for (std::size_t i = 0; i < type.parameters.size(); ++i)
    fields += fmt::format("{}{} {}", i == 0 ? "" : ", ", quoted_if_needed(type.field_names[i]),
                          to_cql(*type.parameters[i]));
  return fmt::format("CREATE TYPE {} ({})", quoted(type.keyspace, type.name), fields);
}

std::string create_table(const cql_schema::Table& table, const std::string& comment) {
  std::string columns, partition, clustering;
  for (const cql_schema::Column& column : table.columns) {
    const std::string name = quoted_if_needed(column.name);
    columns += fmt::format("{} {}, ", name, to_cql(*column.type));
    if (column.kind == cql_schema::ColumnKind::kPartitionKey)
      partition += (partition.empty() ? "" : ", ") + name;
    if (column.kind == cql_schema::ColumnKind::kClustering) clustering += ", " + name;
  }
  return fmt::format("CREATE TABLE {} ({}PRIMARY KEY (({}){})) WITH comment = {}",
                     quoted(table.keyspace, table.name), columns, partition, clustering,
                     literal(comment));
}

/// What the user types there are, as create_type() says it; empty: there is none of that name.
Result<std::string> type_there(Cluster& cluster, const cql_types::Type& type) {
  ASSIGN(const auto rows, asked(cluster,
                                "SELECT field_names, field_types FROM system_schema.types WHERE "
                                "keyspace_name = ? AND type_name = ?",
                                {type.keyspace, type.name}));
  if (rows.empty()) return std::string();
  const auto names = list_of(rows[0][0]), types = list_of(rows[0][1]);
  std::string fields;
  for (std::size_t i = 0; i < names.size() && i < types.size(); ++i)
    fields += fmt::format("{}{} {}", i == 0 ? "" : ", ", quoted_if_needed(names[i]), types[i]);
  return fmt::format("CREATE TYPE {} ({})", quoted(type.keyspace, type.name), fields);
}

/// Whether the types there are other ones.
Result<bool> types_differ(Cluster& cluster, const Target& target) {
  for (const auto& type : target.definition.types) {
    ASSIGN(const std::string there, type_there(cluster, *type));
    if (!there.empty() && there != create_type(*type)) return true;
  }
  return false;
}

Status make_keyspace(Cluster& cluster, const std::string& keyspace) {
  ASSIGN(const auto found,
         asked(cluster, "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?",
               {keyspace}));
  if (!found.empty()) return {};
  TRY(asked(cluster, fmt::format("CREATE KEYSPACE IF NOT EXISTS {} WITH replication = {{'class': "
                                 "'SimpleStrategy', 'replication_factor': 1}}",
                                 quoted_if_needed(keyspace))));
  return {};
}

/// Those that others name were made first.
Status make_types(Cluster& cluster, const Target& target) {
  for (const auto& type : target.definition.types) {
    ASSIGN(const std::string there, type_there(cluster, *type));
    if (there == create_type(*type)) continue;
    if (!there.empty())
      return error(Code::kFailedPrecondition,
                   fmt::format("type {} is there and is another one: name `{}` otherwise, or drop "
                               "the type",
                               quoted(type->keyspace, type->name), target.table->schema().name));
    TRY(asked(cluster, create_type(*type)));
  }
  return {};
}

Status drop(Cluster& cluster, const Target& target) {
  TRY(asked(cluster, "DROP TABLE IF EXISTS " + target.name()));
  const auto& types = target.definition.types;
  for (auto one = types.rbegin(); one != types.rend(); ++one)
    TRY(asked(cluster, "DROP TYPE IF EXISTS " + quoted((*one)->keyspace, (*one)->name)));
  return {};
}

struct Found {
  std::string id, comment;
};

Result<std::optional<Found>> find(Cluster& cluster, const cql_schema::Table& table) {
  ASSIGN(const auto rows, asked(cluster,
                                "SELECT id, comment FROM system_schema.tables WHERE keyspace_name "
                                "= ? AND table_name = ?",
                                {table.keyspace, table.name}));
  if (rows.empty()) return std::nullopt;
  return Found{cql_types::uuid_text(text_of(rows[0][0])), text_of(rows[0][1])};
}

Result<bool> has_rows(Cluster& cluster, const Target& target) {
  const auto& column = target.definition.table.columns.front().name;
  ASSIGN(const auto rows, asked(cluster, fmt::format("SELECT {} FROM {} LIMIT 1",
                                                     quoted_if_needed(column), target.name())));
  return !rows.empty();
}

/// Adds the columns that are not there; false where that does not make it the target's.
Result<bool> widen(Cluster& cluster, const Target& target) {
  const Columns wanted = wanted_columns(target.definition.table);
  ASSIGN(const Columns there, columns_there(cluster, target.definition.table));
  std::vector<std::string> lacking;
  for (const auto& [name, what] : wanted) {
    const auto found = there.find(name);
    if (found == there.end() && what.starts_with("regular")) lacking.push_back(name);
    if (found == there.end() ? !what.starts_with("regular") : found->second != what) return false;
  }
  ASSIGN(const bool others, types_differ(cluster, target));
  if (others) return false;
  for (const auto& [name, what] : there)
    if (!what.starts_with("regular") && !wanted.contains(name)) return false;
  if (lacking.empty()) return true;
  TRY(make_types(cluster, target));
  for (const std::string& name : lacking) {
    const auto& table = target.definition.table;
    const auto& column = table.columns[static_cast<std::size_t>(table.find(name))];
    TRY(asked(cluster, fmt::format("ALTER TABLE {} ADD {} {}", target.name(),
                                   quoted_if_needed(name), to_cql(*column.type))));
  }
  return true;
}

}  // namespace

std::string Target::name() const {
  return quoted(definition.table.keyspace, definition.table.name);
}

Target make_target(std::shared_ptr<const table::KeyedTable> table, served::Definition definition) {
  Target target{.table = std::move(table), .definition = std::move(definition)};
  std::string names, markers, where;
  int i = 0;
  for (const cql_schema::Column& column : target.definition.table.columns) {
    const std::string name = quoted_if_needed(column.name);
    names += (i == 0 ? "" : ", ") + name;
    markers += i == 0 ? "?" : ", ?";
    if (i++ < target.definition.table.key_columns())
      where += (where.empty() ? "" : " AND ") + name + " = ?";
  }
  target.insert = fmt::format("INSERT INTO {} ({}) VALUES ({})", target.name(), names, markers);
  target.remove = fmt::format("DELETE FROM {} WHERE {}", target.name(), where);
  return target;
}

Result<std::vector<Row>> asked(Cluster& cluster, const std::string& text,
                               std::vector<std::string> values) {
  const auto patience = text.starts_with("SELECT") ? kToRead : kToChange;
  cql_client::Answer answer = cluster.ask(text, std::move(values), patience);
  if (!answer.failure) return std::move(answer.rows);
  return error(Code::kUnavailable, answer.failure->message);
}

Result<There> make_there(Cluster& cluster, const Target& target, const std::string& comment) {
  const cql_schema::Table& table = target.definition.table;
  TRY(make_keyspace(cluster, table.keyspace));
  ASSIGN(auto found, find(cluster, table));
  There there;
  if (found) {
    const bool loaded = !target.loaded.empty() && found->id == target.loaded;
    const bool ours = loaded || found->comment == comment;
    if (!ours) {
      ASSIGN(const bool rows, has_rows(cluster, target));
      if (rows)
        return error(
            Code::kFailedPrecondition,
            fmt::format("table {} is there, and its rows are not of this project: name `{}` "
                        "otherwise in tailrace.yml, or empty or drop the table",
                        target.name(), target.table->schema().name));
    }
    ASSIGN(const bool fits, widen(cluster, target));
    if (fits) {
      there.id = found->id;
      there.must_load = !loaded;
      if (there.must_load) {
        ASSIGN(there.must_empty, has_rows(cluster, target));
      }
      return there;
    }
    if (!ours)
      return error(Code::kFailedPrecondition,
                   fmt::format("table {} is there with another key or other types of columns: name "
                               "`{}` otherwise in tailrace.yml, or drop the table",
                               target.name(), target.table->schema().name));
    LOG(info, "cassandra: {} has other columns now and is made again", target.name());
    TRY(drop(cluster, target));
  }
  TRY(make_types(cluster, target));
  TRY(asked(cluster, create_table(table, comment)));
  ASSIGN(found, find(cluster, table));
  if (!found)
    return error(Code::kUnavailable, fmt::format("table {} is not to be seen yet", target.name()));
  there.id = found->id;
  return there;
}

}  // namespace tailrace::cassandra
