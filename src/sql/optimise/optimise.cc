// The passes in order, and constant folding.
#include "sql/optimise/optimise.h"

#include "sql/bind/make.h"

namespace tailrace::sql {

using engine::Expr;
using engine::ExprPtr;
using engine::Plan;
using engine::PlanPtr;

PlanPtr optimise(PlanPtr plan) {
  plan = fold_constants(plan);
  plan = push_filters(plan);
  plan = share_calls(plan);
  return prune_columns(plan);
}

PlanPtr with_inputs(const Plan& plan, std::vector<PlanPtr> inputs) {
  auto made = std::make_shared<Plan>(plan);
  made->inputs = std::move(inputs);
  return made;
}

namespace {

// The value of a constant over one row of no columns; null when it has none (the error is for the
// rows that reach it).
ExprPtr evaluated(const ExprPtr& expr) {
  const auto one =
      arrow::RecordBatch::Make(arrow::schema({arrow::field("one", arrow::int32())}), 1,
                               {arrow::MakeArrayFromScalar(arrow::Int32Scalar(0), 1).ValueOrDie()});
  engine::EvalContext context;
  const auto values = engine::evaluate(*expr, *one, context);
  if (!values || !context.errors.empty() || (*values)->length() != 1) return nullptr;
  auto scalar = (*values)->GetScalar(0);
  if (!scalar.ok() || !(*scalar)->type->Equals(*expr->type)) return nullptr;
  return make_literal(*scalar);
}

}  // namespace

ExprPtr fold_constants(const ExprPtr& expr) {
  if (!expr) return expr;
  return rewrite(expr, [](const ExprPtr& node) -> ExprPtr {
    if (node->kind == Expr::Kind::kLiteral || !is_constant(*node)) return nullptr;
    return evaluated(node);
  });
}

PlanPtr fold_constants(const PlanPtr& plan) {
  auto made = std::make_shared<Plan>(*plan);
  for (auto& input : made->inputs) input = fold_constants(input);
  for (auto& expr : made->exprs) expr = fold_constants(expr);
  for (auto& call : made->aggregates) {
    call.arg = fold_constants(call.arg);
    call.filter = fold_constants(call.filter);
  }
  for (auto& key : made->left_keys) key = fold_constants(key);
  for (auto& key : made->right_keys) key = fold_constants(key);
  made->residual = fold_constants(made->residual);
  for (auto& expr : made->partition) expr = fold_constants(expr);
  for (auto& order : made->order) order.expr = fold_constants(order.expr);
  return made;
}

}  // namespace tailrace::sql
