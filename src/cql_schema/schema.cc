#include "cql_schema/schema.h"

#include <algorithm>

#include "base/bytes.h"
#include "cql_schema/properties.h"

namespace tailrace::cql_schema {

int Table::find(std::string_view column) const {
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (columns[i].name == column) return static_cast<int>(i);
  return -1;
}

namespace {

std::int64_t first_bytes(std::string_view name) {
  std::string padded(name.substr(0, 8));
  padded.resize(8);
  return load_be<std::int64_t>(padded.data());
}

}  // namespace

bool comes_before(const Column& a, const Column& b) {
  const bool regular_a = a.kind != ColumnKind::kStatic, regular_b = b.kind != ColumnKind::kStatic;
  if (regular_a != regular_b) return regular_b;
  const auto first_a = first_bytes(a.name), first_b = first_bytes(b.name);
  return first_a != first_b ? first_a < first_b : a.name < b.name;
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
