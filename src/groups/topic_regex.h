// Which topics a subscription by regular expression means (KIP-848): RE2's syntax, whole names.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "groups/types.h"

namespace tailrace::groups {

/// Why the expression is none; no value when it is one.
std::optional<std::string> regex_error(const std::string& regex);

/// The names that match as a whole, sorted; none for an expression that is none.
std::vector<std::string> matching_topics(const std::string& regex, const Topics& topics);

}  // namespace tailrace::groups
