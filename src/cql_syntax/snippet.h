// The part of a statement that a syntax error shows: " (...FROM [t] x)".
#pragma once

#include "cql_syntax/lexer.h"

namespace tailrace::cql_syntax {

/// From ten tokens before `offending` to two after it, but never beyond `last`, the last that was
/// read; all are indices of `tokens.all`. Empty where one of them is the end of the text.
std::string snippet(std::string_view text, const Tokens& tokens, std::size_t offending,
                    std::size_t last);

}  // namespace tailrace::cql_syntax
