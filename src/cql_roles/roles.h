// Who there is, what roles they have, and what they may: one moment of it, immutable and shared.
// A role has the permissions of all roles it is a member of, and of those these are members of.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cql_roles/permission.h"
#include "cql_roles/resource.h"
#include "cql_types/failure.h"

namespace tailrace::cql_roles {

struct Role {
  std::string name;
  bool superuser = false, login = false;
  std::string salted_hash = {};  // empty: it has no password
  std::set<std::string> member_of = {};
};

/// By the resource's key.
using Grants = std::map<std::string, Permissions, std::less<>>;

/// Made by add, grant and add_identity; then settle(), and no more of these.
class Roles {
 public:
  Roles() = default;
  Roles(Roles&&) = default;
  Roles& operator=(Roles&&) = default;

  void add(Role role);
  /// A role's that may not be there.
  void grant(std::string_view role, std::string_view resource_key, Permissions permissions);
  void add_identity(std::string identity, std::string role);
  /// Works out what each has by others.
  void settle();

  /// Null where there is none.
  const Role* find(std::string_view name) const;
  const std::map<std::string, Role, std::less<>>& all() const { return roles_; }
  const std::map<std::string, Grants, std::less<>>& grants() const { return grants_; }
  const std::map<std::string, std::string, std::less<>>& identities() const { return identities_; }

  /// The role and those it is a member of, by name; directly or through others. None where it is
  /// not there.
  std::set<std::string> roles_of(std::string_view name, bool through_others) const;
  /// By itself or by a role it has.
  bool is_superuser(std::string_view name) const;

  /// On this very resource: of a superuser all that it can have.
  Permissions permissions(std::string_view name, const Resource& resource) const;
  /// On the resource or one it lies in. Who is no superuser has nothing on the server's keyspaces
  /// by what he has on all.
  bool may(std::string_view name, Permission permission, const Resource& resource) const;
  /// The same of a table, without a Resource.
  bool may_on_table(std::string_view name, Permission permission, std::string_view keyspace,
                    std::string_view table) const;

 private:
  /// A role with those that it has, and what each was granted (null: nothing).
  struct Reach {
    bool superuser = false;
    std::vector<std::pair<const Role*, const Grants*>> roles;
  };
  Reach reach_of(const Role& role) const;
  /// Null where there is no such role.
  const Reach* reach(std::string_view name) const;

  std::map<std::string, Role, std::less<>> roles_;
  std::map<std::string, Grants, std::less<>> grants_;
  std::map<std::string, std::string, std::less<>> identities_;
  std::map<std::string_view, Reach> reaches_;  // by names in roles_
};
using RolesPtr = std::shared_ptr<const Roles>;

/// Unauthorized, in Cassandra's words, where the role may not.
cql_types::Outcome<void> ensure(const Roles& roles, std::string_view role, Permission permission,
                                const Resource& resource);

}  // namespace tailrace::cql_roles
