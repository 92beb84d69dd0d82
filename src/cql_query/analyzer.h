// What a storage-attached index makes of texts before it compares them: OPTIONS =
// {'case_sensitive': 'false', 'normalize': 'true', 'ascii': 'true'}.
#pragma once

#include <string>
#include <string_view>

#include "cql_schema/schema.h"

namespace tailrace::cql_query {

/// In this order.
struct Analysis {
  bool lower_case = false;   // by Unicode's rules for no language: the last Σ of a word becomes ς
  bool normal_form = false;  // Unicode's NFC
  bool ascii = false;        // ascii_forms.h

  bool any() const { return lower_case || normal_form || ascii; }
};

Analysis analysis_of(const cql_schema::Index& index);
/// How the column's texts are compared for equality: what all its indexes say. Of a collection that
/// is not frozen, those of `target`.
Analysis analysis_of(const cql_schema::Table& table, const cql_schema::Column& column,
                     cql_schema::Index::Target target);

/// Bytes that are no UTF-8 stay.
std::string analyzed(std::string_view text, const Analysis& analysis);

}  // namespace tailrace::cql_query
