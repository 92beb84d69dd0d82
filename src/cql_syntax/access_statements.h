// Statements on roles, users, permissions and identities, and DESCRIBE.
#pragma once

#include "cql_syntax/schema_statements.h"

namespace tailrace::cql_syntax {

/// CREATE, ALTER and DROP of ROLE and USER. What is not said is not set.
struct RoleStatement {
  enum class Kind : std::uint8_t { kCreate, kAlter, kDrop };
  Kind kind = Kind::kCreate;
  bool user = false;          // the old words: USER name WITH PASSWORD '…' SUPERUSER
  bool if_condition = false;  // IF NOT EXISTS of kCreate, IF EXISTS of the others
  std::string name;
  std::optional<std::string> password;
  std::optional<std::string> hashed_password;
  std::optional<bool> superuser;
  std::optional<bool> login;
  std::optional<Expression> options;  // a kMap of constants
  bool all_datacenters = false;
  std::vector<std::string> datacenters;
  bool all_cidrs = false;
  std::vector<std::string> cidrs;
};

struct Resource {
  /// kTables and kKeyspaceFunctions: all of keyspace `name.keyspace`. kKeyspace, kRole and kBean,
  /// kBeans: `name.name`.
  enum class Kind : std::uint8_t {
    kAllKeyspaces,
    kKeyspace,
    kTable,
    kTables,
    kAllRoles,
    kRole,
    kAllFunctions,
    kKeyspaceFunctions,
    kFunction,
    kAllBeans,
    kBean,
    kBeans,
  };
  Kind kind = Kind::kTable;
  QualifiedName name;
  std::vector<Type> arguments;  // of kFunction
};

/// GRANT and REVOKE of permissions. Permissions are in capitals, in the order written; none: ALL.
struct PermissionStatement {
  bool revoke = false;
  std::vector<std::string> permissions;
  Resource resource;
  std::string role;
};

/// GRANT role TO role, REVOKE role FROM role.
struct RoleGrant {
  bool revoke = false;
  std::string role;
  std::string other;
};

struct ListStatement {
  enum class Kind : std::uint8_t { kPermissions, kRoles, kUsers };
  Kind kind = Kind::kRoles;
  std::vector<std::string> permissions;  // none: ALL
  std::optional<Resource> resource;
  std::optional<std::string> of;
  bool recursive = true;
};

/// ADD IDENTITY identity TO ROLE role, DROP IDENTITY identity.
struct IdentityStatement {
  bool drop = false;
  bool if_condition = false;
  std::string identity;
  std::string role;
};

struct Describe {
  /// kAny: a name of a keyspace, table, view, index, type, function or aggregate. kKeyspace:
  /// `name.name`, empty: the one in use.
  enum class Kind : std::uint8_t {
    kCluster,
    kSchema,
    kFullSchema,
    kKeyspaces,
    kKeyspace,
    kOnlyKeyspace,
    kTables,
    kTable,
    kIndex,
    kView,
    kTypes,
    kType,
    kFunctions,
    kFunction,
    kAggregates,
    kAggregate,
    kAny,
  };
  Kind kind = Kind::kAny;
  QualifiedName name;
  bool with_internals = false;
};

}  // namespace tailrace::cql_syntax
