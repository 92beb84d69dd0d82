// Joins: equal keys are taken out of ON, what is left is the residual; USING shows its columns
// once.
#include <algorithm>

#include "sql/bind/binder.h"
#include "sql/bind/coerce.h"
#include "sql/bind/make.h"
#include "sql/parser.h"

namespace tailrace::sql {

using engine::Expr;
using engine::ExprPtr;
using engine::Plan;

namespace {

enum class Side { kNone, kLeft, kRight, kBoth };

Side side_of(const ExprPtr& expr, int left_columns) {
  bool left = false, right = false;
  visit(expr, [&](const Expr& node) {
    if (node.kind != Expr::Kind::kColumn) return;
    (node.column < left_columns ? left : right) = true;
  });
  return left && right ? Side::kBoth : left ? Side::kLeft : right ? Side::kRight : Side::kNone;
}

}  // namespace

Result<Bound> Binder::join(const Relation& relation) {
  ASSIGN(auto left, this->relation(*relation.left));
  ASSIGN(auto right, this->relation(*relation.right));
  const int width = left.plan->schema->num_fields();
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::kJoin;
  made->join =
      relation.join == Relation::Join::kLeft ? Plan::JoinType::kLeft : Plan::JoinType::kInner;
  if (is_streaming(*right.plan) && !is_streaming(*left.plan) &&
      made->join == Plan::JoinType::kLeft) {
    return fail(relation.span,
                "[STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION] A LEFT JOIN with a streaming right "
                "side and a static "
                "left side is not supported.");
  }
  auto fields = left.plan->schema->fields();
  for (const auto& field : right.plan->schema->fields()) {
    fields.push_back(made->join == Plan::JoinType::kLeft ? field->WithNullable(true) : field);
  }
  made->schema = arrow::schema(std::move(fields));
  made->inputs = {left.plan, right.plan};
  Bound bound;
  bound.columns = left.columns;
  for (auto column : right.columns) {
    column.expr = shift_columns(column.expr, width);
    bound.columns.push_back(std::move(column));
  }
  if (relation.on) {
    TRY(join_on(relation, *made, left, right, bound.columns));
  } else {
    TRY(join_using(relation, *made, left, right, bound.columns));
  }
  bound.plan = made;
  return bound;
}

Status Binder::join_on(const Relation& relation, Plan& plan, const Bound& left, const Bound&,
                       const std::vector<ScopeColumn>& columns) {
  const Scope scope{&columns, {}};
  ASSIGN(const auto on, condition(*relation.on, scope, nullptr, "ON"));
  const int width = left.plan->schema->num_fields();
  Exprs residual;
  for (const auto& term : conjuncts(on)) {
    const bool equal = term->kind == Expr::Kind::kCall && term->name == "=";
    const Side first = equal ? side_of(term->args[0], width) : Side::kNone;
    const Side second = equal ? side_of(term->args[1], width) : Side::kNone;
    const bool straight = first == Side::kLeft && second == Side::kRight;
    if (!straight && !(first == Side::kRight && second == Side::kLeft)) {
      residual.push_back(term);
      continue;
    }
    plan.left_keys.push_back(term->args[straight ? 0 : 1]);
    plan.right_keys.push_back(shift_columns(term->args[straight ? 1 : 0], -width));
  }
  if (plan.left_keys.empty())
    return unsupported(relation.on->span, "a join without an equality of both sides");
  plan.residual = conjunction(residual);
  return {};
}

Status Binder::join_using(const Relation& relation, Plan& plan, const Bound& left,
                          const Bound& right, std::vector<ScopeColumn>& columns) {
  const int width = left.plan->schema->num_fields();
  std::vector<ScopeColumn> first;
  for (const auto& name : relation.using_columns) {
    const Scope left_scope{&left.columns, {}}, right_scope{&right.columns, {}};
    const Found l = find_name(left_scope, {name}), r = find_name(right_scope, {name});
    if (!l.expr || !r.expr) {
      return fail(relation.span,
                  "[UNRESOLVED_USING_COLUMN_FOR_JOIN] USING column `" + name +
                      "` cannot be resolved on the " + (l.expr ? "right" : "left") +
                      " side of the join." +
                      suggestion(name, scope_names(l.expr ? right_scope : left_scope)));
    }
    const auto type = coerced_type(l.expr->type, r.expr->type);
    if (!type)
      return fail(relation.span, "[DATATYPE_MISMATCH] The sides of USING `" + name +
                                     "` have types that do not compare.");
    plan.left_keys.push_back(as_type(l.expr, *type));
    plan.right_keys.push_back(as_type(r.expr, *type));
    for (auto& column : columns) {
      if (!same_name(column.name, name) || column.hidden) continue;
      const bool of_left = column.expr->column < width;
      if (of_left) first.push_back(column);
      column.hidden = true;
    }
    first.back().hidden = false;
  }
  std::erase_if(columns, [&](const ScopeColumn& column) {
    return std::any_of(first.begin(), first.end(),
                       [&](const auto& f) { return f.expr->column == column.expr->column; });
  });
  columns.insert(columns.begin(), first.begin(), first.end());
  return {};
}

}  // namespace tailrace::sql
