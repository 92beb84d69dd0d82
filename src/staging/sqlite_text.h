// The SQL of a staged table in SQLite: the table, its outbox, the triggers that fill it, the
// upsert.
#pragma once

#include <string>
#include <string_view>

#include "staging/rows.h"

namespace tailrace::staging {

std::string quoted_name(std::string_view name);
std::string outbox_name(std::string_view table);

/// TEXT, BIGINT, DOUBLE, BOOLEAN, TIMESTAMP, DATE, NUMERIC_TEXT, JSON_TEXT, UUID. Numbers of any
/// length and JSON are text, which keeps them as they came.
std::string_view declared_type(Type type);
/// Of columns that others have declared: by SQLite's rules of affinity.
Type type_of_declared(std::string_view declared);

std::string create_table(std::string_view name, const Layout& layout, bool own_id);
std::string add_column(std::string_view table, const Column& column);
std::string create_outbox(std::string_view table);
/// INSERT … SELECT of a table whose columns get other types.
std::string copy_rows(std::string_view from, const Layout& present, std::string_view to,
                      const Layout& wanted);

struct Trigger {
  std::string name;
  std::string sql;
};
/// They put each change into the outbox; with the row before where `before` says so.
std::vector<Trigger> triggers(std::string_view table, const Layout& layout, bool before);

/// One row, its cells bound by the layout's columns but those that is_given(); a row that is there
/// as it comes stays untouched.
std::string upsert(const TableSpec& spec, const Layout& layout);
/// Whether upsert() leaves the column alone: an own `_id`, and what others have added to a table
/// whose columns `spec` names.
bool is_given(const TableSpec& spec, const Column& column);

}  // namespace tailrace::staging
