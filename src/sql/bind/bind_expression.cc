// Expressions: names, fields, subscripts, casts, CASE and calls of the engine's catalogue.
#include <algorithm>
#include <array>
#include <map>

#include "sql/bind/binder.h"
#include "sql/bind/coerce.h"
#include "sql/bind/make.h"
#include "sql/parser.h"

namespace tailrace::sql {

using engine::Expr;
using engine::ExprPtr;

namespace {

// double(x), int(x) …: a cast written as a call.
Type type_of_cast_function(const std::string& name) {
  static const std::map<std::string, Type> types = {
      {"boolean", arrow::boolean()}, {"tinyint", arrow::int8()},
      {"smallint", arrow::int16()},  {"int", arrow::int32()},
      {"bigint", arrow::int64()},    {"float", arrow::float32()},
      {"double", arrow::float64()},  {"string", arrow::utf8()},
      {"date", arrow::date32()},     {"timestamp", timestamp_type()},
      {"binary", arrow::binary()},   {"decimal", arrow::decimal128(10, 0)}};
  const auto at = types.find(name);
  return at == types.end() ? nullptr : at->second;
}

bool is_changing(const std::string& name) {
  static constexpr std::array<std::string_view, 11> kNames = {"rand",
                                                              "random",
                                                              "randn",
                                                              "randstr",
                                                              "uniform",
                                                              "uuid",
                                                              "shuffle",
                                                              "input_file_name",
                                                              "monotonically_increasing_id",
                                                              "spark_partition_id",
                                                              "current_user"};
  return std::ranges::find(kNames, name) != kNames.end();
}

}  // namespace

Result<ExprPtr> Binder::expression(const Expression& node, const Scope& scope, Calls* calls) {
  switch (node.kind) {
    case Expression::Kind::kName:
      return name(node, scope);
    case Expression::Kind::kLiteral:
      return make_literal(node.literal);
    case Expression::Kind::kStar:
      return fail(node.span,
                  "[INVALID_USAGE_OF_STAR_OR_REGEX] Invalid usage of '*' in an expression.");
    case Expression::Kind::kCast:
      return cast(node, scope, calls);
    case Expression::Kind::kCase:
      return case_when(node, scope, calls);
    case Expression::Kind::kCall:
      return call(node, scope, calls);
    case Expression::Kind::kField: {
      ASSIGN(auto base, expression(*node.args[0], scope, calls));
      return field(std::move(base), node.name, node.span);
    }
    case Expression::Kind::kLambda:
      return fail(node.span,
                  "[INVALID_LAMBDA_FUNCTION_CALL.NON_HIGHER_ORDER_FUNCTION] A lambda function "
                  "should only be used in a higher order function.");
    case Expression::Kind::kSubscript: {
      ASSIGN(auto args, arguments(node, scope, calls));
      if (args[0]->type->id() == arrow::Type::STRUCT && args[1]->kind == Expr::Kind::kLiteral &&
          args[1]->type->id() == arrow::Type::STRING) {
        return field(args[0], args[1]->literal->ToString(), node.span);
      }
      return make_call("[]", std::move(args), place(node.span));
    }
  }
  return fail(node.span, "an expression of an unknown kind");
}

Result<Binder::Exprs> Binder::arguments(const Expression& node, const Scope& scope, Calls* calls) {
  Exprs args;
  for (const auto& arg : node.args) {
    ASSIGN(auto bound, expression(*arg, scope, calls));
    args.push_back(std::move(bound));
  }
  return args;
}

Result<ExprPtr> Binder::condition(const Expression& node, const Scope& scope, Calls* calls,
                                  std::string_view clause) {
  ASSIGN(auto bound, expression(node, scope, calls));
  if (bound->type->id() == arrow::Type::NA) return as_type(bound, arrow::boolean());
  if (bound->type->id() == arrow::Type::BOOL) return bound;
  return fail(node.span, "[DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN] The condition of " +
                             std::string(clause) + " is of type \"" + spark_name(*bound->type) +
                             "\" but must be \"BOOLEAN\".");
}

Result<ExprPtr> Binder::name(const Expression& node, const Scope& scope) {
  const Found found = find_name(scope, node.parts);
  std::string written;
  for (const auto& part : node.parts) written += (written.empty() ? "`" : ".`") + part + "`";
  if (found.ambiguous) {
    return fail(node.span, "[AMBIGUOUS_REFERENCE] Reference " + written +
                               " is ambiguous: more than one relation has it; "
                               "write relation.column.");
  }
  if (!found.expr) {
    const auto names = scope_names(scope);
    return fail(node.span,
                std::string("[UNRESOLVED_COLUMN.") + (names.empty() ? "WITHOUT" : "WITH") +
                    "_SUGGESTION] A column, variable, or function parameter with name " + written +
                    " cannot be resolved." + suggestion(node.parts.back(), names));
  }
  ExprPtr bound = found.expr;
  for (std::size_t i = found.used; i < node.parts.size(); ++i) {
    ASSIGN(bound, field(std::move(bound), node.parts[i], node.span));
  }
  return bound;
}

Result<ExprPtr> Binder::field(ExprPtr base, const std::string& name, const Span& span) {
  if (base->type->id() == arrow::Type::MAP) {
    return make_call("[]",
                     {std::move(base), make_literal(std::make_shared<arrow::StringScalar>(name))},
                     place(span));
  }
  if (base->type->id() == arrow::Type::LIST &&
      base->type->field(0)->type()->id() == arrow::Type::STRUCT) {
    return unsupported(span, "a field of an array of structs (explode it first)");
  }
  if (base->type->id() != arrow::Type::STRUCT) {
    return fail(
        span,
        "[INVALID_EXTRACT_BASE_FIELD_TYPE] Can't extract a value from an expression of type \"" +
            spark_name(*base->type) + "\". Need a complex type [STRUCT, ARRAY, MAP]: field `" +
            name + "`.");
  }
  int match = -1;
  std::vector<std::string> names;
  for (int i = 0; i < base->type->num_fields(); ++i) {
    names.push_back(base->type->field(i)->name());
    if (!same_name(names.back(), name)) continue;
    if (match >= 0)
      return fail(
          span, "[AMBIGUOUS_REFERENCE_TO_FIELDS] Ambiguous reference to the field `" + name + "`.");
    match = i;
  }
  if (match < 0) {
    return fail(span, "[FIELD_NOT_FOUND] No such struct field `" + name + "` in " +
                          spark_name(*base->type) + "." + suggestion(name, names));
  }
  return make_field(std::move(base), match);
}

Result<ExprPtr> Binder::cast(const Expression& node, const Scope& scope, Calls* calls) {
  ASSIGN(auto value, expression(*node.args[0], scope, calls));
  if (value->type->Equals(*node.type)) return value;
  if (!engine::may_cast(*value->type, *node.type)) {
    return fail(node.span, "[DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION] Cannot cast \"" +
                               spark_name(*value->type) + "\" to \"" + spark_name(*node.type) +
                               "\".");
  }
  return make_cast(std::move(value), node.type, node.try_cast, place(node.span));
}

Result<ExprPtr> Binder::case_when(const Expression& node, const Scope& scope, Calls* calls) {
  auto made = std::make_shared<Expr>();
  made->kind = Expr::Kind::kCase;
  made->place = place(node.span);
  const bool has_else = node.args.size() % 2 == 1;
  Type type = arrow::null();
  for (std::size_t i = 0; i < node.args.size(); ++i) {
    const bool when = i % 2 == 0 && !(has_else && i + 1 == node.args.size());
    if (when) {
      ASSIGN(auto test, condition(*node.args[i], scope, calls, "WHEN"));
      made->args.push_back(std::move(test));
      continue;
    }
    ASSIGN(auto value, expression(*node.args[i], scope, calls));
    auto wider = coerced_type(type, value->type);
    if (!wider)
      return fail(node.args[i]->span,
                  "[DATATYPE_MISMATCH.DATA_DIFF_TYPES] The branches of CASE should all be the same "
                  "type, but they are \"" +
                      spark_name(*type) + "\" and \"" + spark_name(*value->type) + "\".");
    type = *wider;
    made->args.push_back(std::move(value));
  }
  for (std::size_t i = 0; i < made->args.size(); ++i) {
    const bool when = i % 2 == 0 && !(has_else && i + 1 == made->args.size());
    if (!when) made->args[i] = as_type(made->args[i], type, made->place);
  }
  made->type = type;
  return made;
}

Result<ExprPtr> Binder::call(const Expression& node, const Scope& scope, Calls* calls) {
  if (node.over) return window_call(node, scope, calls);
  if (is_aggregate_name(node.name)) return aggregate(node, scope, calls);
  if (node.distinct || node.filter) {
    return fail(node.span, "[INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX] The function `" +
                               node.name + "` does not support DISTINCT or FILTER.");
  }
  if (is_generator_name(node.name)) {
    return unsupported(node.span, "the generator " + node.name +
                                      " inside an expression (use it alone or LATERAL VIEW)");
  }
  if (const auto type = type_of_cast_function(node.name); type && node.args.size() == 1) {
    ASSIGN(auto value, expression(*node.args[0], scope, calls));
    return value->type->Equals(*type) ? value
                                      : make_cast(std::move(value), type, false, place(node.span));
  }
  if (is_changing(node.name)) {
    return unsupported(node.span, "the function " + node.name +
                                      " (its value changes at every call, so that a row could "
                                      "never be retracted)");
  }
  if (node.name == "session_window") return unsupported(node.span, "session_window");
  if (is_lambda_function(node.name)) return lambda_call(node, scope, calls);
  if (node.name == "decode" && node.args.size() > 2) return decode(node, scope, calls);
  const bool interval = std::any_of(node.args.begin(), node.args.end(), [](const auto& arg) {
    return arg->kind == Expression::Kind::kCall && arg->name == "interval_months";
  });
  if (interval) return interval_call(node, scope, calls);
  ASSIGN(auto args, arguments(node, scope, calls));
  if (node.name == "coalesce" || node.name == "nvl" || node.name == "ifnull") {
    if (args.size() == 1) return args[0];
  }
  if (node.name == "nullif" && args.size() == 2) {  // its type is the first's
    ASSIGN(auto same, make_call("=", args, place(node.span)));
    return make_call("if", {same, make_literal(arrow::MakeNullScalar(arrow::null())), args[0]},
                     place(node.span));
  }
  auto bound = make_call(node.name, std::move(args), place(node.span));
  if (bound || bound.error().code != Code::kNotFound) return bound;
  std::vector<std::string> names;
  for (const auto& info : engine::function_catalogue()) {
    if (!info.name.starts_with('\x01')) names.push_back(info.name);
  }
  return fail(node.span, "[UNRESOLVED_ROUTINE] Cannot resolve routine `" + node.name + "`." +
                             suggestion(node.name, names));
}

// decode(a, when, then, …, else) is CASE with <=>.
Result<ExprPtr> Binder::decode(const Expression& node, const Scope& scope, Calls* calls) {
  Expression choice;
  choice.kind = Expression::Kind::kCase;
  choice.span = node.span;
  std::size_t i = 1;
  for (; i + 1 < node.args.size(); i += 2) {
    auto test = std::make_shared<Expression>();
    test->kind = Expression::Kind::kCall;
    test->span = node.args[i]->span;
    test->name = "<=>";
    test->args = {node.args[0], node.args[i]};
    choice.args.push_back(std::move(test));
    choice.args.push_back(node.args[i + 1]);
  }
  if (i < node.args.size()) choice.args.push_back(node.args[i]);
  return case_when(choice, scope, calls);
}

// date or timestamp ± months: the only place of an interval of months.
Result<ExprPtr> Binder::interval_call(const Expression& node, const Scope& scope, Calls* calls) {
  const bool second = node.args.size() == 2 && node.args[1]->name == "interval_months";
  const bool first = node.args.size() == 2 && !second && node.name == "+";
  if ((node.name != "+" && node.name != "-") || (!second && !first)) {
    return unsupported(node.span, "an interval of months here");
  }
  ASSIGN(auto base, expression(*node.args[first ? 1 : 0], scope, calls));
  ASSIGN(auto months, expression(*node.args[first ? 0 : 1]->args[0], scope, calls));
  if (base->type->id() != arrow::Type::DATE32)
    return unsupported(node.span, "an interval of months beside a " + spark_name(*base->type));
  if (node.name == "-") {
    ASSIGN(months, make_call("negative", {std::move(months)}, place(node.span)));
  }
  return make_call("add_months", {std::move(base), std::move(months)}, place(node.span));
}

}  // namespace tailrace::sql
