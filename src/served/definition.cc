#include "served/definition.h"

#include <fmt/format.h>

#include <algorithm>

#include "cql_schema/name_uuid.h"
#include "cql_schema/table_options.h"

namespace tailrace::served {
namespace {

using cql_schema::ColumnKind;
using Form = Shape::Form;

/// Cassandra's SchemaConstants.NAME_LENGTH, of keyspaces and tables.
constexpr std::size_t kMostName = 48;

Status check_name(std::string_view what, const std::string& name) {
  if (!name.empty() && name.size() <= kMostName) return {};
  return error(Code::kInvalidArgument,
               fmt::format("{} `{}` has {} characters, CQL's names have 1 to {}: give the table "
                           "another name, KEYSPACE.TABLE names both",
                           what, name, name.size(), kMostName));
}

Status check_names(const Naming& naming) {
  TRY(check_name("keyspace", naming.keyspace));
  TRY(check_name("table", naming.table));
  for (const std::string_view own :
       {"system", "system_schema", "system_auth", "system_traces", "system_distributed",
        "system_views", "system_metrics", "system_virtual_schema"})
    if (naming.keyspace == own)
      return error(
          Code::kInvalidArgument,
          fmt::format("keyspace {} is the server's own: name the table KEYSPACE.TABLE with "
                      "another",
                      own));
  return {};
}

/// What of a type cannot be in a key, in Spark's words; or null.
const char* no_key(const Shape& shape) {
  if (shape.form == Form::kMap) return "a MAP has no order";
  if (shape.form == Form::kInterval) return "INTERVAL is text in CQL, which has another order";
  if (shape.form == Form::kNull) return "VOID is always null";
  for (const Shape& part : shape.parts)
    if (const char* why = no_key(part)) return why;
  return nullptr;
}

struct Made {
  cql_schema::Column column;
  int place;
  Shape shape;
};

/// In the order of SELECT *: the key, then the rest by name.
void put_in_order(const std::vector<std::string>& key, int partition_columns,
                  const arrow::Schema& schema, std::vector<Made>& columns) {
  const auto key_place = [&](const Made& made) {
    const auto& name = schema.field(made.place)->name();
    return static_cast<int>(std::ranges::find(key, name) - key.begin());
  };
  std::ranges::sort(columns, [&](const Made& a, const Made& b) {
    const int x = key_place(a), y = key_place(b);
    return x != y ? x < y : a.column.name < b.column.name;
  });
  for (int i = 0; i < static_cast<int>(columns.size()); ++i) {
    cql_schema::Column& column = columns[static_cast<std::size_t>(i)].column;
    column.number = cql_schema::ColumnNumber(static_cast<std::uint32_t>(i));
    if (i >= static_cast<int>(key.size())) continue;
    const bool partition = i < partition_columns;
    column.kind = partition ? ColumnKind::kPartitionKey : ColumnKind::kClustering;
    column.position = partition ? i : i - partition_columns;
  }
}

}  // namespace

Naming naming_of(std::string_view name, std::string_view keyspace, int partition_columns) {
  Naming naming{.keyspace = plain_name(keyspace),
                .table = plain_name(name),
                .partition_columns = partition_columns};
  if (const auto dot = name.find('.'); dot != std::string_view::npos) {
    naming.keyspace = plain_name(name.substr(0, dot));
    naming.table = plain_name(name.substr(dot + 1));
  }
  return naming;
}

Result<Definition> define(const Naming& naming, const table::TableSchema& schema,
                          std::set<std::string>& taken) {
  TRY(check_names(naming));
  UserTypes types{naming.keyspace, taken, {}};
  std::vector<Made> columns;
  std::set<std::string> names;
  for (int i = 0; i < schema.columns->num_fields(); ++i) {
    const auto& field = *schema.columns->field(i);
    std::string name = field.name();
    std::ranges::transform(name, name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    });
    name = own_name(name, names);
    ASSIGN(auto shape, shape_of(field.type(), naming.table + "_" + plain_name(name), types));
    const bool in_key = std::ranges::find(schema.key, field.name()) != schema.key.end();
    if (const char* why = in_key ? no_key(shape) : nullptr)
      return error(
          Code::kInvalidArgument,
          fmt::format("key column `{}` is {}, which cannot be in a key of CQL's ({}): make "
                      "another column of it, as with CAST({} AS STRING), or run with --cql "
                      "off",
                      field.name(), spark_name(*field.type()), why, field.name()));
    columns.push_back(
        {{.name = std::move(name), .type = shape.cql, .number = {}}, i, std::move(shape)});
  }
  put_in_order(schema.key, naming.partition_columns, *schema.columns, columns);
  Definition made;
  made.table.keyspace = naming.keyspace;
  made.table.name = naming.table;
  made.table.id = cql_schema::name_uuid("served " + naming.keyspace + '.' + naming.table);
  made.table.foreign = true;
  made.table.options = cql_schema::default_options();
  made.table.options.comment = naming.comment;
  made.table.partition_columns = naming.partition_columns;
  made.table.clustering_columns = static_cast<int>(schema.key.size()) - naming.partition_columns;
  for (Made& one : columns) {
    made.table.columns.push_back(std::move(one.column));
    made.places.push_back(one.place);
    made.shapes.push_back(std::move(one.shape));
  }
  made.types = std::move(types.types);
  taken = std::move(types.taken);
  return made;
}

}  // namespace tailrace::served
