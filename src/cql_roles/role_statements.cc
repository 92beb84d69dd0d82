#include "cql_roles/role_statements.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "cql_roles/passwords.h"
#include "cql_schema/java_order.h"
#include "cql_types/parts.h"
#include "cql_types/type.h"

namespace tailrace::cql_roles {

using cql_protocol::Answer;
using cql_schema::is_system_keyspace;
using cql_schema::is_virtual_keyspace;
using cql_syntax::IdentityStatement;
using cql_syntax::ListStatement;
using cql_syntax::PermissionStatement;
using cql_syntax::RoleGrant;
using cql_syntax::RoleStatement;
using cql_types::ErrorCode;
using cql_types::invalid;
using cql_types::Outcome;

namespace {

constexpr std::size_t kLongestKey = 65'535;
/// Who nobody is.
constexpr std::string_view kAnonymous = "anonymous";

std::unexpected<cql_types::Failure> unauthorized(std::string sentence) {
  return cql_types::failure(ErrorCode::kUnauthorized, std::move(sentence));
}

std::unexpected<cql_types::Failure> unsupported(std::string_view option) {
  return invalid(
      fmt::format("org.apache.cassandra.auth.CassandraRoleManager doesn't support {}", option));
}

/// Rows of an answer, value by value.
class Table {
 public:
  using Kind = cql_types::Kind;
  Table(std::string_view name, std::vector<std::pair<std::string, cql_types::TypePtr>> columns) {
    auto specs = std::make_shared<std::vector<cql_protocol::ColumnSpec>>();
    for (auto& [column, type] : columns)
      specs->push_back({std::string(kAuthKeyspace), std::string(name), column, type});
    rows_.columns = std::move(specs);
  }

  void row() { ++rows_.count; }
  void add(std::string_view text) { cql_types::append_part(rows_.content, text); }
  void add_flag(bool flag) { add(flag ? std::string_view("\1", 1) : std::string_view("\0", 1)); }
  void add_empty_map() { add(std::string_view("\0\0\0\0", 4)); }

  Answer answer() && { return {std::move(rows_), {}}; }

 private:
  cql_protocol::Rows rows_;
};

cql_types::TypePtr text_type() {
  return cql_types::native_type(cql_types::Kind::kText);
}
cql_types::TypePtr boolean_type() {
  return cql_types::native_type(cql_types::Kind::kBoolean);
}

Answer nothing() {
  return {};
}

/// The permissions of a statement that its resource can have.
Outcome<Permissions> granted(const PermissionStatement& statement, const Resource& resource) {
  Permissions asked;
  for (const auto& name : statement.permissions)
    if (const auto one = permission_of(name)) asked.add(*one);
  if (statement.permissions.empty()) asked = Permissions::all();
  const Permissions made = asked & resource.applicable();
  if (made.empty())
    return cql_types::failure(
        ErrorCode::kSyntax,
        fmt::format("Resource type {} does not support any of the requested permissions",
                    resource.class_name()));
  return made;
}

class Runner {
 public:
  Runner(const Scene& scene, RoleWriter& writer) : scene_(scene), writer_(writer) {}

  Outcome<Answer> operator()(const RoleStatement& statement) {
    switch (statement.kind) {
      case RoleStatement::Kind::kCreate:
        return create(statement);
      case RoleStatement::Kind::kAlter:
        return alter(statement);
      case RoleStatement::Kind::kDrop:
        return drop(statement);
    }
    return nothing();
  }
  Outcome<Answer> operator()(const PermissionStatement& statement);
  Outcome<Answer> operator()(const RoleGrant& statement);
  Outcome<Answer> operator()(const ListStatement& statement) {
    return statement.kind == ListStatement::Kind::kPermissions ? list_permissions(statement)
                                                               : list_roles(statement);
  }
  Outcome<Answer> operator()(const IdentityStatement& statement) {
    return statement.drop ? drop_identity(statement) : add_identity(statement);
  }
  template <typename Other>
  Outcome<Answer> operator()(const Other&) {
    return cql_types::failure(ErrorCode::kServer, "the statement is not about roles");
  }

 private:
  std::string_view user() const {
    return scene_.user.empty() ? kAnonymous : std::string_view(scene_.user);
  }
  bool is_superuser() const {
    return !scene_.user.empty() && scene_.roles.is_superuser(scene_.user);
  }
  bool exists(std::string_view role) const { return scene_.roles.find(role) != nullptr; }
  bool exists(const Resource& resource) const;

  Outcome<void> ensure_not_anonymous() const {
    if (!scene_.user.empty()) return {};
    return unauthorized("You have to be logged in and not anonymous to perform this request");
  }
  /// Of statements on roles, which do not tell what is missing.
  Outcome<void> check_permission(Permission permission, const Resource& resource) const {
    if (!scene_.passwords || scene_.roles.may(user(), permission, resource)) return {};
    return unauthorized(fmt::format(
        "User {} does not have sufficient privileges to perform the requested operation", user()));
  }
  Outcome<void> ensure_permission(Permission permission, const Resource& resource) const {
    if (!scene_.passwords) return {};
    return ensure(scene_.roles, user(), permission, resource);
  }

  Outcome<void> check_options(const RoleStatement& statement) const;
  Outcome<void> check_places(const RoleStatement& statement) const;
  RoleValues values_of(const RoleStatement& statement) const;
  Outcome<Answer> create(const RoleStatement& statement);
  Outcome<void> authorize_alter(const RoleStatement& statement) const;
  Outcome<Answer> alter(const RoleStatement& statement);
  Outcome<Answer> drop(const RoleStatement& statement);

  Outcome<Answer> list_roles(const ListStatement& statement) const;
  Answer roles_answer(const std::set<std::string>& names) const;
  Answer users_answer(const std::set<std::string>& names) const;
  Outcome<Answer> list_permissions(const ListStatement& statement) const;

  Outcome<Answer> add_identity(const IdentityStatement& statement);
  Outcome<Answer> drop_identity(const IdentityStatement& statement);

  const Scene& scene_;
  RoleWriter& writer_;
};

bool Runner::exists(const Resource& resource) const {
  using Kind = Resource::Kind;
  const auto* keyspace = scene_.schema.keyspace(resource.keyspace);
  switch (resource.kind) {
    case Kind::kKeyspace:
    case Kind::kAllTables:
      return keyspace != nullptr;
    case Kind::kTable:
      return scene_.schema.table(resource.keyspace, resource.name) != nullptr;
    case Kind::kRole:
      return exists(resource.name);
    case Kind::kKeyspaceFunctions:
      return keyspace != nullptr && !keyspace->virtual_keyspace;
    case Kind::kFunction:  // nobody makes any here
    case Kind::kBean:      // nor is there a Java whose beans they were
      return false;
    default:
      return true;
  }
}

// CREATE, ALTER, DROP.

bool says_places(const RoleStatement& statement) {
  return statement.all_datacenters || !statement.datacenters.empty();
}
bool says_networks(const RoleStatement& statement) {
  return statement.all_cidrs || !statement.cidrs.empty();
}

/// What Cassandra calls the options of a statement.
std::vector<std::string_view> options_of(const RoleStatement& statement) {
  std::vector<std::string_view> made;
  if (statement.superuser) made.emplace_back("SUPERUSER");
  if (statement.login) made.emplace_back("LOGIN");
  if (statement.password) made.emplace_back("PASSWORD");
  if (statement.hashed_password) made.emplace_back("HASHED_PASSWORD");
  if (statement.options) made.emplace_back("OPTIONS");
  return made;
}

Outcome<void> Runner::check_options(const RoleStatement& statement) const {
  if (statement.options) return unsupported("OPTIONS");
  if (statement.password && !scene_.passwords) return unsupported("PASSWORD");
  if (!statement.hashed_password) return {};
  if (!scene_.passwords) return unsupported("HASHED_PASSWORD");
  switch (form_of_hash(*statement.hashed_password)) {
    case HashForm::kUsable:
      return {};
    case HashForm::kTooSlow:
      return invalid(fmt::format("Hashed passwords of more than 2^{} rounds take too long to check",
                                 kMostLog2Rounds));
    case HashForm::kNone:
      return invalid("Invalid hashed password value. Please use jBcrypt.");
  }
  return {};
}

/// Data centers and networks that the role shall be bound to: there is one, and there are none.
Outcome<void> Runner::check_places(const RoleStatement& statement) const {
  const auto set_text = [](const std::vector<std::string>& names) {
    return cql_schema::java_list(cql_schema::java_order(names));
  };
  const bool known = std::ranges::all_of(
      statement.datacenters, [&](const auto& name) { return name == scene_.data_center; });
  if (!known)
    return invalid(
        fmt::format("Invalid value(s) for DATACENTERS '{}',All values must be valid datacenters",
                    set_text(statement.datacenters)));
  if (!statement.cidrs.empty())
    return invalid(fmt::format("Invalid CIDR group(s): {}. Available CIDR Groups are: []",
                               set_text(statement.cidrs)));
  return {};
}

RoleValues Runner::values_of(const RoleStatement& statement) const {
  return {.superuser = statement.superuser,
          .login = statement.login,
          .salted_hash = statement.password ? scene_.salted_hash : statement.hashed_password};
}

Outcome<Answer> Runner::create(const RoleStatement& statement) {
  TRY(check_permission(Permission::kCreate, Resource::all_roles()));
  if (statement.superuser.value_or(false) && !is_superuser())
    return unauthorized("Only superusers can create a role with superuser status");
  TRY(check_options(statement));
  if (statement.name.empty()) return invalid("Role name can't be an empty string");
  TRY(check_places(statement));
  TRY(ensure_not_anonymous());
  const std::string resource = Resource::role(statement.name).key();
  if (resource.size() > kLongestKey)
    return invalid(fmt::format("Key length of {} is longer than maximum of {}",
                               statement.name.size(), kLongestKey));
  if (exists(statement.name)) {
    if (statement.if_condition) return nothing();
    return invalid(fmt::format("{} already exists", statement.name));
  }
  RoleValues values = values_of(statement);
  if (statement.user) values.login = true;
  writer_.create(statement.name, values);
  if (!statement.user) writer_.no_cidr_groups(statement.name);
  writer_.grant(scene_.user, resource, Resource::role(statement.name).applicable());
  return nothing();
}

Outcome<void> Runner::authorize_alter(const RoleStatement& statement) const {
  const bool super = is_superuser();
  if (statement.superuser && scene_.roles.roles_of(user(), true).contains(statement.name))
    return unauthorized(
        "You aren't allowed to alter your own superuser status or that of a role granted to you");
  if (statement.superuser && !super)
    return unauthorized("Only superusers are allowed to alter superuser status");
  if (says_places(statement) && !super)
    return unauthorized("Only superusers are allowed to alter access to datacenters.");
  if (says_networks(statement) && !super)
    return unauthorized("Only superusers are allowed to alter access from CIDR groups.");
  if (super) return {};
  if (user() != statement.name)
    return check_permission(Permission::kAlter, Resource::role(statement.name));
  for (const auto option : options_of(statement)) {
    const bool password = option == "PASSWORD" || option == "HASHED_PASSWORD";
    if (!password || !scene_.passwords)
      return unauthorized(fmt::format("You aren't allowed to alter {}", option));
  }
  return {};
}

Outcome<Answer> Runner::alter(const RoleStatement& statement) {
  TRY(authorize_alter(statement));
  TRY(check_options(statement));
  if (options_of(statement).empty() && !says_places(statement) && !says_networks(statement))
    return invalid("ALTER [ROLE|USER] can't be empty");
  TRY(check_places(statement));
  TRY(ensure_not_anonymous());
  if (!exists(statement.name)) {
    if (statement.if_condition) return nothing();
    return invalid(fmt::format("Role {} doesn't exist", statement.name));
  }
  if (says_places(statement))
    return invalid("ACCESS TO DATACENTERS operations not supported by AllowAllNetworkAuthorizer");
  if (!options_of(statement).empty()) writer_.alter(statement.name, values_of(statement));
  if (says_networks(statement)) writer_.no_cidr_groups(statement.name);
  return nothing();
}

Outcome<Answer> Runner::drop(const RoleStatement& statement) {
  TRY(check_permission(Permission::kDrop, Resource::role(statement.name)));
  if (scene_.roles.is_superuser(statement.name) && !is_superuser())
    return unauthorized("Only superusers can drop a role with superuser status");
  TRY(ensure_not_anonymous());
  const bool there = exists(statement.name);
  if (!there && !statement.if_condition)
    return invalid(fmt::format("{} doesn't exist", statement.name));
  if (statement.name == scene_.user) return invalid("Cannot DROP primary role for current login");
  if (there) writer_.drop(statement.name, scene_.roles);
  return nothing();
}

// GRANT, REVOKE.

Outcome<Answer> Runner::operator()(const RoleGrant& statement) {
  const auto& [revoke, role, member] = statement;
  TRY(check_permission(Permission::kAuthorize, Resource::role(role)));
  TRY(ensure_not_anonymous());
  for (const auto& name : {role, member})
    if (!exists(name)) return invalid(fmt::format("{} doesn't exist", name));
  if (revoke) {
    if (!scene_.roles.roles_of(member, false).contains(role))
      return invalid(fmt::format("{} is not a member of {}", member, role));
    writer_.remove_member(role, member);
    return nothing();
  }
  if (scene_.roles.roles_of(member, true).contains(role))
    return invalid(fmt::format("{} is a member of {}", member, role));
  if (scene_.roles.roles_of(role, true).contains(member))
    return invalid(fmt::format("{} is a member of {}", role, member));
  writer_.add_member(role, member);
  return nothing();
}

Outcome<Answer> Runner::operator()(const PermissionStatement& statement) {
  ASSIGN(const auto resource, resource_of(statement.resource, scene_.keyspace));
  ASSIGN(const auto permissions, granted(statement, resource));
  TRY(ensure_permission(Permission::kAuthorize, resource));
  Outcome<void> may;
  permissions.each([&](Permission one) {
    if (may) may = ensure_permission(one, resource);
  });
  TRY(std::move(may));
  TRY(ensure_not_anonymous());
  const std::string& role = statement.role;
  if (!exists(role)) return invalid(fmt::format("Role {} doesn't exist", role));
  if (!exists(resource)) return invalid(fmt::format("Resource {} doesn't exist", resource.text()));
  constexpr Permissions kOnServers{Permission::kSelect, Permission::kDescribe, Permission::kAlter};
  const bool servers = resource.is_data() && is_system_keyspace(resource.keyspace) &&
                       !is_virtual_keyspace(resource.keyspace);
  if (!statement.revoke && servers && !(permissions - kOnServers).empty())
    return unauthorized(
        "Granting permissions on system keyspaces is strictly limited, this operation is not "
        "permitted");

  const std::string key = resource.key();
  Permissions held;
  const auto grants = scene_.roles.grants().find(role);
  if (grants != scene_.roles.grants().end())
    if (const auto found = grants->second.find(key); found != grants->second.end())
      held = found->second;
  const Permissions changed = statement.revoke ? permissions & held : permissions - held;
  Answer answer;
  if (changed != permissions) {
    std::vector<std::string_view> names;
    (permissions - changed).each([&](Permission one) { names.push_back(name_of(one)); });
    answer.warnings.push_back(fmt::format("Role '{}' was {} granted {} on {}", role,
                                          statement.revoke ? "not" : "already",
                                          fmt::join(names, ", "), resource.text()));
  }
  if (changed.empty()) return answer;
  if (statement.revoke)
    writer_.revoke(role, key, changed, held - changed);
  else
    writer_.grant(role, key, changed);
  return answer;
}

// LIST.

Answer Runner::roles_answer(const std::set<std::string>& names) const {
  const auto options = cql_types::map_of(text_type(), text_type(), false);
  Table table("roles", {{"role", text_type()},
                        {"super", boolean_type()},
                        {"login", boolean_type()},
                        {"options", options},
                        {"datacenters", text_type()}});
  for (const auto& name : names) {
    const Role* role = scene_.roles.find(name);
    table.row();
    table.add(name);
    table.add_flag(role->superuser);
    table.add_flag(role->login);
    table.add_empty_map();
    table.add("ALL");
  }
  return std::move(table).answer();
}

Answer Runner::users_answer(const std::set<std::string>& names) const {
  Table table("users",
              {{"name", text_type()}, {"super", boolean_type()}, {"datacenters", text_type()}});
  for (const auto& name : names) {
    if (!scene_.roles.find(name)->login) continue;
    table.row();
    table.add(name);
    table.add_flag(scene_.roles.is_superuser(name));
    table.add("ALL");
  }
  return std::move(table).answer();
}

Outcome<Answer> Runner::list_roles(const ListStatement& statement) const {
  TRY(ensure_not_anonymous());
  if (statement.of && !exists(*statement.of))
    return invalid(fmt::format("{} doesn't exist", Resource::role(*statement.of).text()));
  const Roles& roles = scene_.roles;
  const bool users = statement.kind == ListStatement::Kind::kUsers;
  const bool recursive = statement.recursive && !users;
  const bool everybody =
      roles.permissions(user(), Resource::all_roles()).has(Permission::kDescribe);
  std::set<std::string> names;
  if (statement.of) {
    if (!everybody && !roles.roles_of(user(), true).contains(*statement.of))
      return unauthorized(
          fmt::format("You are not authorized to view roles granted to {} ", *statement.of));
    names = roles.roles_of(*statement.of, recursive);
  } else if (everybody) {
    for (const auto& [name, role] : roles.all()) names.insert(name);
  } else {
    names = roles.roles_of(user(), recursive);
  }
  if (names.empty()) return nothing();
  return users ? users_answer(names) : roles_answer(names);
}

Outcome<Answer> Runner::list_permissions(const ListStatement& statement) const {
  std::optional<Resource> resource;
  if (statement.resource) {
    ASSIGN(resource, resource_of(*statement.resource, scene_.keyspace));
  }
  TRY(ensure_not_anonymous());
  if (resource && !exists(*resource))
    return invalid(fmt::format("{} doesn't exist", resource->text()));
  if (statement.of && !exists(*statement.of))
    return invalid(fmt::format("{} doesn't exist", Resource::role(*statement.of).text()));

  const Roles& roles = scene_.roles;
  const auto describes = [&](const Resource& what) {
    return roles.permissions(user(), what).has(Permission::kDescribe);
  };
  const bool own = statement.of && roles.roles_of(user(), true).contains(*statement.of);
  if (!is_superuser() && !own && !describes(Resource::all_roles()) &&
      !(statement.of && describes(Resource::role(*statement.of))))
    return unauthorized(fmt::format("You are not authorized to view {}'s permissions",
                                    statement.of.value_or("everyone")));

  std::set<std::string, std::less<>> keys;  // none: all
  for (auto at = resource; at; at = statement.recursive ? at->parent() : std::nullopt)
    keys.insert(at->key());
  Permissions wanted;
  for (const auto& name : statement.permissions)
    if (const auto one = permission_of(name)) wanted.add(*one);
  if (statement.permissions.empty()) wanted = Permissions::all();
  const auto of = statement.of ? roles.roles_of(*statement.of, true) : std::set<std::string>();

  Table table("permissions", {{"role", text_type()},
                              {"username", text_type()},
                              {"resource", text_type()},
                              {"permission", text_type()}});
  bool any = false;
  for (const auto& [role, grants] : roles.grants()) {
    if (statement.of && !of.contains(role)) continue;
    for (const auto& [key, permissions] : grants) {
      if (resource && !keys.contains(key)) continue;
      const auto granted_on = Resource::of_key(key);
      if (!granted_on) continue;
      (permissions & wanted).each([&](Permission one) {
        any = true;
        table.row();
        table.add(role);
        table.add(role);
        table.add(granted_on->text());
        table.add(name_of(one));
      });
    }
  }
  return any ? std::move(table).answer() : nothing();
}

// Identities: names in clients' certificates, which nobody logs in by here.

Outcome<Answer> Runner::add_identity(const IdentityStatement& statement) {
  TRY(check_permission(Permission::kCreate, Resource::all_roles()));
  const Role* role = scene_.roles.find(statement.role);
  if (!is_superuser() && role != nullptr && role->superuser)
    return unauthorized("Only superusers can bind identities to a role with superuser status");
  TRY(ensure_not_anonymous());
  if (role == nullptr)
    return invalid(fmt::format("Can not add identity for non-existent role '{}'", statement.role));
  if (scene_.roles.identities().contains(statement.identity)) {
    if (statement.if_condition) return nothing();
    return invalid(fmt::format("{} already exists", statement.identity));
  }
  if (statement.identity.empty()) return invalid("Key may not be empty");
  if (statement.identity.size() > kLongestKey)
    return invalid(fmt::format("Key length of {} is longer than maximum of {}",
                               statement.identity.size(), kLongestKey));
  writer_.add_identity(statement.identity, statement.role);
  return nothing();
}

Outcome<Answer> Runner::drop_identity(const IdentityStatement& statement) {
  const auto found = scene_.roles.identities().find(statement.identity);
  const bool there = found != scene_.roles.identities().end();
  TRY(check_permission(Permission::kDrop,
                       there ? Resource::role(found->second) : Resource::all_roles()));
  if (there && !is_superuser() && scene_.roles.is_superuser(found->second))
    return unauthorized(
        "Only superusers can remove identity bindings from a role with superuser status");
  TRY(ensure_not_anonymous());
  if (there) writer_.drop_identity(statement.identity);
  if (there || statement.if_condition) return nothing();
  return invalid(fmt::format("identity '{}' doesn't exist", statement.identity));
}

}  // namespace

bool is_role_statement(const cql_syntax::Statement& statement) {
  const auto& body = statement.body;
  return std::holds_alternative<RoleStatement>(body) ||
         std::holds_alternative<PermissionStatement>(body) ||
         std::holds_alternative<RoleGrant>(body) || std::holds_alternative<ListStatement>(body) ||
         std::holds_alternative<IdentityStatement>(body);
}

const std::string* password_of(const cql_syntax::Statement& statement) {
  const auto* role = std::get_if<RoleStatement>(&statement.body);
  return role != nullptr && role->password ? &*role->password : nullptr;
}

bool is_list(const cql_syntax::Statement& statement) {
  return std::holds_alternative<ListStatement>(statement.body);
}

Outcome<void> check_form(const cql_syntax::Statement& statement) {
  constexpr const char* kAnyKeyspace = "any";  // what is in use is of no account here
  if (const auto* list = std::get_if<ListStatement>(&statement.body)) {
    // A function of the server is told later.
    if (list->resource && list->resource->kind == cql_syntax::Resource::Kind::kFunction &&
        !list->resource->name.keyspace) {
      TRY(resource_of(*list->resource, kAnyKeyspace));
    }
  }
  if (const auto* grant = std::get_if<PermissionStatement>(&statement.body)) {
    ASSIGN(const auto resource, resource_of(grant->resource, kAnyKeyspace));
    TRY(granted(*grant, resource));
  }
  return {};
}

Outcome<Answer> run(const cql_syntax::Statement& statement, const Scene& scene,
                    RoleWriter& writer) {
  return std::visit(Runner(scene, writer), statement.body);
}

}  // namespace tailrace::cql_roles
