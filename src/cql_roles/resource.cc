#include "cql_roles/resource.h"

#include <fmt/format.h>

#include "cql_syntax/statement.h"

namespace tailrace::cql_roles {
namespace {

using Kind = Resource::Kind;
using P = Permission;

constexpr Permissions kTablePermissions{P::kAlter,     P::kDrop,   P::kSelect,      P::kModify,
                                        P::kAuthorize, P::kUnmask, P::kSelectMasked};
constexpr Permissions kKeyspacePermissions = kTablePermissions | Permissions{P::kCreate};
constexpr Permissions kRolePermissions{P::kAlter, P::kDrop, P::kAuthorize, P::kDescribe};
constexpr Permissions kFunctionPermissions{P::kAlter, P::kDrop, P::kAuthorize, P::kExecute};
constexpr Permissions kBeanPermissions{P::kAuthorize, P::kDescribe, P::kExecute, P::kModify,
                                       P::kSelect};

}  // namespace

std::string Resource::key() const {
  switch (kind) {
    case Kind::kAllKeyspaces:
      return "data";
    case Kind::kKeyspace:
      return "data/" + keyspace;
    case Kind::kAllTables:
      return "data/" + keyspace + "/*";
    case Kind::kTable:
      return "data/" + keyspace + "/" + name;
    case Kind::kAllRoles:
      return "roles";
    case Kind::kRole:
      return "roles/" + name;
    case Kind::kAllFunctions:
      return "functions";
    case Kind::kKeyspaceFunctions:
      return "functions/" + keyspace;
    case Kind::kFunction:
      return "functions/" + keyspace + "/" + name;
    case Kind::kAllBeans:
      return "mbean";
    case Kind::kBean:
      return "mbean/" + name;
  }
  return {};
}

std::optional<Resource> Resource::of_key(std::string_view key) {
  // A role's name may hold anything, so only the first parts are split.
  const auto first = key.substr(0, key.find('/'));
  if (first.size() == key.size()) {
    if (first == "data") return Resource{Kind::kAllKeyspaces};
    if (first == "roles") return Resource{Kind::kAllRoles};
    if (first == "functions") return Resource{Kind::kAllFunctions};
    if (first == "mbean") return Resource{Kind::kAllBeans};
    return std::nullopt;
  }
  const std::string_view rest = key.substr(first.size() + 1);
  if (first == "roles") return role(rest);
  if (first == "mbean") return Resource{Kind::kBean, {}, std::string(rest)};
  const bool data = first == "data";
  if (!data && first != "functions") return std::nullopt;
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos) return data ? of_keyspace(rest) : functions_of(rest);
  const auto name = rest.substr(slash + 1);
  if (!data)
    return Resource{Kind::kFunction, std::string(rest.substr(0, slash)), std::string(name)};
  return name == "*" ? all_tables(rest.substr(0, slash)) : table(rest.substr(0, slash), name);
}

std::string Resource::text() const {
  switch (kind) {
    case Kind::kAllKeyspaces:
      return "<all keyspaces>";
    case Kind::kKeyspace:
      return fmt::format("<keyspace {}>", keyspace);
    case Kind::kAllTables:
      return fmt::format("<all tables in {}>", keyspace);
    case Kind::kTable:
      return fmt::format("<table {}.{}>", keyspace, name);
    case Kind::kAllRoles:
      return "<all roles>";
    case Kind::kRole:
      return fmt::format("<role {}>", name);
    case Kind::kAllFunctions:
      return "<all functions>";
    case Kind::kKeyspaceFunctions:
      return fmt::format("<all functions in {}>", keyspace);
    case Kind::kFunction:
      return fmt::format("<function {}.{}>", keyspace, name);
    case Kind::kAllBeans:
      return "<all mbeans>";
    case Kind::kBean:
      return fmt::format("<mbean {}>", name);
  }
  return {};
}

std::optional<Resource> Resource::parent() const {
  switch (kind) {
    case Kind::kAllKeyspaces:
    case Kind::kAllRoles:
    case Kind::kAllFunctions:
    case Kind::kAllBeans:
      return std::nullopt;
    case Kind::kKeyspace:
      return all_keyspaces();
    case Kind::kAllTables:
      return of_keyspace(keyspace);
    case Kind::kTable:
      return all_tables(keyspace);
    case Kind::kRole:
      return all_roles();
    case Kind::kKeyspaceFunctions:
      return Resource{Kind::kAllFunctions};
    case Kind::kFunction:
      return functions_of(keyspace);
    case Kind::kBean:
      return Resource{Kind::kAllBeans};
  }
  return std::nullopt;
}

Permissions Resource::applicable() const {
  switch (kind) {
    case Kind::kAllKeyspaces:
    case Kind::kKeyspace:
    case Kind::kAllTables:
      return kKeyspacePermissions;
    case Kind::kTable:
      return kTablePermissions;
    case Kind::kAllRoles:
      return kRolePermissions | Permissions{P::kCreate};
    case Kind::kRole:
      return kRolePermissions;
    case Kind::kAllFunctions:
    case Kind::kKeyspaceFunctions:
      return kFunctionPermissions | Permissions{P::kCreate};
    case Kind::kFunction:
      return kFunctionPermissions;
    case Kind::kAllBeans:
    case Kind::kBean:
      return kBeanPermissions;
  }
  return {};
}

std::string_view Resource::class_name() const {
  if (is_data()) return "DataResource";
  if (is_function()) return "FunctionResource";
  return kind == Kind::kAllRoles || kind == Kind::kRole ? "RoleResource" : "JMXResource";
}

cql_types::Outcome<Resource> resource_of(const cql_syntax::Resource& written,
                                         const std::string& keyspace) {
  using Written = cql_syntax::Resource::Kind;
  const auto& name = written.name;
  Resource made;
  switch (written.kind) {
    case Written::kAllKeyspaces:
      break;
    case Written::kKeyspace:
      made = Resource::of_keyspace(name.name);
      break;
    case Written::kTables:
      made = Resource::all_tables(name.keyspace.value_or(""));
      break;
    case Written::kTable:
      if (!name.keyspace && keyspace.empty())
        return cql_types::invalid(
            "No keyspace has been specified. USE a keyspace, or explicitly specify "
            "keyspace.tablename");
      made = Resource::table(name.keyspace.value_or(keyspace), name.name);
      break;
    case Written::kAllRoles:
      made.kind = Kind::kAllRoles;
      break;
    case Written::kRole:
      made = Resource::role(name.name);
      break;
    case Written::kAllFunctions:
      made.kind = Kind::kAllFunctions;
      break;
    case Written::kKeyspaceFunctions:
      made = Resource::functions_of(name.keyspace.value_or(""));
      break;
    case Written::kFunction: {
      if (!name.keyspace)
        return cql_types::invalid(
            "In this context function name must be explictly qualified by a keyspace");
      std::string arguments;
      for (const auto& type : written.arguments)
        arguments += (arguments.empty() ? "" : ", ") + cql_syntax::print(type);
      made = {Kind::kFunction, *name.keyspace, fmt::format("{}({})", name.name, arguments)};
      break;
    }
    case Written::kAllBeans:
      made.kind = Kind::kAllBeans;
      break;
    case Written::kBean:
    case Written::kBeans:
      made = {Kind::kBean, {}, name.name};
      break;
  }
  if (made.is_function() && made.keyspace == "system")
    return cql_types::invalid("Altering permissions on builtin functions is not supported");
  return made;
}

}  // namespace tailrace::cql_roles
