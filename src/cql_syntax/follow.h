// Which tokens may come after a rule, anywhere in the grammar. Cassandra's parser asks this before
// it leaves some rules, and then says "no viable alternative" about a token that no rule could
// take.
#pragma once

#include "cql_syntax/token.h"

namespace tailrace::cql_syntax {

bool may_follow_term(Kind kind);
bool may_follow_simple_term(Kind kind);
bool may_follow_selection(Kind kind);
bool may_follow_modifiers(Kind kind);
bool may_follow_table(Kind kind);
bool may_follow_index(Kind kind);
bool may_follow_type(Kind kind);
bool may_follow_mask(Kind kind);
bool may_follow_conditions(Kind kind);
bool may_follow_function_name(Kind kind);

}  // namespace tailrace::cql_syntax
