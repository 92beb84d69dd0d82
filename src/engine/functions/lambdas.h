// How a bound expression holds a lambda: a call kLambda with args (body, variable, …), each
// variable a call kLambdaVariable numbered by `column`, unique in its expression.
#pragma once

#include "engine/functions/evaluation.h"

namespace tailrace::engine {

inline constexpr std::string_view kLambda =
    "\x01"
    "lambda";
inline constexpr std::string_view kLambdaVariable =
    "\x01"
    "variable";

/// The kernel of a function that takes lambdas, or null.
LazyKernel find_lambda(std::string_view name);

}  // namespace tailrace::engine
