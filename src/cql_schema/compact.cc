#include "cql_schema/compact.h"

#include <algorithm>
#include <iterator>

namespace tailrace::cql_schema {
namespace {

constexpr const char* kEmptyType = "org.apache.cassandra.db.marshal.EmptyType";

std::string free_name(const Table& table, std::string_view base, int from) {
  for (int i = from;; ++i) {
    auto name = i == 0 ? std::string(base) : std::string(base) + std::to_string(i);
    if (table.find(name) < 0) return name;
  }
}

Column hidden(std::string name, TypePtr type, ColumnKind kind) {
  Column column;
  column.name = std::move(name);
  column.type = std::move(type);
  column.kind = kind;
  column.position = kind == ColumnKind::kClustering ? 0 : -1;
  return column;
}

}  // namespace

std::vector<std::string> table_flags(const Table& table) {
  std::vector<std::string> flags;
  if (!table.compact || table.clustering_columns > 1) flags.emplace_back("compound");
  if (table.counter) flags.emplace_back("counter");
  if (table.compact && table.clustering_columns > 0) flags.emplace_back("dense");
  return flags;
}

std::vector<Column> hidden_columns(const Table& table) {
  std::vector<Column> columns;
  if (!table.compact) return columns;
  const bool has_value = std::ssize(table.columns) > table.key_columns();
  if (table.clustering_columns == 0) {
    columns.push_back(hidden(free_name(table, "column", 1),
                             cql_types::native_type(cql_types::Kind::kText),
                             ColumnKind::kClustering));
    const auto kind = table.counter ? cql_types::Kind::kCounter : cql_types::Kind::kBlob;
    columns.push_back(
        hidden(free_name(table, "value", 0), cql_types::native_type(kind), ColumnKind::kRegular));
  } else if (!has_value) {
    columns.push_back(hidden(free_name(table, "value", 0), cql_types::custom_type(kEmptyType),
                             ColumnKind::kRegular));
  }
  return columns;
}

std::vector<Column> kept_columns(const Table& table) {
  auto columns = table.columns;
  // Names of cells there, where the table has a hidden clustering column.
  const bool are_names = table.compact && table.clustering_columns == 0;
  for (auto& column : columns)
    if (are_names && column.kind == ColumnKind::kRegular) column.kind = ColumnKind::kStatic;
  std::ranges::move(hidden_columns(table), std::back_inserter(columns));
  return columns;
}

std::string shown_type(const cql_types::Type& type) {
  return type.kind == cql_types::Kind::kCustom && type.class_name == kEmptyType ? "empty"
                                                                                : to_cql(type);
}

std::string mask_argument_type(const Column& column, std::size_t i) {
  const auto& name = column.mask->function;
  if (name == "mask_replace") return to_cql(*column.type);
  const bool partial = name == "mask_inner" || name == "mask_outer";
  return partial && i < 2 ? "int" : "text";
}

std::string unquoted(std::string_view literal) {
  if (!literal.starts_with('\'')) return std::string(literal);
  std::string text;
  for (std::size_t i = 1; i + 1 < literal.size(); ++i) {
    text += literal[i];
    if (literal[i] == '\'') ++i;
  }
  return text;
}

}  // namespace tailrace::cql_schema
