// A plan as an indented tree, for tests and EXPLAIN.
#include <fmt/format.h>

#include "sql/sql.h"

namespace tailrace::sql {
namespace {

using engine::AggregateCall;
using engine::Expr;
using engine::ExprPtr;
using engine::Plan;

std::string text_of(const Expr& expr, const arrow::Schema& input);

std::string list(const std::vector<ExprPtr>& exprs, const arrow::Schema& input) {
  std::string text;
  for (const auto& expr : exprs) text += (text.empty() ? "" : ", ") + text_of(*expr, input);
  return text;
}

std::string text_of(const Expr& expr, const arrow::Schema& input) {
  switch (expr.kind) {
    case Expr::Kind::kColumn:
      return input.field(expr.column)->name() + "#" + std::to_string(expr.column);
    case Expr::Kind::kLiteral:
      if (!expr.literal->is_valid) return "null";
      return expr.type->id() == arrow::Type::STRING ? "'" + expr.literal->ToString() + "'"
                                                    : expr.literal->ToString();
    case Expr::Kind::kField:
      return text_of(*expr.args[0], input) + "." + expr.name;
    case Expr::Kind::kCast:
      return (expr.try_cast ? "try_cast(" : "cast(") + text_of(*expr.args[0], input) + " as " +
             spark_name(*expr.type) + ")";
    case Expr::Kind::kCase:
      return "case(" + list(expr.args, input) + ")";
    case Expr::Kind::kCall: {
      const std::string args = list(expr.args, input);
      return expr.name + "(" + args + ")" +
             (expr.name == "from_json" ? ": " + spark_name(*expr.type) : "");
    }
  }
  return {};
}

std::string text_of(const AggregateCall& call, const arrow::Schema& input) {
  static constexpr const char* kNames[] = {"count",
                                           "count",
                                           "sum",
                                           "avg",
                                           "min",
                                           "max",
                                           "stddev",
                                           "variance",
                                           "first",
                                           "last",
                                           "collect_list",
                                           "collect_set",
                                           "approx_count_distinct"};
  std::string text = std::string(kNames[static_cast<int>(call.kind)]) + "(" +
                     (call.distinct ? "distinct " : "") +
                     (call.arg ? text_of(*call.arg, input) : "*") + ")";
  if (call.filter) text += " filter " + text_of(*call.filter, input);
  return text;
}

std::string projected(const Plan& plan, const arrow::Schema& input) {
  std::string text;
  for (std::size_t i = 0; i < plan.exprs.size(); ++i) {
    const auto value = text_of(*plan.exprs[i], input);
    const auto& name = plan.schema->field(static_cast<int>(i))->name();
    const bool same = plan.exprs[i]->kind == Expr::Kind::kColumn &&
                      input.field(plan.exprs[i]->column)->name() == name;
    text += (i > 0 ? ", " : "") + value + (same ? "" : " as " + name);
  }
  return text;
}

std::string top(const Plan& plan, const arrow::Schema& input) {
  std::string text = "top " + (plan.limit ? std::to_string(*plan.limit) : std::string("all"));
  if (!plan.partition.empty()) text += " of [" + list(plan.partition, input) + "]";
  if (!plan.order.empty()) text += " by";
  for (std::size_t i = 0; i < plan.order.size(); ++i) {
    const auto& order = plan.order[i];
    text += (i > 0 ? ", " : " ") + text_of(*order.expr, input) + (order.descending ? " desc" : "");
    if (order.nulls_first == order.descending)
      text += order.nulls_first ? " nulls first" : " nulls last";
  }
  return text + (plan.with_rank ? " with rank" : "");
}

std::string joined(const Plan& plan) {
  std::string text = plan.join == Plan::JoinType::kLeft ? "left join on " : "join on ";
  for (std::size_t i = 0; i < plan.left_keys.size(); ++i) {
    text += (i > 0 ? ", " : "") + text_of(*plan.left_keys[i], *plan.inputs[0]->schema) + " = " +
            text_of(*plan.right_keys[i], *plan.inputs[1]->schema);
  }
  if (plan.residual) text += " and " + text_of(*plan.residual, *plan.schema);
  return text;
}

std::string aggregated(const Plan& plan, const arrow::Schema& input) {
  std::string text = "aggregate by [" + list(plan.exprs, input) + "]:";
  for (const auto& call : plan.aggregates)
    text += (&call == plan.aggregates.data() ? " " : ", ") + text_of(call, input);
  if (plan.emit_by_group >= 0) text += " emit by " + std::to_string(plan.emit_by_group);
  return text;
}

std::string line(const Plan& plan, const std::vector<std::string>& inputs) {
  if (plan.kind == Plan::Kind::kSource) {
    return std::string("source ") + (plan.streaming ? "stream " : "") +
           inputs[static_cast<std::size_t>(plan.source)];
  }
  const arrow::Schema& input = *plan.inputs[0]->schema;
  switch (plan.kind) {
    case Plan::Kind::kProject:
      return "project " + projected(plan, input);
    case Plan::Kind::kFilter:
      return "filter " + list(plan.exprs, input);
    case Plan::Kind::kAggregate:
      return aggregated(plan, input);
    case Plan::Kind::kJoin:
      return joined(plan);
    case Plan::Kind::kUnionAll:
      return "union all";
    case Plan::Kind::kDistinct:
      return "distinct";
    case Plan::Kind::kTopN:
      return top(plan, input);
    case Plan::Kind::kExplode:
      return std::string("explode ") + list(plan.exprs, input) + (plan.outer ? " outer" : "") +
             (plan.with_position ? " with position" : "");
    case Plan::Kind::kWatermark:
      return "watermark " + input.field(plan.column)->name() + "#" + std::to_string(plan.column) +
             " delay " + std::to_string(plan.delay_us) + " us";
    case Plan::Kind::kSource:
      break;
  }
  return {};
}

void tree(const Plan& plan, const std::vector<std::string>& inputs, int depth, std::string& out) {
  out += std::string(static_cast<std::size_t>(depth) * 2, ' ') + line(plan, inputs) + "\n";
  for (const auto& input : plan.inputs) tree(*input, inputs, depth + 1, out);
}

}  // namespace

std::string explain(const engine::FlowPlan& plan) {
  std::string out;
  for (const auto& expectation : plan.expectations) {
    out += "expect " + expectation.name + ": " +
           text_of(*expectation.condition, *plan.root->schema) + "\n";
  }
  tree(*plan.root, plan.inputs, 0, out);
  return out;
}

std::string explain(const engine::Expr& expr, const Schema& input) {
  return text_of(expr, *input);
}

}  // namespace tailrace::sql
