// Assignments, types and texts of terms; their preparation is in prepare.cc.
#include "cql_terms/raw_term.h"

#include <fmt/format.h>

#include <algorithm>

#include "cql_syntax/statement.h"
#include "cql_terms/literals.h"
#include "cql_types/type_parser.h"

namespace tailrace::cql_terms {

using cql_types::invalid;
using cql_types::Kind;
using Of = Expression::Kind;

namespace {

// A user type is shown with the keyspace it was looked up in.
void qualify(cql_types::RawType& type, const std::string& keyspace) {
  if (type.kind == Kind::kUserType && !type.keyspace) type.keyspace = keyspace;
  for (auto& parameter : type.parameters) qualify(parameter, keyspace);
}

}  // namespace

std::string type_text(const cql_syntax::Type& type, const Scope& scope) {
  std::size_t used = 0;
  auto raw = cql_types::parse_raw_type(cql_syntax::print(type), used);
  if (!raw) return cql_syntax::print(type);
  qualify(*raw, scope.keyspace);
  return raw->text();
}

Outcome<TypePtr> named_type(const cql_syntax::Type& type, const Scope& scope) {
  const auto user_type = [&](std::string_view keyspace, std::string_view name) -> TypePtr {
    return scope.schema ? scope.schema->type(keyspace, name) : nullptr;
  };
  ASSIGN(auto found, cql_types::parse_type(cql_syntax::print(type), scope.keyspace, user_type));
  return found;
}

ColumnSpec value_spec(const ColumnSpec& collection) {
  const Type& type = *collection.type;
  return named(collection, "value(" + collection.name + ")",
               type.kind == Kind::kMap ? type.parameters[1] : type.parameters[0]);
}

ColumnSpec key_spec(const ColumnSpec& map) {
  return named(map, "key(" + map.name + ")", map.type->parameters[0]);
}

ColumnSpec component_spec(const ColumnSpec& tuple, std::size_t i) {
  return named(tuple, fmt::format("{}[{}]", tuple.name, i), tuple.type->parameters[i]);
}

ColumnSpec field_spec(const ColumnSpec& user_type, std::size_t i) {
  return named(user_type, user_type.name + "." + user_type.type->field_names[i],
               user_type.type->parameters[i]);
}

bool is_tuple(const Type& type) {
  return type.kind == Kind::kTuple || type.kind == Kind::kUserType;
}

Outcome<Match> test_all(Operands operands, const ColumnSpec& receiver) {
  Match all = Match::kExact;
  for (const auto* operand : operands) {
    ASSIGN(const auto one, operand->test(receiver));
    if (one == Match::kNone) return one;
    all = std::max(all, one);
  }
  return all;
}

Outcome<Match> test_list(Operands elements, const ColumnSpec& receiver) {
  if (receiver.type->kind != Kind::kList) return Match::kNone;
  if (elements.empty()) return Match::kWeak;
  return test_all(elements, value_spec(receiver));
}

Outcome<Match> test_set(Operands elements, const ColumnSpec& receiver) {
  if (receiver.type->kind != Kind::kSet)
    return receiver.type->kind == Kind::kMap && elements.empty() ? Match::kWeak : Match::kNone;
  if (elements.empty()) return Match::kWeak;
  return test_all(elements, value_spec(receiver));
}

Outcome<Match> test_vector(Operands elements, const ColumnSpec& receiver) {
  if (receiver.type->kind != Kind::kVector) return Match::kNone;
  if (elements.empty()) return Match::kWeak;
  return test_all(elements, value_spec(receiver));
}

Outcome<Match> test_map(Operands parts, const ColumnSpec& receiver) {
  if (receiver.type->kind != Kind::kMap) return Match::kNone;
  const auto key = key_spec(receiver), value = value_spec(receiver);
  Match all = Match::kExact;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    ASSIGN(const auto one, parts[i]->test(i % 2 == 0 ? key : value));
    if (one == Match::kNone) return one;
    all = std::max(all, one);
  }
  return all;
}

Outcome<void> check_tuple(Operands components, const ColumnSpec& receiver) {
  const Type& type = *receiver.type;
  if (!is_tuple(type))
    return invalid(
        fmt::format("Invalid tuple type literal for {} of type {}", receiver.name, to_cql(type)));
  for (std::size_t i = 0; i < components.size(); ++i) {
    if (i >= type.parameters.size())
      return invalid(fmt::format(
          "Invalid tuple literal for {}: too many elements. Type {} expects {} but got {}",
          receiver.name, to_cql(type), type.parameters.size(), components.size()));
    const auto spec = component_spec(receiver, i);
    ASSIGN(const auto match, components[i]->test(spec));
    if (match == Match::kNone)
      return invalid(fmt::format("Invalid tuple literal for {}: component {} is not of type {}",
                                 receiver.name, i, to_cql(*spec.type)));
  }
  return {};
}

Outcome<Match> test_tuple(Operands components, const ColumnSpec& receiver) {
  return check_tuple(components, receiver) ? Match::kWeak : Match::kNone;
}

std::string list_text(const std::vector<std::string>& parts, char open, char close) {
  return fmt::format("{}{}{}", open, fmt::join(parts, ", "), close);
}

std::string pairs_text(const std::vector<std::string>& parts) {
  std::vector<std::string> pairs;
  for (std::size_t i = 0; i + 1 < parts.size(); i += 2)
    pairs.push_back(parts[i] + ": " + parts[i + 1]);
  return list_text(pairs, '{', '}');
}

Outcome<TypePtr> common_type_of(Operands elements) {
  std::vector<TypePtr> types;
  for (const auto* element : elements) {
    ASSIGN(auto type, element->compatible_type());
    if (type) types.push_back(std::move(type));
  }
  return common_type(types);
}

bool is_constant(Expression::Kind kind) {
  return literal_of(kind).has_value();
}

Outcome<Called> called_by(const Expression& expression, const Scope& scope) {
  switch (expression.kind) {
    case Of::kCall:
      return Called{expression.keyspace, expression.text};
    case Of::kNegation:
      return Called{"system", std::string(kNegation)};
    case Of::kOperation:
      return Called{"system", operation_function(expression.text)};
    default: {
      ASSIGN(const auto type, named_type(expression.type[0], scope));
      return Called{"system", cast_function(*type)};
    }
  }
}

std::vector<RawTerm> RawTerm::items() const {
  std::vector<RawTerm> out;
  for (const auto& part : expression_->items) out.emplace_back(part, *scope_);
  return out;
}

std::string RawTerm::text() const {
  const Expression& e = *expression_;
  std::vector<std::string> parts;
  if (e.kind != Of::kTypeHint)
    for (const auto& part : items()) parts.push_back(part.text());
  switch (e.kind) {
    case Of::kString:
      return "'" + e.text + "'";
    case Of::kNull:
      return "NULL";
    case Of::kMarker:
      return "?";
    case Of::kList:
      return list_text(parts, '[', ']');
    case Of::kSet:
      return list_text(parts, '{', '}');
    case Of::kTuple:
      return list_text(parts, '(', ')');
    case Of::kMap:
      return pairs_text(parts);
    case Of::kUserType: {
      for (std::size_t i = 0; i < parts.size(); ++i) parts[i] = e.fields[i] + ": " + parts[i];
      return list_text(parts, '{', '}');
    }
    case Of::kTypeHint:
      return "(" + type_text(e.type[0], *scope_) + ")" + item(0).text();
    case Of::kCall:
    case Of::kCast:
    case Of::kNegation:
    case Of::kOperation: {
      const auto called = called_by(e, *scope_);
      return (called ? called->quoted() : "") + list_text(parts, '(', ')');
    }
    default:
      return is_constant(e.kind) ? constant_text(e) : e.text;
  }
}

Outcome<Match> RawTerm::test(const ColumnSpec& receiver) const {
  const Expression& e = *expression_;
  const Type& type = *receiver.type;
  const auto parts = items();
  const auto operands = pointers(parts);
  switch (e.kind) {
    case Of::kNull:
      return type.kind == Kind::kCounter ? Match::kNone : Match::kWeak;
    case Of::kMarker:
      return Match::kWeak;
    case Of::kList:
      if (type.kind == Kind::kList) return test_list(operands, receiver);
      if (type.kind != Kind::kVector)
        return invalid(fmt::format(
            "Unexpected receiver type '{}'; only list and vector are expected", to_cql(type)));
      if (operands.size() != static_cast<std::size_t>(type.dimension)) return Match::kNone;
      return test_all(operands, value_spec(receiver));
    case Of::kSet:
      return test_set(operands, receiver);
    case Of::kMap:
      return test_map(operands, receiver);
    case Of::kTuple:
      if (parts.size() == 1 && !is_tuple(type)) return parts[0].test(receiver);
      return test_tuple(operands, receiver);
    case Of::kUserType:
      if (type.kind != Kind::kUserType) return Match::kNone;
      for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto field = std::find(type.field_names.begin(), type.field_names.end(), e.fields[i]);
        if (field == type.field_names.end()) continue;
        const auto match = parts[i].test(
            field_spec(receiver, static_cast<std::size_t>(field - type.field_names.begin())));
        if (!match || *match == Match::kNone) return Match::kNone;
      }
      return Match::kWeak;
    case Of::kTypeHint: {
      ASSIGN(const auto cast, named_type(e.type[0], *scope_));
      if (*receiver.type == *cast) return Match::kExact;
      return is_value_compatible(type, *cast) ? Match::kWeak : Match::kNone;
    }
    case Of::kCall:
    case Of::kCast:
    case Of::kNegation:
    case Of::kOperation:
      return test_call(receiver);
    default:
      return test_constant(e, type);
  }
}

Outcome<FunctionPtr> RawTerm::called(const ColumnSpec& of) const {
  ASSIGN(const auto call, called_by(*expression_, *scope_));
  const auto parts = items();
  return resolve(call, pointers(parts), of, *scope_);
}

Outcome<Match> RawTerm::test_call(const ColumnSpec& receiver) const {
  const auto function = called(receiver);
  if (!function) {
    if (function.error().code == cql_types::ErrorCode::kInvalid) return Match::kWeak;
    return std::unexpected(function.error());
  }
  if (!*function || NativeFunctions::all().factory((*function)->name)) return Match::kWeak;
  if (*receiver.type == *(*function)->result) return Match::kExact;
  return is_value_compatible(*receiver.type, *(*function)->result) ? Match::kWeak : Match::kNone;
}

Outcome<TypePtr> RawTerm::call_type() const {
  const auto function = called(ColumnSpec{});
  return function && *function ? (*function)->result : nullptr;
}

Outcome<TypePtr> RawTerm::exact_type() const {
  const Expression& e = *expression_;
  switch (e.kind) {
    case Of::kSet:
      for (const auto& part : items()) {
        ASSIGN(auto type, part.exact_type());
        if (type) return cql_types::set_of(std::move(type), true);
      }
      return nullptr;
    case Of::kMap: {
      TypePtr types[2];
      for (std::size_t i = 0; i < e.items.size(); ++i) {
        if (types[i % 2]) continue;
        ASSIGN(types[i % 2], item(i).exact_type());
      }
      if (!types[0] || !types[1]) return nullptr;
      return cql_types::map_of(types[0], types[1], true);
    }
    case Of::kTuple: {
      std::vector<TypePtr> types;
      for (const auto& part : items()) {
        ASSIGN(auto type, part.exact_type());
        if (!type) return nullptr;
        types.push_back(std::move(type));
      }
      return cql_types::tuple_of(std::move(types));
    }
    case Of::kTypeHint:
      return named_type(e.type[0], *scope_);
    case Of::kCall:
    case Of::kCast:
    case Of::kNegation:
    case Of::kOperation:
      return call_type();
    default:
      return nullptr;
  }
}

Outcome<TypePtr> RawTerm::compatible_type() const {
  const Expression& e = *expression_;
  if (is_constant(e.kind)) return preferred_type(e);
  if (e.kind != Of::kSet && e.kind != Of::kMap) return exact_type();
  const auto parts = items();
  const auto operands = pointers(parts);
  if (e.kind == Of::kSet) {
    ASSIGN(auto type, common_type_of(operands));
    return type ? cql_types::set_of(std::move(type), true) : nullptr;
  }
  std::vector<const Operand*> halves[2];
  for (std::size_t i = 0; i < operands.size(); ++i) halves[i % 2].push_back(operands[i]);
  ASSIGN(auto key, common_type_of(halves[0]));
  if (!key) return nullptr;
  ASSIGN(auto value, common_type_of(halves[1]));
  return value ? cql_types::map_of(std::move(key), std::move(value), true) : nullptr;
}

}  // namespace tailrace::cql_terms
