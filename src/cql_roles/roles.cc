#include "cql_roles/roles.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cql_schema/schema.h"

namespace tailrace::cql_roles {

void Roles::add(Role role) {
  auto name = role.name;
  roles_.insert_or_assign(std::move(name), std::move(role));
}

void Roles::grant(std::string_view role, std::string_view resource_key, Permissions permissions) {
  auto& grants = grants_[std::string(role)];
  auto& held = grants[std::string(resource_key)];
  held = held | permissions;
}

void Roles::add_identity(std::string identity, std::string role) {
  identities_.insert_or_assign(std::move(identity), std::move(role));
}

const Role* Roles::find(std::string_view name) const {
  const auto found = roles_.find(name);
  return found == roles_.end() ? nullptr : &found->second;
}

/// Calls `visit` with the role and each that it has, until it says true.
template <typename Visit>
bool Roles::any_role(std::string_view name, const Visit& visit) const {
  const Role* first = find(name);
  if (first == nullptr) return false;
  if (visit(*first)) return true;
  if (first->member_of.empty()) return false;
  std::set<std::string_view> seen{first->name};
  std::vector<const Role*> waiting{first};
  while (!waiting.empty()) {
    const Role* role = waiting.back();
    waiting.pop_back();
    for (const auto& member_of : role->member_of) {
      const Role* next = find(member_of);
      if (next == nullptr || !seen.insert(next->name).second) continue;
      if (visit(*next)) return true;
      waiting.push_back(next);
    }
  }
  return false;
}

std::set<std::string> Roles::roles_of(std::string_view name, bool through_others) const {
  std::set<std::string> made;
  if (through_others) {
    any_role(name, [&](const Role& role) {
      made.insert(role.name);
      return false;
    });
  } else if (const Role* role = find(name)) {
    made.insert(role->name);
    for (const auto& other : role->member_of)
      if (find(other) != nullptr) made.insert(other);
  }
  return made;
}

bool Roles::is_superuser(std::string_view name) const {
  return any_role(name, [](const Role& role) { return role.superuser; });
}

Permissions Roles::permissions(std::string_view name, const Resource& resource) const {
  if (is_superuser(name)) return resource.applicable();
  const std::string key = resource.key();
  Permissions made;
  any_role(name, [&](const Role& role) {
    const auto grants = grants_.find(role.name);
    if (grants == grants_.end()) return false;
    const auto held = grants->second.find(key);
    if (held != grants->second.end()) made = made | held->second;
    return false;
  });
  return made;
}

bool Roles::may(std::string_view name, Permission permission, const Resource& resource) const {
  const bool super = is_superuser(name);
  const bool servers =
      resource.is_data() && !super && cql_schema::is_system_keyspace(resource.keyspace);
  for (std::optional<Resource> at = resource; at; at = at->parent()) {
    if (servers && !at->parent()) return false;
    if ((super ? at->applicable() : permissions(name, *at)).has(permission)) return true;
  }
  return false;
}

bool Roles::may_on_table(std::string_view name, Permission permission, std::string_view keyspace,
                         std::string_view table) const {
  if (is_superuser(name)) return true;  // a table or its keyspace can have each of them
  // The keys of a table and of all it lies in are beginnings of two texts.
  const std::string own = fmt::format("data/{}/{}", keyspace, table);
  const std::string all = fmt::format("data/{}/*", keyspace);
  const std::string_view of_keyspace = std::string_view(all).substr(0, all.size() - 2);
  const bool servers = cql_schema::is_system_keyspace(keyspace);
  const std::array<std::string_view, 4> keys{own, all, of_keyspace, servers ? "" : "data"};
  return any_role(name, [&](const Role& role) {
    const auto grants = grants_.find(role.name);
    if (grants == grants_.end()) return false;
    return std::ranges::any_of(keys, [&](std::string_view key) {
      const auto held = grants->second.find(key);
      return held != grants->second.end() && held->second.has(permission);
    });
  });
}

cql_types::Outcome<void> ensure(const Roles& roles, std::string_view role, Permission permission,
                                const Resource& resource) {
  const bool may = resource.kind == Resource::Kind::kTable
                       ? roles.may_on_table(role, permission, resource.keyspace, resource.name)
                       : roles.may(role, permission, resource);
  if (may) return {};
  return cql_types::failure(cql_types::ErrorCode::kUnauthorized,
                            fmt::format("User {} has no {} permission on {} or any of its parents",
                                        role, name_of(permission), resource.text()));
}

}  // namespace tailrace::cql_roles
