#include "cql_schema/schema.h"

#include <algorithm>

#include "cql_schema/properties.h"

namespace tailrace::cql_schema {

int Table::find(std::string_view column) const {
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (columns[i].name == column) return static_cast<int>(i);
  return -1;
}

bool Table::has_static() const {
  return std::any_of(columns.begin(), columns.end(),
                     [](const Column& one) { return one.kind == ColumnKind::kStatic; });
}

std::string Table::text() const {
  return cql_types::quoted_if_needed(keyspace) + "." + cql_types::quoted_if_needed(name);
}

// Cassandra compares these names without regard to case.
bool is_virtual_keyspace(std::string_view name) {
  const auto word = lower(name);
  return word == "system_views" || word == "system_virtual_schema";
}
bool is_local_keyspace(std::string_view name) {
  const auto word = lower(name);
  return word == "system" || word == "system_schema" || is_virtual_keyspace(name);
}
bool is_replicated_system_keyspace(std::string_view name) {
  const auto word = lower(name);
  return word == "system_auth" || word == "system_distributed" || word == "system_traces";
}
bool is_system_keyspace(std::string_view name) {
  return is_local_keyspace(name) || is_replicated_system_keyspace(name);
}

const Keyspace* Schema::keyspace(std::string_view name) const {
  const auto found = keyspaces.find(name);
  return found == keyspaces.end() ? nullptr : found->second.get();
}

TablePtr Schema::table(std::string_view keyspace_name, std::string_view name) const {
  const auto* found = keyspace(keyspace_name);
  if (!found) return nullptr;
  const auto table = found->tables.find(name);
  return table == found->tables.end() ? nullptr : table->second;
}

TypePtr Schema::type(std::string_view keyspace_name, std::string_view name) const {
  const auto* found = keyspace(keyspace_name);
  if (!found) return nullptr;
  const auto type = found->types.find(name);
  return type == found->types.end() ? nullptr : type->second;
}

}  // namespace tailrace::cql_schema
