// Which operation an assignment or a deletion is, by the type of its column, and what is refused;
// operations on columns of one cell.
#include "cql_query/operation.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/bytes.h"
#include "cql_terms/operand.h"
#include "cql_terms/raw_term.h"

namespace tailrace::cql_query {
namespace {

using cql_schema::Column;
using cql_syntax::Assignment;
using cql_syntax::Expression;
using cql_terms::ColumnSpec;
using cql_terms::Scope;
using cql_terms::TermPtr;
using cql_terms::Value;
using cql_types::invalid;
using cql_types::is_collection;
using cql_types::Kind;

// The value of a marker is taken as it is, if its bytes are those that are kept.
class SetCell final : public Operation {
 public:
  SetCell(const ColumnPlace& place, TermPtr value)
      : Operation(place.column),
        spec_(place.spec()),
        marker_(is_native(place.column.type->kind) ? value->marker() : -1),
        value_(std::move(value)) {}

  Outcome<void> execute(const Bindings& bindings, RowWriter& writer) const override {
    Value value;
    if (marker_ >= 0) {
      value = bindings.values[static_cast<std::size_t>(marker_)];
      TRY(cql_terms::check(spec_, value));
    } else {
      ASSIGN(value, value_->bind(bindings));
    }
    if (value.is_null())
      writer.erase(column_, {});
    else if (!value.is_unset())
      writer.put(column_, {}, value.bytes);
    return {};
  }

 private:
  ColumnSpec spec_;
  int marker_;
  TermPtr value_;
};

class DeleteColumn final : public Operation {
 public:
  using Operation::Operation;
  Outcome<void> execute(const Bindings&, RowWriter& writer) const override {
    writer.erase(column_);
    return {};
  }
};

class AddToCounter final : public Operation {
 public:
  AddToCounter(const Column& column, TermPtr amount, bool negative)
      : Operation(column), amount_(std::move(amount)), negative_(negative) {}

  Outcome<void> execute(const Bindings& bindings, RowWriter& writer) const override {
    ASSIGN(const Value value, amount_->bind(bindings));
    if (value.is_unset()) return {};
    if (value.is_null() || value.bytes.size() != 8) {
      return invalid("Invalid null value for counter increment");
    }
    auto amount = load_be<std::int64_t>(value.bytes.data());
    if (negative_) {
      if (amount == std::numeric_limits<std::int64_t>::min()) {
        return invalid(fmt::format(
            "The negation of {} overflows supported counter precision (signed 8 bytes integer)",
            amount));
      }
      amount = -amount;
    }
    writer.add(column_, amount);
    return {};
  }

 private:
  TermPtr amount_;
  bool negative_;
};

bool is_text(Kind kind) {
  return kind == Kind::kText || kind == Kind::kAscii;
}

bool is_number(Kind kind) {
  switch (kind) {
    case Kind::kTinyint:
    case Kind::kSmallint:
    case Kind::kInt:
    case Kind::kBigint:
    case Kind::kVarint:
    case Kind::kFloat:
    case Kind::kDouble:
    case Kind::kDecimal:
      return true;
    default:
      return false;
  }
}

// `?0 + ?1`, both of a type.
Outcome<TermPtr> prepare_sum(const ColumnSpec& receiver, const Scope& scope) {
  Expression sum;
  sum.kind = Expression::Kind::kOperation;
  sum.text = "+";
  sum.items.resize(2);
  for (int i = 0; Expression & operand : sum.items) {
    operand.kind = Expression::Kind::kTypeHint;
    operand.type.resize(1);
    operand.type[0].kind = cql_syntax::Type::Kind::kNative;
    operand.type[0].name = cql_types::native_name(receiver.type->kind);
    operand.items.resize(1);
    operand.items[0].kind = Expression::Kind::kMarker;
    operand.items[0].marker = i++;
  }
  std::vector<ColumnSpec> markers(2);
  const std::vector<std::string> names(2);
  Scope inner = scope;
  inner.markers = &markers;
  inner.marker_names = &names;
  return cql_terms::prepare(sum, receiver, inner);
}

// column = column + value of a number or text, in lightweight transactions; null stays null.
class AddToCell final : public Operation {
 public:
  AddToCell(const Column& column, TermPtr value, TermPtr sum)
      : Operation(column), value_(std::move(value)), sum_(std::move(sum)) {}

  bool reads() const override { return true; }
  Outcome<void> execute(const Bindings& bindings, RowWriter& writer) const override {
    ASSIGN(const Value added, value_->bind(bindings));
    ASSIGN(const auto seen, writer.seen(column_));
    if (seen.empty()) return {};
    if (added.kind != Value::Kind::kBytes) {
      return invalid("Invalid null value for an addition to column " + column_.name);
    }
    if (sum_ == nullptr) {
      writer.put(column_, {}, seen[0].value + std::string(added.bytes));
      return {};
    }
    const Value operands[] = {Value::of(seen[0].value), added};
    Bindings inner;
    inner.values = operands;
    inner.now_us = bindings.now_us;
    ASSIGN(const Value sum, sum_->bind(inner));
    if (sum.is_null())
      writer.erase(column_, {});
    else
      writer.put(column_, {}, sum.bytes);
    return {};
  }

 private:
  TermPtr value_, sum_;
};

std::string text_of(const Expression& expression, const Scope& scope) {
  return cql_terms::RawTerm(expression, scope).text();
}

// "c = c + 1": an assignment as Cassandra's sentences show it.
std::string text_of(const Assignment& made, const Scope& scope) {
  const std::string& c = made.column;
  const std::string value = text_of(made.value, scope);
  switch (made.kind) {
    case Assignment::Kind::kSet:
      return fmt::format("{} = {}", c, value);
    case Assignment::Kind::kAdd:
      return fmt::format("{} = {} + {}", c, c, value);
    case Assignment::Kind::kSubtract:
      return fmt::format("{} = {} - {}", c, c, value);
    case Assignment::Kind::kPrepend:  // with a minus, as Cassandra has it
      return fmt::format("{} = {} - {}", c, value, c);
    case Assignment::Kind::kElement:
      return fmt::format("{}[{}] = {}", c, text_of(*made.key, scope), value);
    case Assignment::Kind::kField:
      return fmt::format("{}.{} = {}", c, made.field, value);
  }
  return {};
}

std::unexpected<cql_types::Failure> refused(const Assignment& made, const Scope& scope,
                                            std::string_view what) {
  return invalid(
      fmt::format("Invalid operation ({}) for {} {}", text_of(made, scope), what, made.column));
}

ColumnSpec index_spec(const ColumnSpec& list) {
  return cql_terms::named(list, "idx(" + list.name + ")", cql_types::native_type(Kind::kInt));
}

Outcome<OperationPtr> prepare_prepend(const ColumnPlace& place, const Assignment& made,
                                      const Scope& scope) {
  ASSIGN(TermPtr value, cql_terms::prepare(made.value, place.spec(), scope));
  if (place.column.type->kind != Kind::kList) return refused(made, scope, "non list column");
  if (!place.column.type->is_multi_cell()) return refused(made, scope, "frozen list column");
  return prepend_to_list(place.column, std::move(value));
}

Outcome<OperationPtr> prepare_subtract(const ColumnPlace& place, const Assignment& made,
                                       const Scope& scope) {
  const auto& type = *place.column.type;
  if (!is_collection(type.kind)) {
    if (type.kind != Kind::kCounter) return refused(made, scope, "non counter column");
    ASSIGN(TermPtr amount, cql_terms::prepare(made.value, place.spec(), scope));
    return std::make_unique<AddToCounter>(place.column, std::move(amount), true);
  }
  if (!type.is_multi_cell()) return refused(made, scope, "frozen collection column");
  ColumnSpec receiver = place.spec();
  if (type.kind == Kind::kMap) {
    receiver.type = cql_types::set_of(type.parameters[0], false);
    auto keys = cql_terms::prepare(made.value, receiver, scope);
    if (!keys) {
      return invalid(fmt::format("Value for a map substraction has to be a set, but was: '{}'",
                                 text_of(made.value, scope)));
    }
    return remove_elements(place.column, std::move(*keys));
  }
  ASSIGN(TermPtr value, cql_terms::prepare(made.value, receiver, scope));
  return type.kind == Kind::kList ? remove_from_list(place.column, std::move(value))
                                  : remove_elements(place.column, std::move(value));
}

Outcome<OperationPtr> prepare_add_to_cell(const ColumnPlace& place, const Assignment& made,
                                          const Scope& scope, bool conditional) {
  const Kind kind = place.column.type->kind;
  if (kind == Kind::kTuple || kind == Kind::kUserType) return refused(made, scope, "tuple column");
  if (!conditional && kind != Kind::kCounter) return refused(made, scope, "non counter column");
  if (conditional && kind != Kind::kCounter && !is_number(kind) && !is_text(kind)) {
    return refused(made, scope, "non-numeric and non-text type");
  }
  ASSIGN(TermPtr value, cql_terms::prepare(made.value, place.spec(), scope));
  if (kind == Kind::kCounter) {
    return std::make_unique<AddToCounter>(place.column, std::move(value), false);
  }
  TermPtr sum;
  if (!is_text(kind)) {
    ASSIGN(sum, prepare_sum(place.spec(), scope));
  }
  return std::make_unique<AddToCell>(place.column, std::move(value), std::move(sum));
}

Outcome<OperationPtr> prepare_add(const ColumnPlace& place, const Assignment& made,
                                  const Scope& scope, bool conditional) {
  const auto& type = *place.column.type;
  if (!is_collection(type.kind)) return prepare_add_to_cell(place, made, scope, conditional);
  if (!type.is_multi_cell()) return refused(made, scope, "frozen collection column");
  auto value = cql_terms::prepare(made.value, place.spec(), scope);
  if (!value && type.kind == Kind::kMap) {
    return invalid(fmt::format("Value for a map addition has to be a map, but was: '{}'",
                               text_of(made.value, scope)));
  }
  if (!value) return std::unexpected(std::move(value.error()));
  return type.kind == Kind::kList ? append_to_list(place.column, std::move(*value))
                                  : add_elements(place.column, std::move(*value));
}

Outcome<OperationPtr> prepare_element(const ColumnPlace& place, const Assignment& made,
                                      const Scope& scope) {
  const auto& type = *place.column.type;
  if (!is_collection(type.kind)) return refused(made, scope, "non collection column");
  if (!type.is_multi_cell()) return refused(made, scope, "frozen collection column");
  if (type.kind == Kind::kSet) return refused(made, scope, "set column");
  const ColumnSpec spec = place.spec();
  const bool is_list = type.kind == Kind::kList;
  ASSIGN(
      TermPtr key,
      cql_terms::prepare(*made.key, is_list ? index_spec(spec) : cql_terms::key_spec(spec), scope));
  ASSIGN(TermPtr value, cql_terms::prepare(made.value, cql_terms::value_spec(spec), scope));
  return is_list ? set_list_element(place.column, std::move(key), std::move(value))
                 : put_map_element(place.column, std::move(key), std::move(value));
}

// The number of a user type's field, or -1.
std::ptrdiff_t find_field(const cql_types::Type& type, std::string_view field) {
  const auto at = std::ranges::find(type.field_names, field);
  return at == type.field_names.end() ? -1 : at - type.field_names.begin();
}

std::unexpected<cql_types::Failure> no_field(const Column& column, std::string_view field) {
  return invalid(fmt::format("UDT column {} does not have a field named {}", column.name, field));
}

Outcome<OperationPtr> prepare_field(const ColumnPlace& place, const Assignment& made,
                                    const Scope& scope) {
  const auto& type = *place.column.type;
  if (type.kind != Kind::kUserType) return refused(made, scope, "non-UDT column");
  if (!type.is_multi_cell()) return refused(made, scope, "frozen UDT column");
  const auto field = find_field(type, made.field);
  if (field < 0) return no_field(place.column, made.field);
  const auto number = static_cast<std::size_t>(field);
  ASSIGN(TermPtr value,
         cql_terms::prepare(made.value, cql_terms::field_spec(place.spec(), number), scope));
  return set_field(place.column, number, std::move(value));
}

Outcome<OperationPtr> prepare_element_deletion(const ColumnPlace& place, const Expression& element,
                                               const Scope& scope) {
  const auto& [table, column] = place;
  if (!is_collection(column.type->kind)) {
    return invalid("Invalid deletion operation for non collection column " + column.name);
  }
  if (!column.type->is_multi_cell()) {
    return invalid("Invalid deletion operation for frozen collection column " + column.name);
  }
  const ColumnSpec spec = place.spec();
  const Kind kind = column.type->kind;
  ASSIGN(TermPtr key, cql_terms::prepare(element,
                                         kind == Kind::kList  ? index_spec(spec)
                                         : kind == Kind::kSet ? cql_terms::value_spec(spec)
                                                              : cql_terms::key_spec(spec),
                                         scope));
  return kind == Kind::kList ? delete_list_element(column, std::move(key))
                             : delete_element(column, std::move(key));
}

Outcome<OperationPtr> prepare_field_deletion(const Column& column, std::string_view field) {
  if (column.type->kind != Kind::kUserType) {
    return invalid("Invalid field deletion operation for non-UDT column " + column.name);
  }
  if (!column.type->is_multi_cell()) {
    return invalid(
        fmt::format("Frozen UDT column {} does not support field deletions", column.name));
  }
  const auto number = find_field(*column.type, field);
  if (number < 0) return no_field(column, field);
  return delete_field(column, static_cast<std::size_t>(number));
}

}  // namespace

Outcome<OperationPtr> prepare_set(const ColumnPlace& place, const Expression& value,
                                  const Scope& scope) {
  ASSIGN(TermPtr term, cql_terms::prepare(value, place.spec(), scope));
  const Column& column = place.column;
  if (column.type->kind == Kind::kCounter) {
    return invalid(
        fmt::format("Cannot set the value of counter column {} (counters can only be "
                    "incremented/decremented, not set)",
                    column.name));
  }
  if (!column.type->is_multi_cell()) return std::make_unique<SetCell>(place, std::move(term));
  if (column.type->kind == Kind::kUserType) return set_user_type(column, std::move(term));
  return column.type->kind == Kind::kList ? set_list(column, std::move(term))
                                          : set_elements(column, std::move(term));
}

Outcome<OperationPtr> prepare_assignment(const ColumnPlace& place, const Assignment& assignment,
                                         const Scope& scope, bool conditional) {
  switch (assignment.kind) {
    case Assignment::Kind::kSet:
      return prepare_set(place, assignment.value, scope);
    case Assignment::Kind::kAdd:
      return prepare_add(place, assignment, scope, conditional);
    case Assignment::Kind::kSubtract:
      return prepare_subtract(place, assignment, scope);
    case Assignment::Kind::kPrepend:
      return prepare_prepend(place, assignment, scope);
    case Assignment::Kind::kElement:
      return prepare_element(place, assignment, scope);
    case Assignment::Kind::kField:
      return prepare_field(place, assignment, scope);
  }
  return invalid("Invalid assignment of column " + place.column.name);
}

Outcome<OperationPtr> prepare_deletion(const ColumnPlace& place,
                                       const cql_syntax::Deletion& deletion, const Scope& scope) {
  if (deletion.element) return prepare_element_deletion(place, *deletion.element, scope);
  if (!deletion.field.empty()) return prepare_field_deletion(place.column, deletion.field);
  return std::make_unique<DeleteColumn>(place.column);
}

}  // namespace tailrace::cql_query
