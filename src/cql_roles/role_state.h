// The roles' one present state: kept in the store, changed by statements, read again when somebody
// wrote to its tables, asked by everybody.
//
// Threads: roles() and reread() any; what changes one after the other, and not beside changes of
// the schema.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "cql_protocol/messages.h"
#include "cql_roles/role_statements.h"
#include "cql_roles/role_tables.h"
#include "cql_roles/roles.h"
#include "cql_schema/change.h"
#include "cql_store/store.h"

namespace tailrace::cql_roles {

/// The superuser that a server begins with, and his password, as Cassandra has them.
constexpr std::string_view kFirstRole = "cassandra";
constexpr std::string_view kDefaultPassword = "cassandra";

class RoleState {
 public:
  using Schema = std::function<cql_schema::SchemaPtr()>;
  using Timestamps = std::function<std::int64_t()>;
  RoleState(cql_store::Store& store, Schema schema, Timestamps timestamps)
      : store_(store), schema_(std::move(schema)), timestamps_(std::move(timestamps)) {}

  Status load() { return reread(); }
  /// Makes the first superuser with this password, if there is no role.
  Status make_first(const std::string& password);
  /// Whether the first superuser can log in with the password that everybody knows. Takes 60 ms.
  bool has_default_password() const;

  RolesPtr roles() const;
  /// After the tables were written to.
  Status reread() const;

  struct Asker {
    std::string user, keyspace;  // as in Scene
    bool passwords = false;
    std::string data_center;
    std::optional<std::string> salted_hash = {};
  };
  /// A statement of role_statements.h; waits until what it changes is on disk.
  cql_types::Outcome<cql_protocol::Answer> run(const cql_syntax::Statement& statement,
                                               Asker asker) const;

  /// What a change of the schema does to permissions, added to what keeps it: its maker (empty:
  /// nobody) has all on what he made; what is gone has none. True: reread() when it is on disk.
  bool follow(const cql_schema::Change& change, const std::string& maker,
              cql_store::Mutation& mutation) const;

 private:
  struct State {
    RolesPtr roles;
    std::int64_t expires = 0;  // seconds
  };
  RoleWriter writer(cql_store::Mutation& mutation, const cql_schema::Schema& schema) const;
  Status keep(cql_store::Mutation mutation) const;

  cql_store::Store& store_;
  const Schema schema_;
  const Timestamps timestamps_;
  mutable std::mutex reading_;  // so that the latest reading is the last to be told
  mutable std::atomic<std::shared_ptr<const State>> state_ =
      std::make_shared<const State>(State{std::make_shared<const Roles>(), 0});
};

}  // namespace tailrace::cql_roles
