// Functions with lambdas: transform, filter, exists, forall, aggregate, zip_with, map_filter,
// transform_keys, transform_values. engine/functions/lambdas.h says what they become.
#include <algorithm>
#include <array>

#include "engine/functions/lambdas.h"
#include "sql/bind/binder.h"
#include "sql/bind/make.h"

namespace tailrace::sql {

using engine::Expr;
using engine::ExprPtr;

namespace {

struct Rule {
  std::string_view name;
  std::size_t values;     ///< arguments before the lambda
  std::size_t variables;  ///< most of them
};

constexpr std::array<Rule, 10> kRules = {{{"transform", 1, 2},
                                          {"filter", 1, 2},
                                          {"exists", 1, 1},
                                          {"forall", 1, 1},
                                          {"aggregate", 2, 2},
                                          {"reduce", 2, 2},
                                          {"zip_with", 2, 2},
                                          {"map_filter", 1, 2},
                                          {"transform_keys", 1, 2},
                                          {"transform_values", 1, 2}}};

const Rule* find_rule(std::string_view name) {
  const auto* found = std::ranges::find(kRules, name, &Rule::name);
  return found == kRules.end() ? nullptr : found;
}

ExprPtr make_variable(int id, Type type) {
  auto made = std::make_shared<Expr>();
  made->kind = Expr::Kind::kCall;
  made->name = engine::kLambdaVariable;
  made->column = id;
  made->type = std::move(type);
  return made;
}

const Type& body_type(const ExprPtr& lambda) {
  return lambda->args[0]->type;
}

/// The lambda with its body cast.
ExprPtr with_body(const ExprPtr& lambda, const Type& type, const std::string& place) {
  if (body_type(lambda)->Equals(*type)) return lambda;
  auto made = std::make_shared<Expr>(*lambda);
  made->args[0] = as_type(made->args[0], type, place);
  made->type = type;
  return made;
}

}  // namespace

bool is_lambda_function(const std::string& name) {
  return find_rule(name) != nullptr;
}

Result<ExprPtr> Binder::lambda(const Expression& node, const std::vector<Type>& types,
                               const Scope& scope, Calls* calls) {
  if (node.kind != Expression::Kind::kLambda) {
    return fail(node.span,
                "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] A lambda is required here: x -> …");
  }
  if (node.parts.size() > types.size()) {
    return fail(node.span,
                "[INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH] Invalid lambda function call. "
                "The lambda has " +
                    std::to_string(node.parts.size()) + " variables, at most " +
                    std::to_string(types.size()) + " are given.");
  }
  auto made = std::make_shared<Expr>();
  made->kind = Expr::Kind::kCall;
  made->name = engine::kLambda;
  made->place = place(node.span);
  Scope inner = scope;
  for (std::size_t i = 0; i < node.parts.size(); ++i) {
    made->args.push_back(make_variable(variables_++, types[i]));
    inner.variables.push_back({node.parts[i], made->args.back()});
  }
  ASSIGN(auto body, expression(*node.args[0], inner, calls));
  made->type = body->type;
  made->args.insert(made->args.begin(), std::move(body));
  return made;
}

Result<ExprPtr> Binder::lambda_call(const Expression& node, const Scope& scope, Calls* calls) {
  const Rule& rule = *find_rule(node.name);
  const bool folds = rule.name == "aggregate" || rule.name == "reduce";
  if (node.args.size() != rule.values + 1 && !(folds && node.args.size() == rule.values + 2)) {
    return fail(node.span, "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `" + node.name + "` requires " +
                               std::to_string(rule.values + 1) +
                               " parameters but the actual number is " +
                               std::to_string(node.args.size()) + ".");
  }
  auto made = std::make_shared<Expr>();
  made->kind = Expr::Kind::kCall;
  made->name = folds ? "aggregate" : node.name;
  made->place = place(node.span);
  for (std::size_t i = 0; i < rule.values; ++i) {
    ASSIGN(auto value, expression(*node.args[i], scope, calls));
    made->args.push_back(std::move(value));
  }
  const bool of_map = rule.name.find("map") == 0 || rule.name.find("transform_") == 0;
  const Type source = made->args[0]->type;
  if (source->id() != (of_map ? arrow::Type::MAP : arrow::Type::LIST)) {
    return fail(node.span, std::string("[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] The first "
                                       "parameter requires the \"") +
                               (of_map ? "MAP" : "ARRAY") + "\" type, however it has the type \"" +
                               spark_name(*source) + "\".");
  }
  std::vector<Type> types;
  if (of_map) {
    const auto& map = static_cast<const arrow::MapType&>(*source);
    types = {map.key_type(), map.item_type()};
  } else if (rule.name == "zip_with") {
    if (made->args[1]->type->id() != arrow::Type::LIST)
      return fail(node.args[1]->span,
                  "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] The second "
                  "parameter requires the \"ARRAY\" type.");
    types = {source->field(0)->type(), made->args[1]->type->field(0)->type()};
  } else if (folds) {
    types = {made->args[1]->type, source->field(0)->type()};
  } else if (rule.variables == 2) {
    types = {source->field(0)->type(), arrow::int32()};
  } else {
    types = {source->field(0)->type()};
  }
  const bool both = of_map || folds || rule.name == "zip_with";
  const Expression& written = *node.args[rule.values];
  if (both && written.kind == Expression::Kind::kLambda && written.parts.size() != types.size()) {
    return fail(written.span,
                "[INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH] Invalid lambda "
                "function call. A lambda of two variables is required.");
  }
  ASSIGN(auto body, lambda(written, types, scope, calls));
  if (folds && !body_type(body)->Equals(*types[0])) {
    return fail(written.span, "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve \"" +
                                  node.name +
                                  "\" due to data type mismatch: The third parameter "
                                  "requires the \"" +
                                  spark_name(*types[0]) + "\" type, however it has the type \"" +
                                  spark_name(*body_type(body)) + "\".");
  }
  const bool test = rule.name == "filter" || rule.name == "exists" || rule.name == "forall" ||
                    rule.name == "map_filter";
  if (test && body_type(body)->id() != arrow::Type::BOOL &&
      body_type(body)->id() != arrow::Type::NA) {
    return fail(written.span,
                "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] The second parameter "
                "requires the \"BOOLEAN\" type, however it has the type \"" +
                    spark_name(*body_type(body)) + "\".");
  }
  if (test) body = with_body(body, arrow::boolean(), made->place);
  made->args.push_back(body);
  if (rule.name == "transform" || rule.name == "zip_with") {
    made->type = arrow::list(body_type(body));
  } else if (rule.name == "filter" || rule.name == "map_filter") {
    made->type = source;
  } else if (test) {
    made->type = arrow::boolean();
  } else if (rule.name == "transform_keys") {
    made->type = arrow::map(body_type(body), types[1]);
  } else if (rule.name == "transform_values") {
    made->type = arrow::map(types[0], body_type(body));
  } else {
    made->type = types[0];
    if (node.args.size() > rule.values + 1) {
      ASSIGN(auto finish, lambda(*node.args[rule.values + 1], {types[0]}, scope, calls));
      made->type = body_type(finish);
      made->args.push_back(std::move(finish));
    }
  }
  return made;
}

}  // namespace tailrace::sql
