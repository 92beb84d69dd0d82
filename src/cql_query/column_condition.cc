#include "cql_query/column_condition.h"

#include <fmt/format.h>

#include <algorithm>

#include "cql_terms/operand.h"
#include "cql_types/parts.h"

namespace tailrace::cql_query {
namespace {

using cql_syntax::Operator;
using cql_syntax::Relation;
using cql_terms::ColumnSpec;
using cql_terms::Scope;
using cql_terms::Value;
using cql_types::invalid;
using cql_types::Kind;
using cql_types::Type;

bool is_slice(Operator op) {
  return op == Operator::kLess || op == Operator::kLessEqual || op == Operator::kMore ||
         op == Operator::kMoreEqual;
}

bool holds_duration(const Type& type) {
  if (type.kind == Kind::kDuration) return true;
  return std::ranges::any_of(type.parameters,
                             [](const auto& part) { return holds_duration(*part); });
}

Outcome<void> check_duration(const Type& type, Operator op) {
  if (!is_slice(op) || !holds_duration(type)) return {};
  const auto holding = [](std::string_view what) {
    return invalid(
        fmt::format("Slice conditions are not supported on {} containing durations", what));
  };
  if (is_collection(type.kind)) return holding("collections");
  if (type.kind == Kind::kTuple) return holding("tuples");
  if (type.kind == Kind::kUserType) return holding("UDTs");
  return invalid(
      fmt::format("Slice conditions ( {} ) are not supported on durations", operator_text(op)));
}

// What an element condition names and compares.
struct ElementSpecs {
  ColumnSpec element, value;
};
Outcome<ElementSpecs> element_specs(const ColumnSpec& column) {
  if (!is_collection(column.type->kind)) {
    return invalid("Invalid element access syntax for non-collection column " + column.name);
  }
  if (column.type->kind == Kind::kSet) {
    return invalid("Invalid element access syntax for set column " + column.name);
  }
  const bool is_map = column.type->kind == Kind::kMap;
  return ElementSpecs{is_map ? cql_terms::key_spec(column)
                             : cql_terms::named(column, "idx(" + column.name + ")",
                                                cql_types::native_type(Kind::kInt)),
                      cql_terms::value_spec(column)};
}

// What a value of the relation is assigned to.
Outcome<ColumnSpec> value_receiver(ColumnSpec receiver, const Relation& relation) {
  const Kind kind = receiver.type->kind;
  if (relation.op == Operator::kContainsKey && kind != Kind::kMap) {
    return invalid("Cannot use CONTAINS KEY on non-map column " + receiver.name);
  }
  if (relation.op == Operator::kContains && !is_collection(kind)) {
    return invalid("Cannot use CONTAINS on non-collection column " + receiver.name);
  }
  if (relation.op == Operator::kContainsKey) return cql_terms::key_spec(receiver);
  if (relation.op == Operator::kContains) return cql_terms::value_spec(receiver);
  if (!relation.marker_for_all) return receiver;
  return cql_terms::named(receiver, "in(" + receiver.name + ")",
                          cql_types::list_of(receiver.type, false));
}

}  // namespace

std::string_view operator_text(Operator op) {
  switch (op) {
    case Operator::kEqual:
      return "=";
    case Operator::kNotEqual:
      return "!=";
    case Operator::kLess:
      return "<";
    case Operator::kLessEqual:
      return "<=";
    case Operator::kMore:
      return ">";
    case Operator::kMoreEqual:
      return ">=";
    case Operator::kIn:
      return "IN";
    case Operator::kContains:
      return "CONTAINS";
    case Operator::kContainsKey:
      return "CONTAINS KEY";
    case Operator::kLike:
      return "LIKE";
    case Operator::kIsNotNull:
      return "IS NOT";
  }
  return "";
}

std::unexpected<cql_types::Failure> unset_in_condition() {
  return invalid("Invalid 'unset' value in condition");
}

Outcome<ColumnCondition> ColumnCondition::prepare(const ColumnPlace& place,
                                                  const Relation& relation, const Scope& scope) {
  const Type& type = *place.column.type;
  if (type.kind == Kind::kCounter) return invalid("Conditions on counters are not supported");
  ColumnCondition made;
  made.column_ = &place.column;
  made.op_ = relation.op;
  made.marker_for_all_ = relation.marker_for_all;
  ColumnSpec receiver = place.spec();
  if (relation.kind == Relation::Kind::kElement) {
    ASSIGN(auto specs, element_specs(receiver));
    TRY(check_duration(*specs.value.type, relation.op));
    ASSIGN(made.element_, cql_terms::prepare(*relation.element, specs.element, scope));
    receiver = std::move(specs.value);
  } else if (relation.kind == Relation::Kind::kField) {
    const auto at = std::ranges::find(type.field_names, relation.field);
    if (at == type.field_names.end()) {
      return invalid(
          fmt::format("Unknown field {} for column {}", relation.field, place.column.name));
    }
    made.field_ = at - type.field_names.begin();
    receiver = cql_terms::field_spec(receiver, static_cast<std::size_t>(made.field_));
    TRY(check_duration(*receiver.type, relation.op));
  } else {
    TRY(check_duration(type, relation.op));
  }
  ASSIGN(const ColumnSpec of_value, value_receiver(std::move(receiver), relation));
  for (const auto& value : relation.values) {
    ASSIGN(auto term, cql_terms::prepare(value, of_value, scope));
    made.values_.push_back(std::move(term));
  }
  return made;
}

Operator ColumnCondition::comparison() const {
  return op_ == Operator::kIn ? Operator::kEqual : op_;
}

Outcome<void> ColumnCondition::bind_list(const Value& list, BoundCondition& to) const {
  if (list.is_null()) return invalid("Invalid null list in IN condition");
  if (list.is_unset()) return unset_in_condition();
  cql_types::CollectionReader reader(list.bytes, 1);
  cql_types::Part part;
  while (reader.next(part)) to.values.push_back(part ? Value::of(*part) : Value{});
  if (reader.failed()) return invalid("Not enough bytes to read a list");
  return {};
}

Outcome<BoundCondition> ColumnCondition::bind(const Bindings& bindings) const {
  BoundCondition bound{this, std::nullopt, {}};
  if (element_ != nullptr) {
    ASSIGN(bound.element, element_->bind(bindings));
  }
  for (const auto& term : values_) {
    ASSIGN(const Value value, term->bind(bindings));
    if (marker_for_all_) {
      TRY(bind_list(value, bound));
    } else if (!value.is_unset() || op_ != Operator::kIn) {
      bound.values.push_back(value);
    }
  }
  return bound;
}

}  // namespace tailrace::cql_query
