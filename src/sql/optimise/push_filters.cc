// Predicate pushdown, the collapse of neighbouring projections, and ranks that are limits.
#include <algorithm>
#include <optional>

#include "sql/bind/make.h"
#include "sql/optimise/optimise.h"

namespace tailrace::sql {
namespace {

using engine::Expr;
using engine::ExprPtr;
using engine::Plan;
using engine::PlanPtr;

// Costs nothing to make twice: columns, literals, fields of them, casts between numbers.
bool is_cheap(const Expr& expr) {
  const bool plain = expr.kind == Expr::Kind::kColumn || expr.kind == Expr::Kind::kLiteral ||
                     expr.kind == Expr::Kind::kField;
  return plain && std::all_of(expr.args.begin(), expr.args.end(),
                              [](const auto& arg) { return is_cheap(*arg); });
}

bool uses_only(const ExprPtr& expr, const std::function<bool(int)>& allowed) {
  bool only = true;
  visit(expr, [&](const Expr& node) {
    only &= node.kind != Expr::Kind::kColumn || allowed(node.column);
  });
  return only;
}

PlanPtr filtered(PlanPtr input, const std::vector<ExprPtr>& terms) {
  if (terms.empty()) return input;
  if (input->kind == Plan::Kind::kFilter) {
    auto all = conjuncts(input->exprs[0]);
    all.insert(all.end(), terms.begin(), terms.end());
    return make_filter(input->inputs[0], conjunction(all));
  }
  return make_filter(std::move(input), conjunction(terms));
}

PlanPtr sink(PlanPtr input, std::vector<ExprPtr> terms);

PlanPtr sink_project(const PlanPtr& project, const std::vector<ExprPtr>& terms) {
  std::vector<ExprPtr> below, stay;
  for (const auto& term : terms) {
    const bool moves = uses_only(term, [&](int column) {
      return is_cheap(*project->exprs[static_cast<std::size_t>(column)]);
    });
    if (moves)
      below.push_back(substitute(term, project->exprs));
    else
      stay.push_back(term);
  }
  return filtered(with_inputs(*project, {sink(project->inputs[0], std::move(below))}), stay);
}

PlanPtr sink_join(const PlanPtr& join, const std::vector<ExprPtr>& terms) {
  const int width = join->inputs[0]->schema->num_fields();
  std::vector<ExprPtr> left, right, stay;
  for (const auto& term : terms) {
    if (uses_only(term, [&](int column) { return column < width; }))
      left.push_back(term);
    else if (join->join == Plan::JoinType::kInner &&
             uses_only(term, [&](int column) { return column >= width; }))
      right.push_back(shift_columns(term, -width));
    else
      stay.push_back(term);
  }
  return filtered(with_inputs(*join, {sink(join->inputs[0], std::move(left)),
                                      sink(join->inputs[1], std::move(right))}),
                  stay);
}

// rank <= n, rank < n, rank = 1 and their mirrors: n; `exact` when the comparison says no more than
// the limit.
std::optional<std::int64_t> rank_limit(const Expr& term, int rank, bool& exact) {
  if (term.kind != Expr::Kind::kCall || term.args.size() != 2) return std::nullopt;
  std::string op = term.name;
  const bool mirrored = term.args[0]->kind == Expr::Kind::kLiteral;
  if (mirrored) op = op == ">=" ? "<=" : op == ">" ? "<" : op == "=" ? "=" : "";
  const auto& column = *term.args[mirrored ? 1 : 0];
  const auto& bound = *term.args[mirrored ? 0 : 1];
  if (column.kind != Expr::Kind::kColumn || column.column != rank) return std::nullopt;
  if (bound.kind != Expr::Kind::kLiteral || !bound.literal->is_valid ||
      bound.type->id() != arrow::Type::INT32)
    return std::nullopt;
  const std::int64_t value = static_cast<const arrow::Int32Scalar&>(*bound.literal).value;
  exact = op != "=" || value == 1;
  if (op == "<=" || op == "=") return std::max<std::int64_t>(value, 0);
  if (op == "<") return std::max<std::int64_t>(value - 1, 0);
  return std::nullopt;
}

PlanPtr sink_top(const PlanPtr& top, const std::vector<ExprPtr>& terms) {
  if (!top->with_rank) return filtered(top, terms);
  auto made = std::make_shared<Plan>(*top);
  std::vector<ExprPtr> stay;
  for (const auto& term : terms) {
    bool exact = false;
    const auto limit = rank_limit(*term, top->schema->num_fields() - 1, exact);
    if (limit) made->limit = made->limit ? std::min(*made->limit, *limit) : *limit;
    if (!limit || !exact) stay.push_back(term);
  }
  return filtered(made, stay);
}

PlanPtr sink(PlanPtr input, std::vector<ExprPtr> terms) {
  if (terms.empty()) return input;
  const auto deterministic = std::all_of(terms.begin(), terms.end(),
                                         [](const auto& term) { return is_deterministic(*term); });
  if (!deterministic) return filtered(std::move(input), terms);
  switch (input->kind) {
    case Plan::Kind::kFilter: {
      auto all = conjuncts(input->exprs[0]);
      all.insert(all.end(), terms.begin(), terms.end());
      return sink(input->inputs[0], std::move(all));
    }
    case Plan::Kind::kProject:
      return sink_project(input, terms);
    case Plan::Kind::kJoin:
      return sink_join(input, terms);
    case Plan::Kind::kTopN:
      return sink_top(input, terms);
    case Plan::Kind::kDistinct:
      return with_inputs(*input, {sink(input->inputs[0], std::move(terms))});
    case Plan::Kind::kUnionAll: {
      std::vector<PlanPtr> inputs;
      for (const auto& branch : input->inputs) inputs.push_back(sink(branch, terms));
      return with_inputs(*input, std::move(inputs));
    }
    case Plan::Kind::kExplode: {
      const int width = input->inputs[0]->schema->num_fields();
      std::vector<ExprPtr> below, stay;
      for (auto& term : terms)
        (uses_only(term, [&](int column) { return column < width; }) ? below : stay)
            .push_back(term);
      return filtered(with_inputs(*input, {sink(input->inputs[0], std::move(below))}), stay);
    }
    case Plan::Kind::kSource:
    case Plan::Kind::kAggregate:
    case Plan::Kind::kWatermark:
      return filtered(std::move(input), terms);
  }
  return filtered(std::move(input), terms);
}

// Project over Project is one when no costly inner expression would be made twice.
PlanPtr collapsed(const PlanPtr& plan) {
  if (plan->kind != Plan::Kind::kProject || plan->inputs[0]->kind != Plan::Kind::kProject)
    return plan;
  const auto& inner = *plan->inputs[0];
  std::vector<int> uses(inner.exprs.size(), 0);
  for (const auto& expr : plan->exprs) {
    visit(expr, [&](const Expr& node) {
      if (node.kind == Expr::Kind::kColumn) ++uses[static_cast<std::size_t>(node.column)];
    });
  }
  for (std::size_t i = 0; i < uses.size(); ++i) {
    if (uses[i] > 1 && !is_cheap(*inner.exprs[i])) return plan;
    if (uses[i] > 0 && !is_deterministic(*inner.exprs[i])) return plan;
  }
  auto made = std::make_shared<Plan>(*plan);
  for (auto& expr : made->exprs) expr = substitute(expr, inner.exprs);
  made->inputs = inner.inputs;
  return collapsed(made);
}

}  // namespace

PlanPtr push_filters(const PlanPtr& plan) {
  if (plan->kind == Plan::Kind::kFilter)
    return sink(push_filters(plan->inputs[0]), conjuncts(plan->exprs[0]));
  std::vector<PlanPtr> inputs;
  for (const auto& input : plan->inputs) inputs.push_back(push_filters(input));
  return collapsed(with_inputs(*plan, std::move(inputs)));
}

}  // namespace tailrace::sql
