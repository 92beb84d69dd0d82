// Terms made ready for a receiver.
#include <fmt/format.h>

#include <algorithm>

#include "cql_terms/literals.h"
#include "cql_terms/raw_term.h"

namespace tailrace::cql_terms {

using cql_types::invalid;
using cql_types::Kind;
using Of = Expression::Kind;

namespace {

std::unexpected<cql_types::Failure> no_markers(std::string_view word, const ColumnSpec& receiver) {
  return invalid(fmt::format(
      "Invalid {} literal for {}: bind variables are not supported inside collection literals",
      word, receiver.name));
}

}  // namespace

Outcome<PreparedPtr> RawTerm::constant(const ColumnSpec& receiver) const {
  const Expression& e = *expression_;
  if (test_constant(e, *receiver.type) == Match::kNone)
    return invalid(fmt::format("Invalid {} constant ({}) for \"{}\" of type {}",
                               literal_name(*literal_of(e.kind)), constant_value(e), receiver.name,
                               to_cql(*receiver.type)));
  ASSIGN(auto bytes, constant_bytes(e, *receiver.type, scope_->now_ms));
  return constant_term(std::move(bytes));
}

Outcome<PreparedPtr> RawTerm::marker(const ColumnSpec& receiver) const {
  const auto index = static_cast<std::size_t>(expression_->marker);
  if (scope_->markers) {
    if (scope_->markers->size() <= index) scope_->markers->resize(index + 1);
    auto& spec = (*scope_->markers)[index];
    spec = receiver;
    const auto* names = scope_->marker_names;
    if (names && index < names->size() && !(*names)[index].empty()) spec.name = (*names)[index];
  }
  return marker_term(expression_->marker, receiver);
}

// Lists and sets.
Outcome<PreparedPtr> RawTerm::collection(const ColumnSpec& receiver, std::string_view word) const {
  const auto kind = word == "list" ? Kind::kList : Kind::kSet;
  const auto& type = receiver.type;
  const auto elements = items();
  if (type->kind != kind) {
    if (type->kind == Kind::kMap && elements.empty()) return composite_term(receiver, {});
    return invalid(
        fmt::format("Invalid {} literal for {} of type {}", word, receiver.name, to_cql(*type)));
  }
  const auto spec = value_spec(receiver);
  for (const auto& element : elements) {
    ASSIGN(const auto match, element.test(spec));
    if (match == Match::kNone)
      return invalid(fmt::format("Invalid {} literal for {}: value {} is not of type {}", word,
                                 receiver.name, element.text(), to_cql(*spec.type)));
  }
  std::vector<PreparedPtr> parts;
  for (const auto& element : elements) {
    ASSIGN(auto part, element.prepare(spec));
    if (part->contains_marker()) return no_markers(word, receiver);
    parts.push_back(std::move(part));
  }
  return composite_term(receiver, std::move(parts));
}

Outcome<PreparedPtr> RawTerm::map(const ColumnSpec& receiver) const {
  if (receiver.type->kind != Kind::kMap)
    return invalid(fmt::format("Invalid map literal for {} of type {}", receiver.name,
                               to_cql(*receiver.type)));
  const ColumnSpec specs[] = {key_spec(receiver), value_spec(receiver)};
  const auto entries = items();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    ASSIGN(const auto match, entries[i].test(specs[i % 2]));
    if (match == Match::kNone)
      return invalid(fmt::format("Invalid map literal for {}: {} {} is not of type {}",
                                 receiver.name, i % 2 == 0 ? "key" : "value", entries[i].text(),
                                 to_cql(*specs[i % 2].type)));
  }
  std::vector<PreparedPtr> parts;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    ASSIGN(auto part, entries[i].prepare(specs[i % 2]));
    if (part->contains_marker()) return no_markers("map", receiver);
    parts.push_back(std::move(part));
  }
  return composite_term(receiver, std::move(parts));
}

Outcome<PreparedPtr> RawTerm::vector(const ColumnSpec& receiver) const {
  const Type& type = *receiver.type;
  const auto elements = items();
  if (elements.size() != static_cast<std::size_t>(type.dimension))
    return invalid(
        fmt::format("Invalid vector literal for {} of type {}; expected {} elements, but given {}",
                    receiver.name, to_cql(type), type.dimension, elements.size()));
  const auto spec = value_spec(receiver);
  std::vector<PreparedPtr> parts;
  for (const auto& element : elements) {
    ASSIGN(const auto match, element.test(spec));
    if (match == Match::kNone)
      return invalid(fmt::format("Invalid vector literal for {}: value {} is not of type {}",
                                 receiver.name, element.text(), to_cql(*spec.type)));
    ASSIGN(auto part, element.prepare(spec));
    parts.push_back(std::move(part));
  }
  return composite_term(receiver, std::move(parts));
}

Outcome<PreparedPtr> RawTerm::tuple(const ColumnSpec& receiver) const {
  const auto components = items();
  if (components.size() == 1 && !is_tuple(*receiver.type)) return components[0].prepare(receiver);
  TRY(check_tuple(pointers(components), receiver));
  std::vector<PreparedPtr> parts;
  for (std::size_t i = 0; i < components.size(); ++i) {
    ASSIGN(auto part, components[i].prepare(component_spec(receiver, i)));
    parts.push_back(std::move(part));
  }
  return composite_term(receiver, std::move(parts));
}

Outcome<PreparedPtr> RawTerm::user_type(const ColumnSpec& receiver) const {
  const Type& type = *receiver.type;
  if (type.kind != Kind::kUserType)
    return invalid(
        fmt::format("Invalid user type literal for {} of type {}", receiver.name, to_cql(type)));
  const auto& names = expression_->fields;
  // Of a field given twice the last counts.
  const auto given = [&](const std::string& name) -> std::optional<std::size_t> {
    const auto at = std::find(names.rbegin(), names.rend(), name);
    if (at == names.rend()) return std::nullopt;
    return static_cast<std::size_t>(names.rend() - at - 1);
  };
  for (std::size_t i = 0; i < type.parameters.size(); ++i) {
    const auto at = given(type.field_names[i]);
    if (!at) continue;
    const auto spec = field_spec(receiver, i);
    ASSIGN(const auto match, item(*at).test(spec));
    if (match == Match::kNone)
      return invalid(fmt::format("Invalid user type literal for {}: field {} is not of type {}",
                                 receiver.name, type.field_names[i], to_cql(*spec.type)));
  }
  std::vector<PreparedPtr> parts;
  for (std::size_t i = 0; i < type.parameters.size(); ++i) {
    const auto at = given(type.field_names[i]);
    if (!at) {
      parts.push_back(constant_term(std::nullopt));
      continue;
    }
    ASSIGN(auto part, item(*at).prepare(field_spec(receiver, i)));
    parts.push_back(std::move(part));
  }
  for (const auto& name : names)
    if (std::find(type.field_names.begin(), type.field_names.end(), name) == type.field_names.end())
      return invalid(
          fmt::format("Unknown field '{}' in value of user defined type {}", name, type.name));
  return composite_term(receiver, std::move(parts));
}

Outcome<PreparedPtr> RawTerm::call(const ColumnSpec& receiver) const {
  ASSIGN(const auto function, called(receiver));
  if (!function) {
    ASSIGN(const auto name, called_by(*expression_, *scope_));
    return invalid(fmt::format("Unknown function {} called", name.text()));
  }
  if (function->is_aggregate())
    return invalid("Aggregation function are not supported in the where clause");
  const auto target = receiver.type;
  const bool freezable = cql_types::is_collection(target->kind) || target->kind == Kind::kUserType;
  const auto result =
      freezable && target->frozen ? cql_types::frozen(function->result) : function->result;
  if (*target != *result && !is_value_compatible(*target, *result)) {
    const auto symbol = operation_symbol(function->name);
    return invalid(
        fmt::format("Type error: cannot assign result of {} {} (type {}) to {} (type {})",
                    symbol.empty() ? "function" : "operation",
                    symbol.empty() ? "system." + function->name : std::string(symbol),
                    to_cql(*function->result), receiver.name, to_cql(*target)));
  }
  std::vector<PreparedPtr> arguments;
  for (std::size_t i = 0; i < expression_->items.size(); ++i) {
    ASSIGN(auto argument, item(i).prepare(argument_spec(receiver, *function, i)));
    arguments.push_back(std::move(argument));
  }
  return call_term(function, std::move(arguments));
}

Outcome<PreparedPtr> RawTerm::hinted(const ColumnSpec& receiver) const {
  ASSIGN(auto type, named_type(expression_->type[0], *scope_));
  const auto term = item(0);
  ASSIGN(const auto inner, term.test(named(receiver, text(), std::move(type))));
  if (inner == Match::kNone)
    return invalid(fmt::format("Cannot cast value {} to type {}", term.text(),
                               type_text(expression_->type[0], *scope_)));
  ASSIGN(const auto match, test(receiver));
  if (match == Match::kNone)
    return invalid(fmt::format("Cannot assign value {} to {} of type {}", text(), receiver.name,
                               to_cql(*receiver.type)));
  return term.prepare(receiver);
}

Outcome<PreparedPtr> RawTerm::prepare(const ColumnSpec& receiver) const {
  switch (expression_->kind) {
    case Of::kNull:
      if (receiver.type->kind == Kind::kCounter)
        return invalid("Invalid null value for counter increment/decrement");
      return constant_term(std::nullopt, true);
    case Of::kMarker:
      return marker(receiver);
    case Of::kList:
      if (receiver.type->kind == Kind::kVector) return vector(receiver);
      if (receiver.type->kind == Kind::kList) return collection(receiver, "list");
      return invalid(fmt::format("Unexpected receiver type '{}'; only list and vector are expected",
                                 to_cql(*receiver.type)));
    case Of::kSet:
      return collection(receiver, "set");
    case Of::kMap:
      return map(receiver);
    case Of::kTuple:
      return tuple(receiver);
    case Of::kUserType:
      return user_type(receiver);
    case Of::kTypeHint:
      return hinted(receiver);
    case Of::kCall:
    case Of::kCast:
    case Of::kNegation:
    case Of::kOperation:
      return call(receiver);
    default:
      return constant(receiver);
  }
}

Outcome<TermPtr> prepare(const Expression& expression, const ColumnSpec& receiver,
                         const Scope& scope) {
  ASSIGN(auto term, RawTerm(expression, scope).prepare(receiver));
  return term;
}

}  // namespace tailrace::cql_terms
