#include "cql_roles/role_tables.h"

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "cql_types/sort_key.h"
#include "cql_types/token.h"
#include "cql_types/type.h"

namespace tailrace::cql_roles {

using cql_schema::TablePtr;
using cql_store::Cell;
using cql_store::Row;

namespace {

TablePtr table_of(const cql_schema::Schema& schema, std::string_view name) {
  auto table = schema.table(kAuthKeyspace, name);
  CHECK(table != nullptr);
  return table;
}

std::uint32_t column_of(const cql_schema::Table& table, std::string_view name) {
  const int place = table.find(name);
  CHECK(place >= 0);
  return table.columns[static_cast<std::size_t>(place)].number.value;
}

const cql_types::Type& text_type() {
  static const auto type = cql_types::native_type(cql_types::Kind::kText);
  return *type;
}

std::string sort_key(std::string_view text) {
  std::string key;
  CHECK(cql_types::append_sort_key(key, text_type(), text, false).has_value());
  return key;
}

/// Rows of one table, and when the first of what they hold expires.
class TableReader {
 public:
  TableReader(const cql_store::Snapshot& snapshot, const cql_schema::Schema& schema,
              std::int64_t now_seconds, std::int64_t& expires)
      : snapshot_(snapshot), schema_(schema), now_(now_seconds), expires_(expires) {}

  template <typename Visit>
  Status each(std::string_view name, const Visit& visit) const {
    const TablePtr table = table_of(schema_, name);
    cql_store::Range range;
    range.table = table->number.value;
    return snapshot_.scan(range, now_, [&](const Row& row) {
      if (row.liveness.ttl != 0) note(row.liveness.expires);
      for (const Cell& cell : row.cells)
        if (cell.ttl != 0) note(cell.expires);
      visit(*table, row);
      return cql_store::Snapshot::Next::kRow;
    });
  }

 private:
  void note(std::int64_t when) const { expires_ = std::min(expires_, when); }

  const cql_store::Snapshot& snapshot_;
  const cql_schema::Schema& schema_;
  const std::int64_t now_;
  std::int64_t& expires_;
};

std::string_view value_of(const cql_schema::Table& table, const Row& row, std::string_view column) {
  const auto [cell, count] = row.of(column_of(table, column));
  return count == 0 ? std::string_view() : cell->value;
}

bool flag_of(const cql_schema::Table& table, const Row& row, std::string_view column) {
  const auto value = value_of(table, row, column);
  return !value.empty() && value[0] != 0;
}

std::string clustering_of(const Row& row) {
  std::string_view key = row.clustering;
  auto value = cql_types::take_sort_key(key, text_type(), false);
  return value && *value ? std::move(**value) : std::string();
}

Role role_of(const cql_schema::Table& table, const Row& row) {
  Role role{.name = std::string(row.partition),
            .superuser = flag_of(table, row, "is_superuser"),
            .login = flag_of(table, row, "can_login"),
            .salted_hash = std::string(value_of(table, row, "salted_hash"))};
  const auto [cells, count] = row.of(column_of(table, "member_of"));
  for (std::size_t i = 0; i < count; ++i) role.member_of.emplace(cells[i].path);
  return role;
}

}  // namespace

Result<ReadRoles> read_roles(const cql_store::Snapshot& snapshot, const cql_schema::Schema& schema,
                             std::int64_t now_seconds) {
  ReadRoles made;
  made.expires = std::numeric_limits<std::int64_t>::max();
  const TableReader reader(snapshot, schema, now_seconds, made.expires);
  TRY(reader.each("roles",
                  [&](const auto& table, const Row& row) { made.roles.add(role_of(table, row)); }));
  TRY(reader.each("role_permissions", [&](const auto& table, const Row& row) {
    Permissions permissions;
    const auto [cells, count] = row.of(column_of(table, "permissions"));
    for (std::size_t i = 0; i < count; ++i)
      if (const auto one = permission_of(cells[i].path)) permissions.add(*one);
    if (!permissions.empty()) made.roles.grant(row.partition, clustering_of(row), permissions);
  }));
  TRY(reader.each("identity_to_role", [&](const auto& table, const Row& row) {
    made.roles.add_identity(std::string(row.partition), std::string(value_of(table, row, "role")));
  }));
  made.roles.settle();
  return made;
}

/// The row in hand.
struct RoleWriter::Place {
  RoleWriter& writer;
  TablePtr table;

  void put(std::string_view column, std::string_view value, std::string_view path = {}) const {
    writer.to_.put(column_of(*table, column), path, writer.timestamp_, value);
  }
  void erase(std::string_view column, std::string_view path) const {
    writer.to_.erase(column_of(*table, column), path, writer.deletion_);
  }
};

RoleWriter::Place RoleWriter::row(std::string_view table, std::string_view partition,
                                  std::string_view clustering) {
  Place place{*this, table_of(schema_, table)};
  const bool clustered = place.table->clustering_columns > 0;
  const std::string key = clustered ? sort_key(clustering) : std::string();
  to_.row(place.table->number.value, {cql_types::murmur3_token(partition), partition}, {key});
  return place;
}

void RoleWriter::insert(std::string_view table, std::string_view partition,
                        std::string_view clustering) {
  row(table, partition, clustering);
  to_.liveness({timestamp_, 0, 0});
}

void RoleWriter::erase_row(std::string_view table, std::string_view partition,
                           std::string_view clustering) {
  row(table, partition, clustering);
  to_.delete_row(deletion_);
}

void RoleWriter::erase_partition(std::string_view table, std::string_view partition) {
  to_.delete_partition(table_of(schema_, table)->number.value,
                       {cql_types::murmur3_token(partition), partition}, deletion_);
}

void RoleWriter::put(std::string_view role, const RoleValues& values) {
  const auto place = row("roles", role);
  constexpr std::string_view kFalse("\0", 1);
  constexpr std::string_view kTrue("\1", 1);
  if (values.superuser) place.put("is_superuser", *values.superuser ? kTrue : kFalse);
  if (values.login) place.put("can_login", *values.login ? kTrue : kFalse);
  if (values.salted_hash) place.put("salted_hash", *values.salted_hash);
}

void RoleWriter::create(std::string_view role, const RoleValues& values) {
  put(role, {.superuser = values.superuser.value_or(false),
             .login = values.login.value_or(false),
             .salted_hash = values.salted_hash});
  to_.liveness({timestamp_, 0, 0});
}

void RoleWriter::alter(std::string_view role, const RoleValues& values) {
  put(role, values);
}

void RoleWriter::no_cidr_groups(std::string_view role) {
  constexpr std::string_view kEmptySet("\0\0\0\0", 4);
  row("cidr_permissions", role).put("cidr_groups", kEmptySet);
  to_.liveness({timestamp_, 0, 0});
}

void RoleWriter::drop(std::string_view role, const Roles& roles) {
  erase_partition("roles", role);
  for (const auto& [name, other] : roles.all())
    if (other.member_of.contains(std::string(role))) row("roles", name).erase("member_of", role);
  erase_partition("role_members", role);
  for (const auto& [identity, whose] : roles.identities())
    if (whose == role) drop_identity(identity);
  const auto grants = roles.grants().find(role);
  if (grants != roles.grants().end())
    for (const auto& [key, permissions] : grants->second)
      erase_row("resource_role_permissons_index", key, role);
  erase_partition("role_permissions", role);
  revoke_all_on(Resource::role(role).key(), roles);
  erase_partition("cidr_permissions", role);
}

void RoleWriter::add_member(std::string_view role, std::string_view member) {
  row("roles", member).put("member_of", {}, role);
  insert("role_members", role, member);
}

void RoleWriter::remove_member(std::string_view role, std::string_view member) {
  row("roles", member).erase("member_of", role);
  erase_row("role_members", role, member);
}

void RoleWriter::grant(std::string_view role, const std::string& resource_key,
                       Permissions permissions) {
  const auto place = row("role_permissions", role, resource_key);
  permissions.each([&](Permission one) { place.put("permissions", {}, name_of(one)); });
  insert("resource_role_permissons_index", resource_key, role);
}

void RoleWriter::revoke(std::string_view role, const std::string& resource_key,
                        Permissions permissions, Permissions left) {
  const auto place = row("role_permissions", role, resource_key);
  permissions.each([&](Permission one) { place.erase("permissions", name_of(one)); });
  if (left.empty()) erase_row("resource_role_permissons_index", resource_key, role);
}

void RoleWriter::revoke_all_on(const std::string& resource_key, const Roles& roles) {
  for (const auto& [role, grants] : roles.grants())
    if (grants.contains(resource_key)) erase_row("role_permissions", role, resource_key);
  erase_partition("resource_role_permissons_index", resource_key);
}

void RoleWriter::add_identity(std::string_view identity, std::string_view role) {
  row("identity_to_role", identity).put("role", role);
  to_.liveness({timestamp_, 0, 0});
}

void RoleWriter::drop_identity(std::string_view identity) {
  erase_partition("identity_to_role", identity);
}

}  // namespace tailrace::cql_roles
