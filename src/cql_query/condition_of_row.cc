// Whether a condition holds for a row: values compared whole, collections part by part.
#include <fmt/format.h>

#include <algorithm>
#include <list>

#include "base/bytes.h"
#include "cql_query/cell_path.h"
#include "cql_query/column_condition.h"
#include "cql_types/compare.h"
#include "cql_types/parts.h"

namespace tailrace::cql_query {
namespace {

using cql_store::Cell;
using cql_store::Row;
using cql_syntax::Operator;
using cql_terms::Value;
using cql_types::invalid;
using cql_types::Kind;
using cql_types::Part;
using cql_types::Type;

using Cells = std::span<const Cell>;

bool ordered_as(Operator op, std::weak_ordering order) {
  switch (op) {
    case Operator::kEqual:
      return order == 0;
    case Operator::kNotEqual:
      return order != 0;
    case Operator::kLess:
      return order < 0;
    case Operator::kLessEqual:
      return order <= 0;
    case Operator::kMore:
      return order > 0;
    case Operator::kMoreEqual:
      return order >= 0;
    default:
      return false;
  }
}

bool same(const Type& type, std::string_view a, std::string_view b) {
  return cql_types::compare(type, a, b) == 0;
}

Cells cells_of(const Row* row, const cql_schema::Column& column) {
  if (row == nullptr) return {};
  const auto [first, count] = row->of(column.number.value);
  return {first, count};
}

// Elements of a list or set, keys and values of a map in turn; views into what is read or `made`.
struct Parts {
  std::vector<std::string_view> list;
  std::list<std::string> made;
};

Outcome<Parts> parts_of_cells(const Type& type, Cells cells) {
  Parts parts;
  for (const Cell& cell : cells) {
    if (type.kind == Kind::kList) {
      parts.list.push_back(cell.value);
      continue;
    }
    ASSIGN(const Element element, element_of(type, cell, parts.made.emplace_back()));
    parts.list.push_back(element.key);
    if (type.kind == Kind::kMap) parts.list.push_back(element.value);
  }
  return parts;
}

std::vector<std::string_view> parts_of_value(const Type& type, std::string_view bytes) {
  cql_types::CollectionReader reader(bytes, type.kind == Kind::kMap ? 2 : 1);
  std::vector<std::string_view> parts;
  Part part;
  while (reader.next(part)) parts.push_back(part.value_or(std::string_view()));
  return parts;
}

// Whether a collection, as parts, has a value: an element, a map's value or its key.
bool contains(const Type& type, std::span<const std::string_view> parts, std::string_view value,
              Operator op) {
  const std::size_t step = type.kind == Kind::kMap ? 2 : 1;
  const std::size_t place = step == 2 && op == Operator::kContains ? 1 : 0;
  for (std::size_t i = place; i < parts.size(); i += step) {
    if (same(*type.parameters[place], parts[i], value)) return true;
  }
  return false;
}

// Collections in order: by their first different part, then the shorter first.
std::weak_ordering order_of(const Type& type, std::span<const std::string_view> a,
                            std::span<const std::string_view> b) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const Type& part = *type.parameters[i % type.parameters.size()];
    const auto order = cql_types::compare(part, a[i], b[i]);
    if (order != 0) return order;
  }
  return a.size() <=> b.size();
}

std::string_view kind_text(Kind kind) {
  return kind == Kind::kList ? "LIST" : kind == Kind::kSet ? "SET" : "MAP";
}

Outcome<bool> compare_with_nothing(Operator op, bool row_has_none, std::string_view what) {
  if (op == Operator::kEqual) return row_has_none;
  if (op == Operator::kNotEqual) return !row_has_none;
  return invalid(
      fmt::format("Invalid comparison with {} for operator \"{}\"", what, operator_text(op)));
}

// A value of one cell, or of what is put together.
Outcome<bool> holds(const Type& type, Operator op, const Part& in_row, const Value& value) {
  if (value.is_unset()) return unset_in_condition();
  if (value.is_null()) return compare_with_nothing(op, !in_row, "null");
  if (!in_row) return op == Operator::kNotEqual;
  if (op == Operator::kContains || op == Operator::kContainsKey) {
    return contains(type, parts_of_value(type, *in_row), value.bytes, op);
  }
  return ordered_as(op, cql_types::compare(type, *in_row, value.bytes));
}

// A collection whose elements are cells: none of them is null, and an empty one too. It contains no
// unset value.
Outcome<bool> collection_holds(const Type& type, Operator op, Cells cells, const Value& value) {
  if (value.is_null()) return compare_with_nothing(op, cells.empty(), "null");
  ASSIGN(const Parts parts, parts_of_cells(type, cells));
  if (op == Operator::kContains || op == Operator::kContainsKey) {
    return !value.is_unset() && contains(type, parts.list, value.bytes, op);
  }
  if (value.is_unset()) return unset_in_condition();
  const auto wanted = parts_of_value(type, value.bytes);
  if (wanted.empty()) {
    return compare_with_nothing(op, cells.empty(),
                                fmt::format("an empty {}", kind_text(type.kind)));
  }
  if (cells.empty()) return op == Operator::kNotEqual;
  return ordered_as(op, order_of(type, parts.list, wanted));
}

// The element of a map or list; null where there is none. Kept in `buffer`.
Outcome<Part> element_in(const Type& type, Cells cells, std::string_view element,
                         std::string& buffer) {
  const bool is_map = type.kind == Kind::kMap;
  std::vector<std::string_view> parts;
  Parts of_cells;
  if (type.is_multi_cell()) {
    ASSIGN(of_cells, parts_of_cells(type, cells));
    parts = of_cells.list;
  } else if (!cells.empty()) {
    parts = parts_of_value(type, cells[0].value);
  }
  if (!is_map) {
    const auto index = load_be<std::int32_t>(element.data());
    if (index < 0) return invalid(fmt::format("Invalid negative list index {}", index));
    if (index >= std::ssize(parts)) return std::nullopt;
    buffer = parts[static_cast<std::size_t>(index)];
    return buffer;
  }
  for (std::size_t i = 0; i + 1 < parts.size(); i += 2) {
    if (!same(type.key(), parts[i], element)) continue;
    buffer = parts[i + 1];
    return buffer;
  }
  return std::nullopt;
}

Part field_in(const Type& type, Cells cells, std::size_t field) {
  if (type.is_multi_cell()) {
    const auto at = std::ranges::find_if(
        cells, [field](const Cell& cell) { return field_of(cell.path) == field; });
    return at == cells.end() ? std::nullopt : Part(at->value);
  }
  if (cells.empty()) return std::nullopt;
  cql_types::TupleReader reader(cells[0].value);
  Part part;
  for (std::size_t i = 0; reader.next(part); ++i) {
    if (i == field) return part;
  }
  return std::nullopt;
}

// What in a row a condition compares, and how.
class Compared {
 public:
  Compared(const BoundCondition& bound, const Row* row)
      : bound_(bound),
        column_(bound.condition->column()),
        op_(bound.condition->comparison()),
        cells_(cells_of(row, column_)),
        row_(row) {}

  Outcome<bool> with_any() {
    TRY(look());
    for (const Value& value : bound_.values) {
      ASSIGN(const bool found, with(value));
      if (found) return true;
    }
    return false;
  }

 private:
  bool as_cells() const {
    return column_.type->is_multi_cell() && is_collection(column_.type->kind);
  }

  Outcome<void> look() {
    const Type& type = *column_.type;
    type_ = &type;
    if (bound_.element) {
      const bool is_map = type.kind == Kind::kMap;
      const bool unset_key = is_map && bound_.element->is_unset();  // is in no map
      if (!unset_key && (bound_.element->kind != Value::Kind::kBytes ||
                         (!is_map && bound_.element->bytes.size() != 4))) {
        return invalid(
            fmt::format("Invalid null value for {} element access", is_map ? "map" : "list"));
      }
      type_ = type.parameters.back().get();
      whole_ = false;
      if (unset_key) return {};
      ASSIGN(in_row_, element_in(type, cells_, bound_.element->bytes, buffer_));
    } else if (const auto field = bound_.condition->field(); field >= 0) {
      const auto number = static_cast<std::size_t>(field);
      type_ = type.parameters[number].get();
      whole_ = false;
      in_row_ = field_in(type, cells_, number);
    } else if (!as_cells() && row_ != nullptr) {
      in_row_ = column_value(column_, *row_, buffer_);
    }
    return {};
  }

  Outcome<bool> with(const Value& value) const {
    if (whole_ && as_cells()) return collection_holds(*type_, op_, cells_, value);
    return holds(*type_, op_, in_row_, value);
  }

  const BoundCondition& bound_;
  const cql_schema::Column& column_;
  const Operator op_;
  const Cells cells_;
  const Row* row_;
  const Type* type_ = nullptr;
  bool whole_ = true;
  Part in_row_;
  std::string buffer_;
};

}  // namespace

Outcome<bool> BoundCondition::applies_to(const Row* row) const {
  return Compared(*this, row).with_any();
}

}  // namespace tailrace::cql_query
