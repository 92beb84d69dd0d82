// CREATE, ALTER, DROP and LIST of roles and users, GRANT, REVOKE, LIST of permissions, identities:
// who may, whether it can be, and what it changes, in Cassandra's order and words.
#pragma once

#include <optional>
#include <string>

#include "cql_protocol/messages.h"
#include "cql_roles/role_tables.h"
#include "cql_roles/roles.h"
#include "cql_schema/schema.h"
#include "cql_syntax/statement.h"
#include "cql_types/failure.h"

namespace tailrace::cql_roles {

/// What a statement runs in.
struct Scene {
  const Roles& roles;
  const cql_schema::Schema& schema;
  std::string user;        // empty: nobody logged in, for nobody must
  std::string keyspace;    // in use; empty: none
  bool passwords = false;  // whether clients log in; else everybody may everything but this
  std::string data_center;
  std::optional<std::string> salted_hash = {};  // of the statement's password, where it has one
};

/// True of the statements that `run` takes.
bool is_role_statement(const cql_syntax::Statement& statement);

/// What is told when the statement is parsed: a permission that no such resource has.
cql_types::Outcome<void> check_form(const cql_syntax::Statement& statement);

/// The password that is to be hashed (passwords.h) before the statement runs.
const std::string* password_of(const cql_syntax::Statement& statement);
/// True of LIST, which changes nothing.
bool is_list(const cql_syntax::Statement& statement);

/// Runs the statement on `scene`; what it changes is added to `writer`.
cql_types::Outcome<cql_protocol::Answer> run(const cql_syntax::Statement& statement,
                                             const Scene& scene, RoleWriter& writer);

}  // namespace tailrace::cql_roles
