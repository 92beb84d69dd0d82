// SELECT: FROM, WHERE, GROUP BY, the select list, HAVING, windows, QUALIFY, ORDER BY, in the order
// they happen.
#include <algorithm>

#include "sql/bind/binder.h"
#include "sql/bind/make.h"
#include "sql/bind/selecting.h"
#include "sql/parser.h"

namespace tailrace::sql {

using engine::Expr;
using engine::ExprPtr;
using engine::Plan;
using engine::PlanPtr;

Result<Ordered> Binder::select(const Select& select, const Query& query) {
  Selecting state{select, query, {}, {}, {}, {}, {}, {}, {}, {}, {}};
  if (select.from) {
    ASSIGN(state.from, relation(*select.from));
  } else {
    state.from = one_row();
  }
  state.plan = state.from.plan;
  state.scope.columns = &state.from.columns;
  if (select.where) {
    ASSIGN(auto where, condition(*select.where, state.scope, nullptr, "WHERE"));
    state.plan = make_filter(state.plan, std::move(where));
  }
  TRY(bind_groups(state));
  TRY(bind_items(state));
  if (select.having) {
    ASSIGN(state.having, condition(*select.having, state.scope, &state.calls, "HAVING"));
  }
  if (select.qualify) {
    ASSIGN(state.qualify, condition(*select.qualify, state.scope, &state.calls, "QUALIFY"));
  }
  TRY(bind_order(state));
  TRY(open_windows(state));
  TRY(apply_aggregation(state));
  TRY(apply_windows(state));
  if (state.qualify) state.plan = make_filter(state.plan, state.qualify);
  return project(state);
}

Status Binder::bind_groups(Selecting& state) {
  for (const auto& node : state.select.group_by) {
    ASSIGN(auto group, group_expr(*node, state));
    if (group->kind == Expr::Kind::kCall && group->name == "window")
      state.scope.aliases.push_back({"window", group});
    state.groups.push_back(std::move(group));
  }
  return {};
}

Result<ExprPtr> Binder::group_expr(const Expression& node, Selecting& state) {
  const auto& items = state.select.items;
  if (node.kind == Expression::Kind::kLiteral && node.literal->type->id() == arrow::Type::INT32) {
    const auto ordinal = static_cast<const arrow::Int32Scalar&>(*node.literal).value;
    if (ordinal < 1 || ordinal > static_cast<std::int64_t>(items.size())) {
      return fail(node.span, "[GROUP_BY_POS_OUT_OF_RANGE] GROUP BY position " +
                                 std::to_string(ordinal) +
                                 " is not in select list (valid range is [1, " +
                                 std::to_string(items.size()) + "]).");
    }
    return expression(*items[static_cast<std::size_t>(ordinal - 1)].expr, state.scope);
  }
  if (node.kind == Expression::Kind::kName && !find_name(state.scope, node.parts).expr) {
    for (const auto& item : items) {
      if (same_name(item.alias, node.parts[0]) && node.parts.size() == 1)
        return expression(*item.expr, state.scope);
    }
  }
  return expression(node, state.scope);
}

Status Binder::bind_items(Selecting& state) {
  bool generated = false;
  for (const auto& item : state.select.items) {
    const Expression& node = *item.expr;
    if (node.kind == Expression::Kind::kStar) {
      TRY(bind_star(node, state));
      continue;
    }
    if (node.kind == Expression::Kind::kCall && is_generator_name(node.name)) {
      if (generated) return unsupported(node.span, "two generators in one SELECT");
      generated = true;
      if (!state.groups.empty()) return unsupported(node.span, "a generator beside GROUP BY");
      ASSIGN(auto made, generate(state.plan, state.scope, node, node.name.ends_with("_outer")));
      state.plan = made.plan;
      auto aliases = item.aliases;
      if (!item.alias.empty()) aliases.push_back(item.alias);
      if (!aliases.empty() && aliases.size() != made.columns.size()) {
        return fail(node.span, "[UDTF_ALIAS_NUMBER_MISMATCH] " + node.name + " gives " +
                                   std::to_string(made.columns.size()) + " columns.");
      }
      for (std::size_t i = 0; i < made.columns.size(); ++i) {
        state.items.push_back(
            {made.columns[i], aliases.empty() ? made.names[i] : aliases[i], node.span});
        state.scope.aliases.push_back({state.items.back().name, made.columns[i]});
      }
      continue;
    }
    ASSIGN(auto bound, expression(node, state.scope, &state.calls));
    const auto name = item.alias.empty() ? output_name(node, state.scope) : item.alias;
    if (!item.alias.empty()) state.scope.aliases.push_back({name, bound});
    state.items.push_back({std::move(bound), name, node.span});
  }
  if (state.select.group_by_all) {
    for (const auto& item : state.items) {
      bool aggregated = false;
      visit(item.expr, [&](const Expr& expr) { aggregated |= expr.name == kAggregateMark; });
      if (!aggregated) state.groups.push_back(item.expr);
    }
  }
  return {};
}

Status Binder::bind_star(const Expression& star, Selecting& state) {
  const auto excepted = [&](const std::string& name) {
    return std::any_of(star.star_except.begin(), star.star_except.end(),
                       [&](const auto& e) { return same_name(e, name); });
  };
  if (star.args.empty()) {
    const auto columns = star_columns(state.scope, star.parts);
    for (const auto* column : columns) {
      if (!excepted(column->name)) state.items.push_back({column->expr, column->name, star.span});
    }
    if (!columns.empty()) return {};
    if (star.parts.empty())
      return fail(
          star.span,
          "[INVALID_USAGE_OF_STAR_OR_REGEX] Invalid usage of '*': there is nothing in FROM.");
  }
  ExprPtr base;
  if (star.args.empty()) {
    Expression node;
    node.kind = Expression::Kind::kName;
    node.parts = star.parts;
    node.span = star.span;
    ASSIGN(base, name(node, state.scope));
  } else {
    ASSIGN(base, expression(*star.args[0], state.scope));
  }
  if (base->type->id() != arrow::Type::STRUCT) {
    return fail(
        star.span,
        "[CANNOT_RESOLVE_STAR_EXPAND] Cannot resolve .* : only a relation or a struct has it.");
  }
  for (int i = 0; i < base->type->num_fields(); ++i) {
    const auto& name = base->type->field(i)->name();
    if (!excepted(name)) state.items.push_back({make_field(base, i), name, star.span});
  }
  return {};
}

// An output column by name or number first, then anything over the rows the items are made of.
Status Binder::bind_order(Selecting& state) {
  for (const auto& item : state.query.order) {
    const Expression& node = *item.expr;
    ExprPtr key;
    if (node.kind == Expression::Kind::kLiteral && node.literal->type->id() == arrow::Type::INT32) {
      const auto ordinal = static_cast<const arrow::Int32Scalar&>(*node.literal).value;
      if (ordinal < 1 || ordinal > static_cast<std::int64_t>(state.items.size())) {
        return fail(node.span, "[ORDER_BY_POS_OUT_OF_RANGE] ORDER BY position " +
                                   std::to_string(ordinal) +
                                   " is not in select list (valid range is [1, " +
                                   std::to_string(state.items.size()) + "]).");
      }
      key = state.items[static_cast<std::size_t>(ordinal - 1)].expr;
    }
    if (node.kind == Expression::Kind::kName && node.parts.size() == 1) {
      for (const auto& output : state.items) {
        if (!key && same_name(output.name, node.parts[0])) key = output.expr;
      }
    }
    if (!key) {
      Scope scope = state.scope;
      for (const auto& output : state.items) scope.aliases.push_back({output.name, output.expr});
      ASSIGN(key, expression(node, scope, &state.calls));
    }
    state.order.push_back({std::move(key), item.descending, item.nulls_first});
  }
  return {};
}

Status Binder::apply_aggregation(Selecting& state) {
  if (state.groups.empty() && state.calls.aggregates.empty() && !state.select.having &&
      state.select.group_by.empty())
    return {};
  const auto input = state.plan;
  const Span& span = state.select.span;
  ASSIGN(state.plan, aggregate_plan(input, state.groups, state.calls, span));
  const auto change = [&](ExprPtr& expr, const Span& at) -> Status {
    if (!expr) return {};
    ASSIGN(expr, over_groups(expr, state.groups, at, *input->schema));
    return {};
  };
  for (auto& item : state.items) TRY(change(item.expr, item.span));
  for (auto& order : state.order) TRY(change(order.expr, span));
  for (auto& window : state.calls.windows) {
    for (auto& expr : window.partition) TRY(change(expr, span));
    for (auto& order : window.order) TRY(change(order.expr, span));
  }
  TRY(change(state.having, span));
  TRY(change(state.qualify, span));
  if (state.having) state.plan = make_filter(state.plan, state.having);
  return {};
}

Status Binder::apply_windows(Selecting& state) {
  if (state.calls.windows.empty()) {
    if (state.qualify)
      return fail(state.select.qualify->span, "[INVALID_QUALIFY] QUALIFY needs a window function.");
    return {};
  }
  if (is_streaming(*state.plan)) {
    return fail(state.select.span,
                "[NON_TIME_WINDOW_NOT_SUPPORTED_IN_STREAMING] Window function row_number() is not "
                "supported "
                "on streaming DataFrames/Datasets: write a MATERIALIZED VIEW.");
  }
  std::vector<int> ranks;
  for (const auto& window : state.calls.windows) {
    auto made = std::make_shared<Plan>();
    made->kind = Plan::Kind::kTopN;
    made->partition = window.partition;
    made->order = window.order;
    made->with_rank = true;
    ranks.push_back(state.plan->schema->num_fields());
    auto fields = state.plan->schema->fields();
    fields.push_back(arrow::field("row_number", arrow::int32(), false));
    made->schema = arrow::schema(std::move(fields));
    made->inputs = {state.plan};
    state.plan = made;
  }
  const auto change = [&](ExprPtr& expr) {
    if (!expr) return;
    expr = rewrite(expr, [&](const ExprPtr& node) -> ExprPtr {
      if (node->kind != Expr::Kind::kCall || node->name != kWindowMark) return nullptr;
      return make_column(ranks[static_cast<std::size_t>(node->column)], node->type);
    });
  };
  for (auto& item : state.items) change(item.expr);
  for (auto& order : state.order) change(order.expr);
  change(state.qualify);
  return {};
}

Result<Ordered> Binder::project(Selecting& state) {
  Ordered made;
  Exprs exprs;
  std::vector<std::string> names;
  for (const auto& item : state.items) {
    made.bound.columns.push_back(
        {{}, item.name, make_column(static_cast<int>(exprs.size()), item.expr->type), false});
    exprs.push_back(item.expr);
    names.push_back(item.name);
  }
  made.visible = exprs.size();
  for (const auto& order : state.order) {
    std::size_t at = 0;
    while (at < exprs.size() && !same_expr(*exprs[at], *order.expr)) ++at;
    if (at == exprs.size()) {
      if (state.select.distinct) {
        return fail(
            state.query.order[0].expr->span,
            "[UNRESOLVED_COLUMN] ORDER BY of a SELECT DISTINCT must be in the select list.");
      }
      exprs.push_back(order.expr);
      names.push_back("order" + std::to_string(at));
    }
    made.order.push_back(
        {make_column(static_cast<int>(at), order.expr->type), order.descending, order.nulls_first});
  }
  made.bound.plan = make_project(state.plan, std::move(exprs), std::move(names));
  if (state.select.distinct) {
    ASSIGN(made.bound.plan, distinct(made.bound.plan, state.select.span));
  }
  return made;
}

}  // namespace tailrace::sql
