// What a storage-attached index makes of texts before it compares them: OPTIONS =
// {'case_sensitive': 'false'}. Normal forms and ASCII for accents ('normalize', 'ascii') are kept
// and shown only.
#pragma once

#include <string>
#include <string_view>

#include "cql_schema/schema.h"

namespace tailrace::cql_query {

/// Whether texts of the column are equal whose letters differ in case alone.
bool ignores_case(const cql_schema::Index& index);
bool ignores_case(const cql_schema::Table& table, const cql_schema::Column& column);

/// Each letter as Unicode's simple mapping has it; bytes that are no UTF-8 stay.
std::string lower_case(std::string_view text);

}  // namespace tailrace::cql_query
