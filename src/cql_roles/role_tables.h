// Roles as they are kept: the tables of system_auth, each row where Cassandra puts it.
//
//   roles                           role → can_login, is_superuser, member_of, salted_hash
//   role_members                    role, member
//   role_permissions                role, resource → permissions
//   resource_role_permissons_index  resource, role
//   identity_to_role                identity → role
//   cidr_permissions                role → cidr_groups, always empty
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cql_roles/roles.h"
#include "cql_schema/schema.h"
#include "cql_store/store.h"

namespace tailrace::cql_roles {

constexpr std::string_view kAuthKeyspace = "system_auth";

/// What the tables hold at a moment. Values that are not there are false, empty or nothing.
struct ReadRoles {
  Roles roles;
  /// The first second at which something of it expires; the largest number: never.
  std::int64_t expires = 0;
};
Result<ReadRoles> read_roles(const cql_store::Snapshot& snapshot, const cql_schema::Schema& schema,
                             std::int64_t now_seconds);

/// What is said of a role; what is not said stays as it is, or is false of a new one.
struct RoleValues {
  std::optional<bool> superuser = {}, login = {};
  std::optional<std::string> salted_hash = {};
};

/// Adds changes to a mutation, all at one time.
class RoleWriter {
 public:
  RoleWriter(cql_store::Mutation& to, const cql_schema::Schema& schema, std::int64_t timestamp_us,
             std::int64_t now_seconds)
      : to_(to), schema_(schema), timestamp_(timestamp_us), deletion_{timestamp_us, now_seconds} {}

  void create(std::string_view role, const RoleValues& values);
  void alter(std::string_view role, const RoleValues& values);
  /// No networks that the role is bound to, as they are written for a role that is.
  void no_cidr_groups(std::string_view role);
  /// The role, its members' membership, its identities, what it was granted and what was granted on
  /// it. Where it is a member itself stays in role_members, as in Cassandra.
  void drop(std::string_view role, const Roles& roles);

  void add_member(std::string_view role, std::string_view member);
  void remove_member(std::string_view role, std::string_view member);

  void grant(std::string_view role, const std::string& resource_key, Permissions permissions);
  /// `left`: what it has on the resource after it.
  void revoke(std::string_view role, const std::string& resource_key, Permissions permissions,
              Permissions left);
  void revoke_all_on(const std::string& resource_key, const Roles& roles);

  void add_identity(std::string_view identity, std::string_view role);
  void drop_identity(std::string_view identity);

 private:
  struct Place;
  Place row(std::string_view table, std::string_view partition, std::string_view clustering = {});
  void insert(std::string_view table, std::string_view partition, std::string_view clustering = {});
  void erase_row(std::string_view table, std::string_view partition, std::string_view clustering);
  void erase_partition(std::string_view table, std::string_view partition);
  void put(std::string_view role, const RoleValues& values);

  cql_store::Mutation& to_;
  const cql_schema::Schema& schema_;
  const std::int64_t timestamp_;
  const cql_store::Deletion deletion_;
};

}  // namespace tailrace::cql_roles
