// Expression trees by hand, for tests: literals, calls bound as the binder would, casts, and values
// as text.
#pragma once

#include <gtest/gtest.h>

#include "engine/expr.h"
#include "engine/functions/text_of.h"

namespace tailrace::engine::testing {

inline ExprPtr literal(std::shared_ptr<arrow::Scalar> scalar) {
  Expr expr{.kind = Expr::Kind::kLiteral,
            .type = scalar->type,
            .literal = scalar,
            .name = {},
            .args = {},
            .place = {}};
  return std::make_shared<const Expr>(expr);
}
inline ExprPtr text(std::string value) {
  return literal(std::make_shared<arrow::StringScalar>(std::move(value)));
}
inline ExprPtr number(std::int32_t value) {
  return literal(std::make_shared<arrow::Int32Scalar>(value));
}
inline ExprPtr big(std::int64_t value) {
  return literal(std::make_shared<arrow::Int64Scalar>(value));
}
inline ExprPtr real(double value) {
  return literal(std::make_shared<arrow::DoubleScalar>(value));
}
inline ExprPtr truth(bool value) {
  return literal(std::make_shared<arrow::BooleanScalar>(value));
}
inline ExprPtr nothing(Type type = arrow::null()) {
  return literal(arrow::MakeNullScalar(type));
}

inline ExprPtr cast(ExprPtr from, Type to, bool quiet = false) {
  Expr expr{.kind = Expr::Kind::kCast,
            .type = std::move(to),
            .literal = {},
            .name = {},
            .args = {std::move(from)},
            .try_cast = quiet,
            .place = {}};
  return std::make_shared<const Expr>(expr);
}
inline ExprPtr column(int index, Type type) {
  Expr expr{.kind = Expr::Kind::kColumn,
            .type = std::move(type),
            .column = index,
            .literal = {},
            .name = {},
            .args = {},
            .place = {}};
  return std::make_shared<const Expr>(expr);
}
inline ExprPtr call(const std::string& name, std::vector<ExprPtr> args) {
  std::vector<Type> types;
  std::vector<std::shared_ptr<arrow::Scalar>> constants;
  for (const ExprPtr& arg : args) {
    types.push_back(arg->type);
    constants.push_back(arg->literal);
  }
  auto bound = bind_function(name, types, constants);
  if (!bound) {
    ADD_FAILURE() << name << ": " << bound.error().what;
    return nothing();
  }
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (!args[i]->type->Equals(*bound->args[i])) args[i] = cast(args[i], bound->args[i]);
  }
  Expr expr{.kind = Expr::Kind::kCall,
            .type = bound->result,
            .literal = {},
            .name = name,
            .args = std::move(args),
            .place = {}};
  return std::make_shared<const Expr>(expr);
}

/// The one value as text; "NULL", or the first row error from its '[' on.
inline std::string shown(const ExprPtr& expr) {
  auto rows = arrow::RecordBatch::Make(arrow::schema({}), 1, arrow::ArrayVector{});
  EvalContext context;
  context.now_us = 1'577'934'245'000'000;
  auto made = evaluate(*expr, *rows, context);
  if (!made) return "ERROR " + made.error().what;
  if (!context.errors.empty())
    return context.errors.front().what.substr(0, context.errors.front().what.find(']') + 1);
  if ((*made)->IsNull(0)) return "NULL";
  std::string out;
  append_text(out, **made, 0);
  return out;
}

}  // namespace tailrace::engine::testing
