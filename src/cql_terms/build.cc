// Selectors to nodes.
#include <fmt/format.h>

#include <algorithm>

#include "cql_syntax/statement.h"
#include "cql_terms/selectable.h"

namespace tailrace::cql_terms {

using cql_types::invalid;
using cql_types::Kind;
using Of = Expression::Kind;

std::unexpected<cql_types::Failure> Selectable::cannot_infer() const {
  return invalid(
      fmt::format("Cannot infer type for term {} in selection clause (try using a cast "
                  "to force a type)",
                  text()));
}

Outcome<TypePtr> Selectable::known_type(const TypePtr& expected) const {
  ASSIGN(auto type, exact_type());
  if (type) return type;
  if (expected) return expected;
  return cannot_infer();
}

Outcome<NodePtr> Selectable::build(const TypePtr& expected, Parts& parts) const {
  if (is_term()) return build_term(expected, parts);
  switch (expression_->kind) {
    case Of::kColumn:
      return build_column(false, parts);
    case Of::kCast:
      return build_cast(parts);
    case Of::kTypeHint:
      return build_hint(parts);
    case Of::kTuple:
      return build_tuple(expected, parts);
    case Of::kList:
      return build_list(expected, parts);
    case Of::kSet:
      return build_set(expected, parts);
    case Of::kMap:
      return build_map(expected, parts);
    case Of::kField:
      return build_field(parts);
    case Of::kElement:
      return build_element(parts);
    case Of::kSlice:
      return build_slice(expected, parts);
    case Of::kWritetime:
      return build_times(expected, parts);
    default:
      return build_call(parts);
  }
}

Outcome<std::pair<FunctionPtr, std::vector<Made>>> mask_of(const cql_schema::Column& column,
                                                           const cql_schema::Table& table,
                                                           const Scope& scope) {
  std::pair<FunctionPtr, std::vector<Made>> none;
  if (!column.mask || scope.unmask) return none;
  // The arguments are kept as literals: the values of a statement that inserts them.
  std::string text = "INSERT INTO t (c) VALUES (";
  std::vector<Expression> arguments;
  for (const auto& literal : column.mask->arguments) {
    ASSIGN(auto statement, cql_syntax::parse(text + literal + ")"));
    arguments.push_back(std::move(std::get<cql_syntax::Insert>(statement.body).values[0]));
  }
  const TypeOperand masked(column.type);
  std::vector<RawTerm> terms;
  for (const auto& argument : arguments) terms.emplace_back(argument, scope);
  auto operands = pointers(terms);
  operands.insert(operands.begin(), &masked);
  const ColumnSpec of{table.keyspace, table.name, column.name, column.type};
  ASSIGN(auto function, resolve({"system", column.mask->function}, operands, of, scope));
  if (!function)
    return invalid(
        fmt::format("Unable to find masking function for {}, no declared function "
                    "matches the signature {}",
                    column.name, column.mask->function));
  std::vector<Made> values;
  const Bindings nothing;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    ASSIGN(const auto term, terms[i].prepare(argument_spec(of, *function, i + 1)));
    ASSIGN(const auto value, term->bind(nothing));
    values.push_back(value.is_null() ? Made() : Made(value.bytes));
  }
  return std::pair(std::move(function), std::move(values));
}

Outcome<NodePtr> Selectable::build_column(bool cells, Parts& parts) const {
  const auto& column = table_->columns[static_cast<std::size_t>(column_)];
  ASSIGN(auto mask, mask_of(column, *table_, *scope_));
  return column_node(column, parts.fetch(column_, cells), std::move(mask.first),
                     std::move(mask.second));
}

Outcome<NodePtr> Selectable::build_term(const TypePtr& expected, Parts& parts) const {
  ASSIGN(auto type, known_type(expected));
  ASSIGN(auto prepared, term().prepare(spec("[selection]", type)));
  return term_node(text(), std::move(type), parts.slot({std::move(prepared), nullptr, "", ""}));
}

Outcome<NodePtr> Selectable::build_call(Parts& parts) const {
  std::vector<NodePtr> arguments;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    ASSIGN(auto node, items_[i].build(function_->arguments[i], parts));
    if (items_[i].is_term())
      parts.slots.back().if_unset =
          "Invalid unset value for argument in call to function " + function_->name;
    arguments.push_back(std::move(node));
  }
  return call_node(function_, std::move(arguments), parts);
}

Outcome<NodePtr> Selectable::build_cast(Parts& parts) const {
  ASSIGN(const auto type, exact_type());
  ASSIGN(auto node, items_[0].build(nullptr, parts));
  // To Cassandra the type of a clustering column in descending order is another one.
  const auto* column = items_[0].expression_->kind == Of::kColumn
                           ? &table_->columns[static_cast<std::size_t>(items_[0].column_)]
                           : nullptr;
  if (*type == *node->type() && !(column && column->descending)) return node;
  const Called called{"system", cast_function(*type)};
  ASSIGN(const auto function, resolve(called, pointers(items_), spec("", nullptr), *scope_));
  if (!function) {
    const auto first = parts.fetched.empty() ? -1 : parts.fetched[0].column;
    return invalid(fmt::format(
        "{} cannot be cast to {}",
        first < 0 ? node->name() : table_->columns[static_cast<std::size_t>(first)].name,
        to_cql(*type)));
  }
  return call_node(function, {std::move(node)}, parts);
}

Outcome<NodePtr> Selectable::build_hint(Parts& parts) const {
  ASSIGN(auto type, exact_type());
  ASSIGN(const auto match, items_[0].test(spec(text(), type)));
  if (match == Match::kNone)
    return invalid(
        fmt::format("Cannot assign value {} to {} of type {}", text(), text(), to_cql(*type)));
  ASSIGN(auto node, items_[0].build(type, parts));
  auto name = "(" + type_text(expression_->type[0], *scope_) + ")" + node->name();
  return renamed_node(std::move(name), std::move(type), std::move(node));
}

Outcome<std::vector<NodePtr>> Selectable::build_items(const TypePtr& expected, Parts& parts) const {
  std::vector<NodePtr> nodes;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    const bool by_place = is_tuple(*expected);
    if (by_place && i >= expected->parameters.size())
      return invalid(
          fmt::format("Invalid tuple literal: too many elements. Type {} expects {} but got {}",
                      to_cql(*expected), expected->parameters.size(), items_.size()));
    ASSIGN(auto node, items_[i].build(expected->parameters[by_place ? i : 0], parts));
    nodes.push_back(std::move(node));
  }
  return nodes;
}

namespace {

std::vector<std::string> names_of(const std::vector<NodePtr>& nodes) {
  std::vector<std::string> names;
  for (const auto& node : nodes) names.push_back(node->name());
  return names;
}

}  // namespace

Outcome<NodePtr> Selectable::build_tuple(const TypePtr& expected, Parts& parts) const {
  ASSIGN(auto type, known_type(expected));
  if (items_.size() == 1 && !is_tuple(*type)) {
    ASSIGN(auto node, items_[0].build(expected, parts));
    auto name = "(" + node->name() + ")";
    auto of = node->type();
    return renamed_node(std::move(name), std::move(of), std::move(node));
  }
  if (!is_tuple(*type)) return cannot_infer();
  ASSIGN(auto nodes, build_items(type, parts));
  auto name = list_text(names_of(nodes), '(', ')');
  return composite_node(std::move(name), std::move(type), std::move(nodes));
}

Outcome<NodePtr> Selectable::build_list(const TypePtr& expected, Parts& parts) const {
  TypePtr type = expected;
  const bool vector = expected && expected->kind == Kind::kVector;
  if (!vector) {
    if (expected && expected->kind != Kind::kList) {
      const auto match = test_list_literal(spec("", expected));
      return std::unexpected(match.error());
    }
    ASSIGN(type, known_type(expected));
  } else {
    // Vectors take their type from their elements where those have one.
    ASSIGN(const auto element, first_exact_type());
    if (element) type = cql_types::vector_of(element, static_cast<int>(items_.size()));
    if (static_cast<std::size_t>(type->dimension) != items_.size())
      return invalid(fmt::format("Unable to create a vector selector of type {} from {} elements",
                                 to_cql(*type), items_.size()));
  }
  ASSIGN(auto nodes, build_items(type, parts));
  auto name = list_text(names_of(nodes), '[', ']');
  return composite_node(std::move(name), std::move(type), std::move(nodes));
}

Outcome<NodePtr> Selectable::build_set(const TypePtr& expected, Parts& parts) const {
  ASSIGN(auto type, known_type(expected));
  if (type->kind == Kind::kMap) return composite_node("{}", std::move(type), {});
  if (type->kind != Kind::kSet) return cannot_infer();
  if (type->element().kind == Kind::kDuration)
    return invalid("Durations are not allowed inside sets: " + to_cql(*type));
  ASSIGN(auto nodes, build_items(type, parts));
  auto name = list_text(names_of(nodes), '{', '}');
  return composite_node(std::move(name), std::move(type), std::move(nodes));
}

Outcome<NodePtr> Selectable::build_map(const TypePtr& expected, Parts& parts) const {
  ASSIGN(auto type, known_type(expected));
  if (type->kind == Kind::kUserType) return build_user_type(type, parts);
  if (type->kind != Kind::kMap) return cannot_infer();
  if (type->key().kind == Kind::kDuration)
    return invalid("Durations are not allowed as map keys: " + to_cql(*type));
  ASSIGN(const auto entries, map_parts());
  std::vector<NodePtr> nodes;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    ASSIGN(auto node, entries[i].build(type->parameters[i % 2], parts));
    nodes.push_back(std::move(node));
  }
  auto name = pairs_text(names_of(nodes));
  return composite_node(std::move(name), std::move(type), std::move(nodes));
}

Outcome<NodePtr> Selectable::build_user_type(const TypePtr& type, Parts& parts) const {
  std::vector<NodePtr> nodes(type->parameters.size());
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    std::size_t field = 0;
    const auto& key = expression_->items[2 * i];
    if (!user_type_field(*type, key, field)) return unknown_field(*type, key);
    ASSIGN(nodes[field], items_[i].build(type->parameters[field], parts));
    texts.push_back(key.text);
    texts.push_back(nodes[field]->name());
  }
  return composite_node(pairs_text(texts), type, std::move(nodes));
}

Outcome<NodePtr> Selectable::build_field(Parts& parts) const {
  const auto& selected = items_[0];
  TypePtr expected;
  if (selected.expression_->kind == Of::kTuple && !selected.items_.empty()) {
    ASSIGN(expected, selected.items_[0].exact_type());
  }
  ASSIGN(auto node, selected.build(expected, parts));
  const auto& type = *node->type();
  if (type.kind != Kind::kUserType)
    return invalid(fmt::format("Invalid field selection: {} of type {} is not a user type",
                               selected.text(), to_cql(type)));
  const auto at = std::find(type.field_names.begin(), type.field_names.end(), expression_->text);
  if (at == type.field_names.end())
    return invalid(fmt::format("{} of type {} has no field {}", selected.text(), to_cql(type),
                               expression_->text));
  auto name = node->name() + "." + expression_->text;
  return field_node(std::move(name), std::move(node),
                    static_cast<std::size_t>(at - type.field_names.begin()));
}

Outcome<int> Selectable::key_slot(std::size_t item, const NodePtr& selected, std::string_view what,
                                  bool may_be_unset, Parts& parts) const {
  const auto& type = *selected->type();
  const auto receiver = spec(selected->name(), selected->type());
  auto of = type.kind == Kind::kMap ? key_spec(receiver) : value_spec(receiver);
  ASSIGN(auto key, subscript(item).prepare(of));
  const auto sentence = [&](std::string_view bad) {
    return fmt::format("Invalid {} value for {} selection on {}", bad, what, selected->name());
  };
  return parts.slot({std::move(key), nullptr, sentence("null"),
                     may_be_unset ? std::string() : sentence("unset")});
}

namespace {

Outcome<void> no_list(const Type& type, const std::string& text, std::string_view what) {
  if (type.kind != Kind::kList) return {};
  return invalid(
      fmt::format("{} selection is only allowed on sets and maps, but {} is a list", what, text));
}

}  // namespace

Outcome<NodePtr> Selectable::build_element(Parts& parts) const {
  ASSIGN(auto node, items_[0].build(nullptr, parts));
  const auto& type = *node->type();
  if (!cql_types::is_collection(type.kind))
    return invalid(fmt::format("Invalid element selection: {} is of type {} is not a collection",
                               items_[0].text(), to_cql(type)));
  TRY(no_list(type, items_[0].text(), "Element"));
  ASSIGN(const int key, key_slot(1, node, "element", false, parts));
  return element_node(text(), std::move(node), key);
}

Outcome<NodePtr> Selectable::build_slice(const TypePtr& expected, Parts& parts) const {
  ASSIGN(auto node, items_[0].build(expected, parts));
  const auto& type = *node->type();
  if (!cql_types::is_collection(type.kind))
    return invalid(fmt::format("Invalid slice selection: {} of type {} is not a collection",
                               items_[0].text(), to_cql(type)));
  TRY(no_list(type, items_[0].text(), "Slice"));
  int bounds[2] = {-1, -1};
  for (std::size_t i = 0; i < 2; ++i) {
    if (expression_->items[i + 1].kind == Of::kNothing) continue;
    ASSIGN(bounds[i], key_slot(i + 1, node, "slice", true, parts));
  }
  return slice_node(text(), std::move(node), bounds[0], bounds[1]);
}

Outcome<NodePtr> Selectable::build_times(const TypePtr& expected, Parts& parts) const {
  const auto& column = table_->columns[static_cast<std::size_t>(column_)];
  if (column.kind == cql_schema::ColumnKind::kPartitionKey ||
      column.kind == cql_schema::ColumnKind::kClustering)
    return invalid(fmt::format("Cannot use selection function {} on PRIMARY KEY part {}",
                               expression_->text, column.name));
  ASSIGN(auto node, items_[0].build(expected, parts));
  parts.fetch(column_, true);
  return times_node(expression_->text, std::move(node));
}

}  // namespace tailrace::cql_terms
