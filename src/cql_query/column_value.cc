// What a row that was read holds: whether it is there, and a column of it as one value.
#include <algorithm>
#include <span>

#include "cql_query/cell_path.h"
#include "cql_types/parts.h"

namespace tailrace::cql_query {
namespace {

using cql_store::Cell;
using cql_types::Kind;
using cql_types::Type;

using Cells = std::span<const Cell>;

void put_elements(const Type& type, Cells cells, std::string& out) {
  std::string buffer;
  cql_types::append_count(out, static_cast<std::int32_t>(cells.size()));
  for (const Cell& cell : cells) {
    if (type.kind == Kind::kList) {
      cql_types::append_part(out, cell.value);
      continue;
    }
    // A cell that no statement wrote is shown as nothing rather than as something else.
    const auto element = element_of(type, cell, buffer).value_or(Element{});
    cql_types::append_part(out, element.key);
    if (type.kind == Kind::kMap) cql_types::append_part(out, element.value);
  }
}

void put_fields(const Type& type, Cells cells, std::string& out) {
  auto cell = cells.begin();
  for (std::size_t field = 0; field < type.parameters.size(); ++field) {
    const bool given = cell != cells.end() && field_of(cell->path) == field;
    cql_types::append_part(out, given ? cql_types::Part(cell->value) : std::nullopt);
    if (given) ++cell;
  }
}

}  // namespace

bool is_there(const cql_schema::Table& table, const cql_store::Row& row) {
  if (table.dropped.empty() || row.liveness.timestamp != cql_store::kNoTimestamp) return true;
  return std::ranges::any_of(row.cells, [&table](const Cell& cell) {
    return std::ranges::any_of(table.columns, [&cell](const cql_schema::Column& column) {
      return column.number.value == cell.column;
    });
  });
}

cql_types::Part column_value(const cql_schema::Column& column, const cql_store::Row& row,
                             std::string& buffer) {
  const auto [first, count] = row.of(column.number.value);
  if (count == 0) return std::nullopt;
  const Type& type = *column.type;
  if (!type.is_multi_cell()) return first->value;
  buffer.clear();
  if (type.kind == Kind::kUserType)
    put_fields(type, {first, count}, buffer);
  else
    put_elements(type, {first, count}, buffer);
  return buffer;
}

}  // namespace tailrace::cql_query
