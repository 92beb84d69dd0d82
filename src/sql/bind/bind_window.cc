// window(): a row without a time is dropped, and one of a sliding window becomes one row for each
// window its time is in (Spark's Expand), before anything else of the SELECT but WHERE.
#include <algorithm>

#include "engine/functions/windows.h"
#include "sql/bind/make.h"
#include "sql/bind/selecting.h"

namespace tailrace::sql {

using engine::Expr;
using engine::ExprPtr;
using engine::Plan;

namespace {

bool is_window(const Expr& expr) {
  return expr.kind == Expr::Kind::kCall && expr.name == "window";
}

bool is_sliding(const Expr& expr) {
  return expr.args.size() > 2 && expr.args[2]->literal && expr.args[1]->literal &&
         !expr.args[2]->literal->Equals(*expr.args[1]->literal);
}

}  // namespace

Status Binder::open_windows(Selecting& state) {
  std::vector<ExprPtr*> all;
  for (auto& group : state.groups) all.push_back(&group);
  for (auto& item : state.items) all.push_back(&item.expr);
  for (auto& order : state.order) all.push_back(&order.expr);
  for (auto& call : state.calls.aggregates) {
    all.push_back(&call.arg);
    all.push_back(&call.filter);
  }
  for (auto& call : state.calls.windows) {
    for (auto& expr : call.partition) all.push_back(&expr);
    for (auto& order : call.order) all.push_back(&order.expr);
  }
  all.push_back(&state.having);
  all.push_back(&state.qualify);
  const Expr* found = nullptr;
  bool several = false;
  for (ExprPtr* expr : all) {
    visit(*expr, [&](const Expr& node) {
      if (!is_window(node)) return;
      several |= found && !same_expr(*found, node);
      found = &node;
    });
  }
  if (!found) return {};
  if (several) {
    return fail(state.select.span,
                "[MULTI_TIME_WINDOW] Multiple time windows would result in a "
                "cartesian product of rows: use one window in a SELECT.");
  }
  const Expr window = *found;
  if (!is_sliding(window)) {
    ASSIGN(auto timed, make_call("isnotnull", {window.args[0]}, window.place));
    state.plan = make_filter(state.plan, std::move(timed));
    return {};
  }
  ASSIGN(auto windows, make_call(std::string(engine::kWindows), window.args, window.place));
  const int column = state.plan->schema->num_fields();
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::kExplode;
  made->exprs = {windows};
  auto fields = state.plan->schema->fields();
  fields.push_back(arrow::field("window", window.type));
  made->schema = arrow::schema(std::move(fields));
  made->inputs = {state.plan};
  state.plan = made;
  for (ExprPtr* expr : all) {
    if (!*expr) continue;
    *expr = rewrite(*expr, [&](const ExprPtr& node) -> ExprPtr {
      return same_expr(*node, window) ? make_column(column, window.type) : nullptr;
    });
  }
  return {};
}

}  // namespace tailrace::sql
