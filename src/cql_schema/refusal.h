// How a refusal of this room is made: Cassandra's sentence under the code that it has there.
#pragma once

#include <fmt/format.h>

#include "cql_types/failure.h"

namespace tailrace::cql_schema {

template <typename... Arguments>
std::unexpected<cql_types::Failure> invalid(fmt::format_string<Arguments...> text,
                                            Arguments&&... arguments) {
  return cql_types::failure(cql_types::ErrorCode::kInvalid,
                            fmt::format(text, std::forward<Arguments>(arguments)...));
}

/// ConfigurationException.
template <typename... Arguments>
std::unexpected<cql_types::Failure> misconfigured(fmt::format_string<Arguments...> text,
                                                  Arguments&&... arguments) {
  return cql_types::failure(cql_types::ErrorCode::kConfiguration,
                            fmt::format(text, std::forward<Arguments>(arguments)...));
}

/// SyntaxException, which properties of the wrong form are there.
template <typename... Arguments>
std::unexpected<cql_types::Failure> malformed(fmt::format_string<Arguments...> text,
                                              Arguments&&... arguments) {
  return cql_types::failure(cql_types::ErrorCode::kSyntax,
                            fmt::format(text, std::forward<Arguments>(arguments)...));
}

/// Where Cassandra ends in a Java exception, which it tells as a server's error.
template <typename... Arguments>
std::unexpected<cql_types::Failure> crashed(fmt::format_string<Arguments...> text,
                                            Arguments&&... arguments) {
  return cql_types::failure(cql_types::ErrorCode::kServer,
                            fmt::format(text, std::forward<Arguments>(arguments)...));
}

}  // namespace tailrace::cql_schema
