// Types of statements and of tables: written ones resolved against a keyspace, user types replaced
// after a change, looked for, or taken apart.
#pragma once

#include "cql_schema/schema.h"
#include "cql_syntax/expression.h"
#include "cql_types/failure.h"
#include "cql_types/type_parser.h"

namespace tailrace::cql_schema {

/// kInvalid, in Cassandra's words, for what cannot be frozen.
cql_types::Outcome<cql_types::RawType> raw_type(const cql_syntax::Type& type);

/// With the keyspace named in all user types, as Cassandra writes types that it has resolved.
cql_types::RawType in_keyspace(cql_types::RawType type, const std::string& keyspace);

/// A written type in a keyspace, with the rules of what may stand in what.
cql_types::Outcome<TypePtr> resolved(const cql_types::RawType& type, const Keyspace& keyspace);

/// Whether the user type of this name is in it.
bool uses(const cql_types::Type& type, std::string_view user_type);
bool uses_duration(const cql_types::Type& type);

/// With the user type of `changed`'s name replaced by it, frozen where it was.
TypePtr with_user_type(const TypePtr& type, const TypePtr& changed);

/// With tuples in place of user types, as columns that are dropped keep them.
TypePtr without_user_types(const TypePtr& type);

/// Whether a column of type `type` may take the place of a dropped one of type `before`.
bool fits_in_place(const cql_types::Type& type, const cql_types::Type& before);

}  // namespace tailrace::cql_schema
