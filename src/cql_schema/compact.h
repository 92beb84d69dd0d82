// How tables look to system_schema where that is not how they are: columns that COMPACT STORAGE
// adds, types without a name in CQL, arguments of masks.
#pragma once

#include "cql_schema/schema.h"

namespace tailrace::cql_schema {

/// In order: compound, counter, dense.
std::vector<std::string> table_flags(const Table& table);

/// What Cassandra has beside a COMPACT STORAGE table's columns: no statement reads or writes them,
/// and no column takes their names. Without clustering columns: a clustering column, then a value.
std::vector<Column> hidden_columns(const Table& table);

/// All columns, hidden ones too.
std::vector<Column> kept_columns(const Table& table);

/// The type as system_schema writes it: "empty" for a hidden column that holds nothing.
std::string shown_type(const cql_types::Type& type);

/// The CQL type of a mask's i-th argument behind the column.
std::string mask_argument_type(const Column& column, std::size_t i);
/// A literal's text: 'it''s' without its quotes, all else as it is.
std::string unquoted(std::string_view literal);

}  // namespace tailrace::cql_schema
