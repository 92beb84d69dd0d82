// Selectors as they are written: names, types, assignments. Their nodes are made in build.cc.
#include "cql_terms/selectable.h"

#include <fmt/format.h>

#include <algorithm>

#include "cql_terms/literals.h"

namespace tailrace::cql_terms {

using cql_types::invalid;
using cql_types::Kind;
using Of = Expression::Kind;

namespace {

// How many of an expression's items are selectors; the rest are terms.
std::size_t selectors_within(const Expression& expression) {
  switch (expression.kind) {
    case Of::kElement:
    case Of::kSlice:
      return 1;
    default:
      return expression.items.size();
  }
}

bool is_call(Of kind) {
  return kind == Of::kCall || kind == Of::kOperation || kind == Of::kNegation ||
         kind == Of::kCountRows;
}

}  // namespace

bool Selectable::is_term() const {
  return is_constant(expression_->kind) || expression_->kind == Of::kNull ||
         expression_->kind == Of::kMarker;
}

Outcome<Selectable> Selectable::of(const Expression& expression, const cql_schema::Table& table,
                                   const Scope& scope) {
  Selectable made(expression, table, scope);
  if (expression.kind == Of::kColumn) {
    made.column_ = table.find(expression.text);
    if (made.column_ < 0)
      return invalid(fmt::format("Undefined column name {} in table {}",
                                 cql_types::quoted_if_needed(expression.text), table.text()));
    return made;
  }
  if (made.is_term()) return made;
  const bool is_map = expression.kind == Of::kMap;
  for (std::size_t i = is_map ? 1 : 0; i < selectors_within(expression); i += is_map ? 2 : 1) {
    ASSIGN(auto item, of(expression.items[i], table, scope));
    made.items_.push_back(std::move(item));
  }
  if (expression.kind == Of::kWritetime) {
    const Selectable* at = &made.items_[0];
    while (at->column_ < 0 && !at->items_.empty()) at = &at->items_[0];
    made.column_ = at->column_;
  }
  if (is_call(expression.kind)) TRY(made.look_up_call());
  return made;
}

Outcome<void> Selectable::look_up_call() {
  Called called{"system", "count_rows"};
  if (expression_->kind != Of::kCountRows) {
    ASSIGN(called, called_by(*expression_, *scope_));
  }
  const bool native = !called.keyspace || *called.keyspace == "system";
  // count(1) counts rows.
  const bool counts_rows = native && called.name == "count" && items_.size() == 1 &&
                           is_constant(items_[0].expression_->kind);
  const auto written = called.text();
  if (counts_rows) {
    called = {"system", "count_rows"};
    items_.clear();
  }
  ASSIGN(function_, resolve(called, pointers(items_), spec("", nullptr), *scope_));
  if (!function_) return invalid(fmt::format("Unknown function '{}'", written));
  return {};
}

std::optional<std::size_t> Selectable::list_size() const {
  if (expression_->kind != Of::kList) return std::nullopt;
  return items_.size();
}

std::string Selectable::text() const {
  const Expression& e = *expression_;
  if (is_term()) return term().text();
  std::vector<std::string> parts;
  for (const auto& item : items_) parts.push_back(item.text());
  switch (e.kind) {
    case Of::kColumn:
      return e.text;
    case Of::kField:
      return parts[0] + "." + e.text;
    case Of::kElement:
      return fmt::format("{}[{}]", parts[0], subscript(1).text());
    case Of::kSlice: {
      const auto bound = [&](std::size_t i) {
        return e.items[i].kind == Of::kNothing ? "" : subscript(i).text();
      };
      return fmt::format("{}[{}..{}]", parts[0], bound(1), bound(2));
    }
    case Of::kWritetime:
      return e.text + "(" + parts[0] + ")";
    case Of::kCast:
      return fmt::format("cast({} as {})", parts[0], type_text(e.type[0], *scope_));
    case Of::kTypeHint:
      return "(" + type_text(e.type[0], *scope_) + ")" + parts[0];
    case Of::kList:
      return list_text(parts, '[', ']');
    case Of::kSet:
      return list_text(parts, '{', '}');
    case Of::kTuple:
      return list_text(parts, '(', ')');
    case Of::kMap: {
      std::vector<std::string> pairs;
      for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto& key = e.items[2 * i];
        const auto made = of(key, *table_, *scope_);
        pairs.push_back(key.kind == Of::kColumn ? key.text : made ? made->text() : "");
        pairs.push_back(parts[i]);
      }
      return pairs_text(pairs);
    }
    default:
      return function_->column_name(parts);
  }
}

Outcome<std::vector<Selectable>> Selectable::map_parts() const {
  std::vector<Selectable> parts;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    ASSIGN(auto key, of(expression_->items[2 * i], *table_, *scope_));
    parts.push_back(std::move(key));
    parts.push_back(items_[i]);
  }
  return parts;
}

std::unexpected<cql_types::Failure> Selectable::unknown_field(const Type& type,
                                                              const Expression& key) const {
  if (key.kind == Of::kColumn)
    return invalid(
        fmt::format("Unknown field '{}' in value of user defined type {}", key.text, type.name));
  const auto made = of(key, *table_, *scope_);
  return invalid(fmt::format("{} is not a valid field identifier of type {} ",
                             made ? made->text() : key.text, type.name));
}

// The field's type, or null where the type has no such field.
const Type* Selectable::user_type_field(const Type& type, const Expression& key,
                                        std::size_t& field) const {
  if (key.kind != Of::kColumn) return nullptr;
  const auto at = std::find(type.field_names.begin(), type.field_names.end(), key.text);
  if (at == type.field_names.end()) return nullptr;
  field = static_cast<std::size_t>(at - type.field_names.begin());
  return type.parameters[field].get();
}

Outcome<Match> Selectable::test_map_or_user_type(const ColumnSpec& receiver) const {
  const Type& type = *receiver.type;
  if (type.kind != Kind::kUserType) {
    ASSIGN(const auto parts, map_parts());
    return test_map(pointers(parts), receiver);
  }
  Match all = Match::kWeak;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    std::size_t field = 0;
    const auto& key = expression_->items[2 * i];
    if (!user_type_field(type, key, field)) return unknown_field(type, key);
    const auto match = items_[i].test(field_spec(receiver, field));
    if (!match || *match == Match::kNone) all = Match::kNone;
  }
  return all;
}

Outcome<Match> Selectable::test_list_literal(const ColumnSpec& receiver) const {
  switch (receiver.type->kind) {
    case Kind::kList:
      return test_list(pointers(items_), receiver);
    case Kind::kVector:
      return test_vector(pointers(items_), receiver);
    default:
      return cql_types::failure(
          cql_types::ErrorCode::kServer,
          "java.lang.IllegalArgumentException: Unsupported target type: " + to_cql(*receiver.type));
  }
}

Outcome<Match> Selectable::test(const ColumnSpec& receiver) const {
  const Type& type = *receiver.type;
  if (is_term()) return term().test(receiver);
  switch (expression_->kind) {
    case Of::kList:
      return test_list_literal(receiver);
    case Of::kSet:
      return test_set(pointers(items_), receiver);
    case Of::kMap:
      return test_map_or_user_type(receiver);
    case Of::kTuple:
      if (items_.size() == 1 && !is_tuple(type)) return items_[0].test(receiver);
      return test_tuple(pointers(items_), receiver);
    case Of::kTypeHint: {
      ASSIGN(const auto hint, exact_type());
      if (type == *hint) return Match::kExact;
      return is_value_compatible(type, *hint) ? Match::kWeak : Match::kNone;
    }
    default: {
      ASSIGN(const auto exact, exact_type());
      return exact ? match_types(exact, receiver.type) : Match::kNone;
    }
  }
}

Outcome<TypePtr> Selectable::first_exact_type() const {
  for (const auto& item : items_) {
    ASSIGN(auto type, item.exact_type());
    if (type) return type;
  }
  return nullptr;
}

Outcome<TypePtr> Selectable::tuple_type(bool exact) const {
  if (items_.size() == 1) return nullptr;
  std::vector<TypePtr> types;
  for (const auto& item : items_) {
    ASSIGN(auto type, exact ? item.exact_type() : item.compatible_type());
    if (!type) return nullptr;
    types.push_back(std::move(type));
  }
  return cql_types::tuple_of(std::move(types));
}

Outcome<TypePtr> Selectable::exact_type() const {
  const Expression& e = *expression_;
  if (is_term()) return term().exact_type();
  switch (e.kind) {
    case Of::kColumn:
      return table_->columns[static_cast<std::size_t>(column_)].type;
    case Of::kList: {
      ASSIGN(auto type, first_exact_type());
      return type ? cql_types::list_of(std::move(type), true) : nullptr;
    }
    case Of::kSet: {
      ASSIGN(auto type, first_exact_type());
      return type ? cql_types::set_of(std::move(type), true) : nullptr;
    }
    case Of::kTuple:
      return tuple_type(true);
    case Of::kMap:
      return nullptr;
    case Of::kCast:
      return named_type(e.type[0], *scope_);
    case Of::kTypeHint: {
      ASSIGN(const auto type, named_type(e.type[0], *scope_));
      return cql_types::frozen(type);
    }
    case Of::kField: {
      ASSIGN(const auto selected, items_[0].exact_type());
      if (!selected || selected->kind != Kind::kUserType) return nullptr;
      const auto& names = selected->field_names;
      const auto at = std::find(names.begin(), names.end(), e.text);
      if (at == names.end()) return nullptr;
      return selected->parameters[static_cast<std::size_t>(at - names.begin())];
    }
    case Of::kElement:
    case Of::kSlice: {
      ASSIGN(const auto selected, items_[0].exact_type());
      if (!selected || !cql_types::is_collection(selected->kind)) return nullptr;
      if (e.kind == Of::kSlice) return selected;
      return selected->kind == Kind::kMap ? selected->parameters[1] : selected->parameters[0];
    }
    case Of::kWritetime: {
      const auto& column = table_->columns[static_cast<std::size_t>(column_)];
      auto type = cql_types::native_type(e.text == "ttl" ? Kind::kInt : Kind::kBigint);
      const bool many = column.type->is_multi_cell() && e.text != "maxwritetime";
      return many ? cql_types::list_of(std::move(type), true) : type;
    }
    default:
      return function_->result;
  }
}

Outcome<TypePtr> Selectable::compatible_type() const {
  if (is_term()) return term().compatible_type();
  switch (expression_->kind) {
    case Of::kList: {
      ASSIGN(auto type, common_type_of(pointers(items_)));
      return type ? cql_types::list_of(std::move(type), true) : nullptr;
    }
    case Of::kSet: {
      ASSIGN(auto type, common_type_of(pointers(items_)));
      return type ? cql_types::set_of(std::move(type), true) : nullptr;
    }
    case Of::kTuple:
      return tuple_type(false);
    default:
      return exact_type();
  }
}

}  // namespace tailrace::cql_terms
