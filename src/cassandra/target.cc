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

/// A column as system_schema.columns has it.
struct Kept {
  std::string kind;
  std::int32_t position = 0;
  std::string type;

  bool operator==(const Kept&) const = default;
  bool is_key() const { return kind == "partition_key" || kind == "clustering"; }
  std::string text() const {
    if (!is_key()) return kind == "regular" ? type : kind + " " + type;
    return fmt::format("{}, the {}. of kind {},", type, position + 1, kind);
  }
};
using Columns = std::map<std::string, Kept>;  // by name

Columns wanted_columns(const cql_schema::Table& table) {
  Columns columns;
  for (const cql_schema::Column& column : table.columns) {
    const bool partition = column.kind == cql_schema::ColumnKind::kPartitionKey;
    const bool clustering = column.kind == cql_schema::ColumnKind::kClustering;
    const auto* kind = partition ? "partition_key" : clustering ? "clustering" : "regular";
    columns[column.name] = {kind, column.position, to_cql(*column.type)};
  }
  return columns;
}

Result<Columns> columns_there(const Asking& ask, const cql_schema::Table& table) {
  ASSIGN(const auto rows,
         asked(ask,
               "SELECT column_name, kind, position, type FROM system_schema.columns WHERE "
               "keyspace_name = ? AND table_name = ?",
               {table.keyspace, table.name}));
  Columns columns;
  for (const Row& row : rows) {
    const std::string position = text_of(row[2]);
    if (position.size() != sizeof(std::int32_t)) continue;
    columns[text_of(row[0])] = {text_of(row[1]), load_be<std::int32_t>(position.data()),
                                text_of(row[3])};
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
Result<std::string> type_there(const Asking& ask, const cql_types::Type& type) {
  ASSIGN(const auto rows, asked(ask,
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

/// A user type that is another one there, or nothing.
Result<std::string> other_type(const Asking& ask, const Target& target) {
  for (const auto& type : target.definition.types) {
    ASSIGN(const std::string there, type_there(ask, *type));
    if (!there.empty() && there != create_type(*type))
      return fmt::format("type {} is another one", quoted(type->keyspace, type->name));
  }
  return std::string();
}

Status make_keyspace(const Asking& ask, const std::string& keyspace) {
  ASSIGN(const auto found,
         asked(ask, "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?",
               {keyspace}));
  if (!found.empty()) return {};
  TRY(asked(ask, fmt::format("CREATE KEYSPACE IF NOT EXISTS {} WITH replication = {{'class': "
                             "'SimpleStrategy', 'replication_factor': 1}}",
                             quoted_if_needed(keyspace))));
  return {};
}

/// Those that others name were made first.
Status make_types(const Asking& ask, const Target& target) {
  for (const auto& type : target.definition.types) {
    ASSIGN(const std::string there, type_there(ask, *type));
    if (there == create_type(*type)) continue;
    if (!there.empty())
      return error(Code::kFailedPrecondition,
                   fmt::format("type {} is there and is another one: name `{}` otherwise, or drop "
                               "the type",
                               quoted(type->keyspace, type->name), target.table->schema().name));
    TRY(asked(ask, create_type(*type)));
  }
  return {};
}

Status drop(const Asking& ask, const Target& target) {
  TRY(asked(ask, "DROP TABLE IF EXISTS " + target.name()));
  const auto& types = target.definition.types;
  for (auto one = types.rbegin(); one != types.rend(); ++one)
    TRY(asked(ask, "DROP TYPE IF EXISTS " + quoted((*one)->keyspace, (*one)->name)));
  return {};
}

struct Found {
  std::string id, comment;
};

Result<std::optional<Found>> find(const Asking& ask, const cql_schema::Table& table) {
  ASSIGN(const auto rows, asked(ask,
                                "SELECT id, comment FROM system_schema.tables WHERE keyspace_name "
                                "= ? AND table_name = ?",
                                {table.keyspace, table.name}));
  if (rows.empty()) return std::nullopt;
  return Found{cql_types::uuid_text(text_of(rows[0][0])), text_of(rows[0][1])};
}

Result<bool> has_rows(const Asking& ask, const Target& target) {
  const auto& column = target.definition.table.columns.front().name;
  ASSIGN(const auto rows, asked(ask, fmt::format("SELECT {} FROM {} LIMIT 1",
                                                 quoted_if_needed(column), target.name())));
  return !rows.empty();
}

/// What a table that is there has in another way, so that columns that are added do not mend it;
/// nothing: it fits.
std::string difference(const Columns& wanted, const Columns& there) {
  for (const auto& [name, what] : wanted) {
    const auto found = there.find(name);
    if (found == there.end() && !what.is_key()) continue;
    if (found == there.end())
      return fmt::format("there is no column {}, which is {} here", name, what.text());
    if (found->second != what)
      return fmt::format("column {} is {} there and {} here", name, found->second.text(),
                         what.text());
  }
  for (const auto& [name, what] : there)
    if (what.is_key() && !wanted.contains(name))
      return fmt::format("column {} is {} there and not of the key here", name, what.text());
  return {};
}

/// Adds the columns that are not there. Why that does not make the table the target's, or nothing.
Result<std::string> widen(const Asking& ask, const Target& target) {
  const cql_schema::Table& table = target.definition.table;
  const Columns wanted = wanted_columns(table);
  ASSIGN(const Columns there, columns_there(ask, table));
  if (std::string why = difference(wanted, there); !why.empty()) return why;
  ASSIGN(std::string other, other_type(ask, target));
  if (!other.empty()) return other;
  TRY(make_types(ask, target));
  for (const auto& [name, what] : wanted)
    if (!there.contains(name))
      TRY(asked(ask, fmt::format("ALTER TABLE {} ADD {} {}", target.name(), quoted_if_needed(name),
                                 what.type)));
  return {};
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

Result<std::vector<Row>> asked(const Asking& ask, const std::string& text,
                               std::vector<std::string> values) {
  const auto patience = text.starts_with("SELECT") ? kToRead : kToChange;
  cql_client::Answer answer = ask.cluster.ask(text, std::move(values), patience, ask.stop);
  if (!answer.failure) return std::move(answer.rows);
  if (ask.stop.stop_requested()) return error(Code::kCancelled, "stopped");
  const auto& [code, message] = std::tie(answer.failure->code, answer.failure->message);
  if (code == cql_types::ErrorCode::kServer) return error(Code::kUnavailable, message);
  if (code == cql_types::ErrorCode::kUnauthorized)
    return error(Code::kUnavailable,
                 fmt::format("{}; permit it, or let another user do it: {}", message, text));
  return error(Code::kUnavailable, fmt::format("{} ({})", message, text));
}

Result<There> make_there(const Asking& ask, const Target& target, const std::string& comment) {
  const cql_schema::Table& table = target.definition.table;
  TRY(make_keyspace(ask, table.keyspace));
  ASSIGN(auto found, find(ask, table));
  There there;
  if (found) {
    const bool loaded = !target.loaded.empty() && found->id == target.loaded;
    const bool ours = loaded || found->comment == comment;
    if (!ours) {
      ASSIGN(const bool rows, has_rows(ask, target));
      if (rows)
        return error(
            Code::kFailedPrecondition,
            fmt::format("table {} is there, and its rows are not of this project: name `{}` "
                        "otherwise in tailrace.yml, or empty or drop the table",
                        target.name(), target.table->schema().name));
    }
    ASSIGN(const std::string differs, widen(ask, target));
    if (differs.empty()) {
      there.id = found->id;
      there.must_load = !loaded;
      if (there.must_load) {
        ASSIGN(there.must_empty, has_rows(ask, target));
      }
      return there;
    }
    if (!ours)
      return error(Code::kFailedPrecondition,
                   fmt::format("table {} is there and is another one ({}): name `{}` otherwise in "
                               "tailrace.yml, or drop the table",
                               target.name(), differs, target.table->schema().name));
    LOG(info, "cassandra: {} is made again: {}", target.name(), differs);
    TRY(drop(ask, target));
  }
  TRY(make_types(ask, target));
  TRY(asked(ask, create_table(table, comment)));
  ASSIGN(found, find(ask, table));
  if (!found)
    return error(Code::kUnavailable, fmt::format("table {} is not to be seen yet", target.name()));
  there.id = found->id;
  return there;
}

}  // namespace tailrace::cassandra
