#include "cql_roles/roles.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/check.h"
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

Roles::Reach Roles::reach_of(const Role& role) const {
  Reach made;
  std::set<std::string_view> seen{role.name};
  std::vector<const Role*> waiting{&role};
  while (!waiting.empty()) {
    const Role* next = waiting.back();
    waiting.pop_back();
    const auto grants = grants_.find(next->name);
    made.roles.emplace_back(next, grants == grants_.end() ? nullptr : &grants->second);
    made.superuser |= next->superuser;
    for (const auto& name : next->member_of) {
      const Role* other = find(name);
      if (other != nullptr && seen.insert(other->name).second) waiting.push_back(other);
    }
  }
  return made;
}

void Roles::settle() {
  reaches_.clear();
  for (const auto& [name, role] : roles_) reaches_.emplace(name, reach_of(role));
}

const Roles::Reach* Roles::reach(std::string_view name) const {
  DCHECK(reaches_.size() == roles_.size());
  const auto found = reaches_.find(name);
  return found == reaches_.end() ? nullptr : &found->second;
}

std::set<std::string> Roles::roles_of(std::string_view name, bool through_others) const {
  std::set<std::string> made;
  if (through_others) {
    const Reach* all = reach(name);
    if (all == nullptr) return made;
    for (const auto& [role, grants] : all->roles) made.insert(role->name);
  } else if (const Role* role = find(name)) {
    made.insert(role->name);
    for (const auto& other : role->member_of)
      if (find(other) != nullptr) made.insert(other);
  }
  return made;
}

bool Roles::is_superuser(std::string_view name) const {
  const Reach* all = reach(name);
  return all != nullptr && all->superuser;
}

Permissions Roles::permissions(std::string_view name, const Resource& resource) const {
  const Reach* all = reach(name);
  if (all == nullptr) return {};
  if (all->superuser) return resource.applicable();
  const std::string key = resource.key();
  Permissions made;
  for (const auto& [role, grants] : all->roles) {
    if (grants == nullptr) continue;
    const auto held = grants->find(key);
    if (held != grants->end()) made = made | held->second;
  }
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
  const Reach* all = reach(name);
  if (all == nullptr) return false;
  if (all->superuser) return true;  // a table or its keyspace can have each of them
  const auto any_has = [&](std::string_view key) {
    return std::ranges::any_of(all->roles, [&](const auto& one) {
      if (one.second == nullptr) return false;
      const auto held = one.second->find(key);
      return held != one.second->end() && held->second.has(permission);
    });
  };
  // data/KEYSPACE/TABLE and data/KEYSPACE/*, without a text on the heap.
  fmt::memory_buffer text;
  fmt::format_to(std::back_inserter(text), "data/{}/{}", keyspace, table);
  const std::string_view own(text.data(), text.size());
  const std::string_view of_keyspace = own.substr(0, own.size() - table.size() - 1);
  if (any_has(own) || any_has(of_keyspace)) return true;
  text.resize(of_keyspace.size() + 1);
  text.push_back('*');
  if (any_has({text.data(), text.size()})) return true;
  return any_has("data") && !cql_schema::is_system_keyspace(keyspace);
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
