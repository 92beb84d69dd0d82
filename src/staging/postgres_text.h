// The SQL of a staged table in PostgreSQL, and rows as COPY takes them.
#pragma once

#include <string>
#include <string_view>

#include "staging/rows.h"

namespace tailrace::staging::postgres_text {

std::string_view type_name(Type type);            ///< bigint, double precision, timestamptz …
Type type_of_name(std::string_view format_type);  ///< of format_type(): columns of others, too

std::string create_table(const TableSpec& spec, const Layout& layout);
/// ALTER TABLE … from `present` to `wanted`; "" when they are alike.
std::string alter_table(const TableSpec& spec, const Layout& present, const Layout& wanted);

/// A trigger that deletes the rows before a TRUNCATE of the table does: so their deletion is told.
std::string watch_truncates(const TableSpec& spec);

/// A temporary table of the rows that come, in the columns that upsert() sets, with the round of
/// each: rows of one key are in rounds that follow each other.
std::string create_incoming(const TableSpec& spec, const Layout& layout);
std::string copy_incoming(const TableSpec& spec, const Layout& layout);
/// One round of them into the table; a row that is there as it comes stays untouched.
std::string upsert(const TableSpec& spec, const Layout& layout, int round);

struct Incoming {
  std::string rows;  ///< as COPY's text format
  int rounds = 0;
};
Incoming incoming(const TableSpec& spec, const Batch& batch);

}  // namespace tailrace::staging::postgres_text
