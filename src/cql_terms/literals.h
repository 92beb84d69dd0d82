// Constants: the types they prefer, and what receives them.
#pragma once

#include <optional>

#include "cql_syntax/expression.h"
#include "cql_terms/assignable.h"
#include "cql_terms/function.h"
#include "cql_types/text.h"

namespace tailrace::cql_terms {

/// Which constant an expression's kind is; none: it is something else.
std::optional<cql_types::Literal> literal_of(cql_syntax::Expression::Kind kind);

/// As sentences show it: strings in quotes, NaN and Infinity in Cassandra's case.
std::string constant_text(const cql_syntax::Expression& constant);
/// The same, without quotes.
std::string constant_value(const cql_syntax::Expression& constant);

/// Of a string ascii or text, of whole numbers int, bigint or varint by their size, of others
/// double or decimal, uuid or timeuuid by version, tinyint of hexadecimal digits.
TypePtr preferred_type(const cql_syntax::Expression& constant);

Match test_constant(const cql_syntax::Expression& constant, const Type& receiver);

/// Its bytes; `receiver` may have it. kInvalid in Cassandra's words.
Outcome<std::string> constant_bytes(const cql_syntax::Expression& constant, const Type& receiver,
                                    std::int64_t now_ms);

}  // namespace tailrace::cql_terms
