#include "cql_query/access.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cql_query/view.h"

namespace tailrace::cql_query {
namespace {

using cql_roles::Permission;
using cql_roles::Resource;
using cql_roles::Roles;
using cql_schema::Touched;

/// What drivers read to know the server: everybody may.
bool is_everybodys(const cql_schema::Table& table) {
  constexpr std::array<std::string_view, 5> kOfSystem{"local", "peers", "peers_v2",
                                                      "size_estimates", "table_estimates"};
  if (table.keyspace == "system")
    return std::ranges::find(kOfSystem, table.name) != kOfSystem.end();
  if (table.keyspace == "system_traces") return table.name == "events" || table.name == "sessions";
  return table.keyspace == "system_schema" || table.keyspace == "system_virtual_schema";
}

Outcome<void> ensure_on(const Roles& roles, const std::string& role, Permission permission,
                        const cql_schema::Table& table) {
  // Who reads a view reads its table.
  const std::string& name =
      table.view && permission == Permission::kSelect ? table.view->base_table : table.name;
  if (roles.may_on_table(role, permission, table.keyspace, name)) return {};
  return cql_roles::ensure(roles, role, permission, Resource::table(table.keyspace, name));
}

}  // namespace

Outcome<void> check_access(const Roles& roles, const std::string& role,
                           const Modification& modification) {
  const auto& table = *modification.table();
  TRY(ensure_on(roles, role, Permission::kModify, table));
  const auto& views = modification.views();
  if (modification.has_conditions() || !views.empty()) {
    TRY(ensure_on(roles, role, Permission::kSelect, table));
  }
  for (const auto& view : views) TRY(ensure_on(roles, role, Permission::kModify, *view->table()));
  return {};
}

Outcome<void> check_access(const Roles& roles, const std::string& role, const Prepared& prepared) {
  if (prepared.select) {
    const auto& table = *prepared.select->table();
    if (is_everybodys(table)) return {};
    return ensure_on(roles, role, Permission::kSelect, table);
  }
  if (prepared.modification) return check_access(roles, role, *prepared.modification);
  if (prepared.batch) {
    for (const auto& statement : prepared.batch->statements())
      TRY(check_access(roles, role, *statement));
    return {};
  }
  if (const auto* truncate = std::get_if<cql_syntax::Truncate>(&prepared.statement.body)) {
    const auto& name = truncate->table;
    return cql_roles::ensure(roles, role, Permission::kModify,
                             Resource::table(name.keyspace.value_or(prepared.keyspace), name.name));
  }
  return {};
}

Outcome<void> check_access(const Roles& roles, const std::string& role, const Touched& touched) {
  using Kind = Touched::Kind;
  const auto permission = cql_roles::permission_of(touched.permission);
  if (touched.kind == Kind::kTriggers) {
    if (roles.is_superuser(role)) return {};
    const bool create = permission == Permission::kCreate;
    // The second sentence is Cassandra's to the letter.
    return cql_types::failure(cql_types::ErrorCode::kUnauthorized,
                              fmt::format("Only superusers are allowed to {} TRIGGER queries",
                                          create ? "perform CREATE" : "perfrom DROP"));
  }
  Resource resource;
  switch (touched.kind) {
    case Kind::kAllKeyspaces:
    case Kind::kTriggers:
      break;
    case Kind::kKeyspace:
      resource = Resource::of_keyspace(touched.keyspace);
      break;
    case Kind::kAllTables:
      resource = Resource::all_tables(touched.keyspace);
      break;
    case Kind::kTable:
      resource = Resource::table(touched.keyspace, touched.table);
      break;
    case Kind::kFunctions:
      resource = Resource::functions_of(touched.keyspace);
      break;
  }
  return cql_roles::ensure(roles, role, *permission, resource);
}

}  // namespace tailrace::cql_query
