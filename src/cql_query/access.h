// Whether a client may what he asks for: the permissions of his role (cql_roles) on what a
// statement reads and changes.
#pragma once

#include <string>

#include "cql_query/prepared.h"
#include "cql_roles/roles.h"
#include "cql_schema/change.h"

namespace tailrace::cql_query {

/// Of SELECT, INSERT, UPDATE, DELETE, BATCH and TRUNCATE; others are asked for where they run.
/// Unauthorized, in Cassandra's words.
Outcome<void> check_access(const cql_roles::Roles& roles, const std::string& role,
                           const Prepared& prepared);
Outcome<void> check_access(const cql_roles::Roles& roles, const std::string& role,
                           const Modification& modification);
/// Of DDL.
Outcome<void> check_access(const cql_roles::Roles& roles, const std::string& role,
                           const cql_schema::Touched& touched);

}  // namespace tailrace::cql_query
