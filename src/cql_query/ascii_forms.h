// The ASCII forms of letters with accents, ligatures, digits in circles: what an index's 'ascii'
// compares.
#pragma once

#include <string_view>

namespace tailrace::cql_query {

/// One to four characters; empty: it has none, as ASCII itself.
std::string_view ascii_form(char32_t point);

}  // namespace tailrace::cql_query
