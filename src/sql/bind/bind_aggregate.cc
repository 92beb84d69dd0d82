// Aggregates, GROUP BY's plan, and ROW_NUMBER() OVER.
#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "sql/bind/binder.h"
#include "sql/bind/make.h"
#include "sql/parser.h"

namespace tailrace::sql {

using engine::AggregateCall;
using engine::Expr;
using engine::ExprPtr;
using engine::Plan;
using engine::PlanPtr;
using Kind = engine::AggregateCall::Kind;

namespace {

const std::map<std::string, Kind>& aggregate_names() {
  static const std::map<std::string, Kind> names = {
      {"count", Kind::kCount},
      {"sum", Kind::kSum},
      {"avg", Kind::kAvg},
      {"mean", Kind::kAvg},
      {"min", Kind::kMin},
      {"max", Kind::kMax},
      {"stddev", Kind::kStddev},
      {"std", Kind::kStddev},
      {"stddev_samp", Kind::kStddev},
      {"variance", Kind::kVariance},
      {"var_samp", Kind::kVariance},
      {"first", Kind::kFirst},
      {"first_value", Kind::kFirst},
      {"any_value", Kind::kFirst},
      {"last", Kind::kLast},
      {"last_value", Kind::kLast},
      {"collect_list", Kind::kCollectList},
      {"array_agg", Kind::kCollectList},
      {"collect_set", Kind::kCollectSet},
      {"approx_count_distinct", Kind::kApproxCountDistinct},
      {"count_if", Kind::kCount},
      {"bool_and", Kind::kMin},
      {"every", Kind::kMin},
      {"bool_or", Kind::kMax},
      {"some", Kind::kMax},
      {"any", Kind::kMax}};
  return names;
}

constexpr std::array kKnownUnsupported = {"stddev_pop",   "var_pop",
                                          "percentile",   "percentile_approx",
                                          "median",       "mode",
                                          "min_by",       "max_by",
                                          "corr",         "covar_samp",
                                          "skewness",     "kurtosis",
                                          "sum_distinct", "approx_percentile",
                                          "listagg",      "string_agg",
                                          "try_sum",      "try_avg",
                                          "grouping"};

bool is_integer(const Type& type) {
  return arrow::is_integer(type->id());
}
bool is_float(const Type& type) {
  return type->id() == arrow::Type::FLOAT || type->id() == arrow::Type::DOUBLE;
}
bool is_decimal(const Type& type) {
  return type->id() == arrow::Type::DECIMAL128;
}

// Spark's DecimalType.bounded and adjustPrecisionScale.
Type avg_decimal(const arrow::Decimal128Type& type) {
  return arrow::decimal128(std::min(38, type.precision() + 4), std::min(38, type.scale() + 4));
}

// The argument as the operator adds it up, and the result's type; null when the type is refused.
std::optional<Type> typed(Kind kind, ExprPtr& arg, const std::string& place) {
  const Type& type = arg ? arg->type : nullptr;
  const bool numeric = type && (is_integer(type) || is_float(type) || is_decimal(type));
  switch (kind) {
    case Kind::kCountStar:
    case Kind::kCount:
    case Kind::kApproxCountDistinct:
      return arrow::int64();
    case Kind::kSum:
    case Kind::kAvg:
      if (is_decimal(type)) {
        const auto& decimal = static_cast<const arrow::Decimal128Type&>(*type);
        if (kind == Kind::kAvg) return avg_decimal(decimal);
        return arrow::decimal128(std::min(38, decimal.precision() + 10), decimal.scale());
      }
      if (!numeric && type->id() != arrow::Type::STRING && type->id() != arrow::Type::NA)
        return std::nullopt;
      arg = as_type(arg, kind == Kind::kSum && is_integer(type) ? arrow::int64() : arrow::float64(),
                    place);
      return arg->type;
    case Kind::kStddev:
    case Kind::kVariance:
      if (!numeric && type->id() != arrow::Type::STRING && type->id() != arrow::Type::NA)
        return std::nullopt;
      arg = as_type(arg, arrow::float64(), place);
      return arg->type;
    case Kind::kMin:
    case Kind::kMax:
      if (type->id() == arrow::Type::MAP) return std::nullopt;
      return type;
    case Kind::kFirst:
    case Kind::kLast:
      return type;
    case Kind::kCollectList:
    case Kind::kCollectSet:
      return arrow::list(arrow::field("element", type, false));
  }
  return std::nullopt;
}

ExprPtr mark(std::string_view name, std::size_t index, Type type) {
  auto made = std::make_shared<Expr>();
  made->kind = Expr::Kind::kCall;
  made->name = name;
  made->column = static_cast<int>(index);
  made->type = std::move(type);
  return made;
}

bool same_call(const AggregateCall& a, const AggregateCall& b) {
  const auto same = [](const ExprPtr& x, const ExprPtr& y) {
    return x && y ? same_expr(*x, *y) : x == y;
  };
  return a.kind == b.kind && a.distinct == b.distinct && same(a.arg, b.arg) &&
         same(a.filter, b.filter);
}

}  // namespace

bool is_aggregate_name(const std::string& name) {
  return aggregate_names().contains(name) ||
         std::find(kKnownUnsupported.begin(), kKnownUnsupported.end(), name) !=
             kKnownUnsupported.end();
}

Result<ExprPtr> Binder::aggregate(const Expression& node, const Scope& scope, Calls* calls) {
  const auto known = aggregate_names().find(node.name);
  if (known == aggregate_names().end()) return unsupported(node.span, "the aggregate " + node.name);
  if (!calls)
    return fail(node.span,
                "[INVALID_WHERE_CONDITION] The aggregate " + node.name + " is not allowed here.");
  AggregateCall made;
  made.kind = known->second;
  made.distinct = node.distinct;
  made.place = place(node.span);
  Exprs args, filters;
  const bool star = node.name == "count" && node.args.size() == 1 &&
                    node.args[0]->kind == Expression::Kind::kStar;
  if (!star) {
    ASSIGN(args, arguments(node, scope, nullptr));
  }
  if (node.filter) {
    ASSIGN(auto filter, condition(*node.filter, scope, nullptr, "FILTER"));
    filters.push_back(std::move(filter));
  }
  if (node.name == "count_if" && args.size() == 1) {
    filters.push_back(as_type(args[0], arrow::boolean(), made.place));
    args.clear();
    made.kind = Kind::kCountStar;
  } else if (node.name == "count" && (args.size() > 1 || star)) {
    for (const auto& arg : args) {
      ASSIGN(auto present, make_call("isnotnull", {arg}, made.place));
      filters.push_back(std::move(present));
    }
    if (node.distinct && star) return unsupported(node.span, "count(DISTINCT *)");
    if (!node.distinct) args.clear();
    if (!node.distinct) made.kind = Kind::kCountStar;
    if (node.distinct) {
      ASSIGN(auto both, make_call("struct", args, made.place));
      args = {std::move(both)};
    }
  } else if (node.name == "count" && args.size() == 1 && args[0]->kind == Expr::Kind::kLiteral &&
             args[0]->type->id() != arrow::Type::NA && !node.distinct) {
    args.clear();
    made.kind = Kind::kCountStar;
  }
  const bool ignore_nulls =
      (made.kind == Kind::kFirst || made.kind == Kind::kLast) && args.size() == 2;
  if (ignore_nulls) return unsupported(node.args[1]->span, node.name + " with a second argument");
  if (made.kind == Kind::kApproxCountDistinct && args.size() == 2) args.pop_back();
  if (args.size() != (made.kind == Kind::kCountStar ? 0U : 1U)) {
    return fail(node.span, "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `" + node.name +
                               "` requires 1 parameters but the actual "
                               "number is " +
                               std::to_string(node.args.size()) + ".");
  }
  if (!args.empty()) made.arg = args[0];
  const bool boolean = made.kind == Kind::kMin || made.kind == Kind::kMax;
  const Type given = made.arg ? made.arg->type : nullptr;
  auto result = typed(made.kind, made.arg, made.place);
  if (boolean && node.name != "min" && node.name != "max" && given->id() != arrow::Type::BOOL)
    result.reset();
  if (!result) {
    return fail(node.span, "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve \"" +
                               output_name(node, scope) +
                               "\" due to data type mismatch: the first parameter has the type \"" +
                               spark_name(*given) + "\".");
  }
  made.type = *result;
  made.filter = conjunction(filters);
  for (std::size_t i = 0; i < calls->aggregates.size(); ++i) {
    if (same_call(calls->aggregates[i], made)) return mark(kAggregateMark, i, made.type);
  }
  calls->aggregates.push_back(made);
  return mark(kAggregateMark, calls->aggregates.size() - 1, made.type);
}

Result<ExprPtr> Binder::window_call(const Expression& node, const Scope& scope, Calls* calls) {
  if (node.name != "row_number")
    return unsupported(node.span, "the window function " + node.name + " OVER (only row_number())");
  if (!calls)
    return fail(node.span, "[UNSUPPORTED_EXPR_FOR_WINDOW] A window function is not allowed here.");
  if (!node.args.empty())
    return fail(node.span,
                "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `row_number` requires 0 parameters.");
  if (node.over->order.empty()) {
    return fail(
        node.span,
        "Window function row_number() requires window to be ordered, please add ORDER BY clause.");
  }
  WindowCall made;
  for (const auto& expr : node.over->partition) {
    ASSIGN(auto bound, expression(*expr, scope, calls));
    made.partition.push_back(std::move(bound));
  }
  for (const auto& item : node.over->order) {
    ASSIGN(auto bound, expression(*item.expr, scope, calls));
    made.order.push_back({std::move(bound), item.descending, item.nulls_first});
  }
  const auto same = [](const WindowCall& a, const WindowCall& b) {
    return std::equal(a.partition.begin(), a.partition.end(), b.partition.begin(),
                      b.partition.end(),
                      [](const auto& x, const auto& y) { return same_expr(*x, *y); }) &&
           std::equal(a.order.begin(), a.order.end(), b.order.begin(), b.order.end(),
                      [](const auto& x, const auto& y) {
                        return x.descending == y.descending && x.nulls_first == y.nulls_first &&
                               same_expr(*x.expr, *y.expr);
                      });
  };
  for (std::size_t i = 0; i < calls->windows.size(); ++i) {
    if (same(calls->windows[i], made)) return mark(kWindowMark, i, arrow::int32());
  }
  calls->windows.push_back(std::move(made));
  return mark(kWindowMark, calls->windows.size() - 1, arrow::int32());
}

// A group that follows event time lets a streaming aggregate come out once; without one Spark
// refuses append mode.
Result<PlanPtr> Binder::aggregate_plan(PlanPtr input, const Exprs& groups, const Calls& calls,
                                       const Span& span) {
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::kAggregate;
  if (is_streaming(*input)) {
    for (std::size_t i = 0; i < groups.size() && made->emit_by_group < 0; ++i) {
      if (is_event_time(*input, *groups[i])) made->emit_by_group = static_cast<int>(i);
    }
    if (made->emit_by_group < 0) {
      return fail(
          span,
          "[STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION] Invalid streaming output mode: append. "
          "This output mode "
          "is not supported for streaming aggregations without watermark on streaming "
          "DataFrames/DataSets: add "
          "WATERMARK … DELAY OF INTERVAL … and group by its window, or write a MATERIALIZED VIEW.");
    }
  }
  arrow::FieldVector fields;
  for (const auto& group : groups) {
    if (group->type->id() == arrow::Type::MAP) {
      return fail(span, "[GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE] A group of type \"" +
                            spark_name(*group->type) + "\" cannot be compared.");
    }
    fields.push_back(arrow::field("group" + std::to_string(fields.size()), group->type));
  }
  for (const auto& call : calls.aggregates)
    fields.push_back(
        arrow::field("aggregate" + std::to_string(fields.size() - groups.size()), call.type));
  made->schema = arrow::schema(std::move(fields));
  made->exprs = groups;
  made->aggregates = calls.aggregates;
  made->inputs = {std::move(input)};
  return PlanPtr(made);
}

Result<ExprPtr> Binder::over_groups(const ExprPtr& expr, const Exprs& groups, const Span& span,
                                    const arrow::Schema& input) {
  std::string missing;
  auto made = rewrite(expr, [&](const ExprPtr& node) -> ExprPtr {
    if (node->kind == Expr::Kind::kCall && node->name == kAggregateMark) {
      return make_column(static_cast<int>(groups.size()) + node->column, node->type);
    }
    for (std::size_t i = 0; i < groups.size(); ++i) {
      if (same_expr(*groups[i], *node)) return make_column(static_cast<int>(i), node->type);
    }
    if (node->kind == Expr::Kind::kColumn) missing = input.field(node->column)->name();
    return nullptr;
  });
  if (missing.empty()) return made;
  return fail(span, std::string("[MISSING_") + (groups.empty() ? "GROUP_BY" : "AGGREGATION") +
                        "] The column \"" + missing +
                        "\" is neither in GROUP BY nor in an aggregate function. Add it to GROUP "
                        "BY, or use any_value(" +
                        missing + ").");
}

}  // namespace tailrace::sql
