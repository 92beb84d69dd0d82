// Queries: WITH, UNION, DISTINCT, ORDER BY … LIMIT.
#include "sql/bind/binder.h"
#include "sql/bind/coerce.h"
#include "sql/bind/make.h"
#include "sql/parser.h"

namespace tailrace::sql {

using engine::ExprPtr;
using engine::Plan;
using engine::PlanPtr;

namespace {
constexpr int kMaxQueryDepth = 200;
}

Result<Bound> Binder::query(const Query& query) {
  ASSIGN(auto ordered, ordered_query(query));
  const auto plan = ordered.bound.plan;
  if (static_cast<std::size_t>(plan->schema->num_fields()) > ordered.visible) {
    Exprs exprs = all_columns(*plan->schema);
    exprs.resize(ordered.visible);
    std::vector<std::string> names = plan->schema->field_names();
    ordered.bound.plan = make_project(plan, std::move(exprs), std::move(names));
  }
  return std::move(ordered.bound);
}

Result<Ordered> Binder::ordered_query(const Query& query) {
  if (depth_ > kMaxQueryDepth) return fail(query.span, "Queries and views are nested too deeply.");
  ++depth_;
  const std::size_t named = ctes_.size();
  for (const auto& cte : query.ctes) ctes_.push_back({&cte, source_, ctes_.size()});
  auto made = query.select ? select(*query.select, query) : union_all(query);
  ctes_.erase(ctes_.begin() + static_cast<std::ptrdiff_t>(named), ctes_.end());
  --depth_;
  if (!made) return made;
  return limited(std::move(*made), query);
}

Result<Ordered> Binder::limited(Ordered ordered, const Query& query) {
  if (is_streaming(*ordered.bound.plan)) {
    if (!query.order.empty()) {
      return fail(
          query.order[0].expr->span,
          "[STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION] Sorting is not supported on streaming "
          "DataFrames/Datasets.");
    }
    if (query.limit) return unsupported(query.span, "LIMIT on a stream");
  }
  if (!query.limit) return ordered;
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::kTopN;
  made->schema = ordered.bound.plan->schema;
  made->order = ordered.order;
  made->limit = *query.limit;
  made->inputs = {ordered.bound.plan};
  ordered.bound.plan = made;
  return ordered;
}

Result<PlanPtr> Binder::distinct(PlanPtr input, const Span& span) {
  bool event_time = false;
  for (int i = 0; i < input->schema->num_fields(); ++i) {
    const auto& field = *input->schema->field(i);
    event_time |= is_event_time(*input, i);
    if (field.type()->id() == arrow::Type::MAP) {
      return fail(span,
                  "[UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE] DISTINCT cannot compare the MAP "
                  "column \"" +
                      field.name() + "\".");
    }
  }
  if (is_streaming(*input) && !event_time) {
    return fail(
        span,
        "[STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION] Invalid streaming output mode: append. This "
        "output mode is "
        "not supported for streaming DISTINCT without watermark on streaming DataFrames/DataSets.");
  }
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::kDistinct;
  made->schema = input->schema;
  made->inputs = {std::move(input)};
  return PlanPtr(made);
}

Result<PlanPtr> Binder::coerce(const Bound& branch, const arrow::Schema& wanted) {
  Exprs exprs = all_columns(*branch.plan->schema);
  bool changed = false;
  for (std::size_t i = 0; i < exprs.size(); ++i) {
    const auto& field = *wanted.field(static_cast<int>(i));
    changed |= branch.plan->schema->field(static_cast<int>(i))->name() != field.name();
    const auto cast = as_type(exprs[i], field.type());
    changed |= cast != exprs[i];
    exprs[i] = cast;
  }
  if (!changed) return branch.plan;
  return make_project(branch.plan, std::move(exprs), wanted.field_names());
}

Result<Ordered> Binder::union_all(const Query& query) {
  std::vector<Bound> branches;
  for (const auto& branch : query.branches) {
    ASSIGN(auto bound, this->query(*branch));
    branches.push_back(std::move(bound));
  }
  auto fields = branches[0].plan->schema->fields();
  for (std::size_t b = 1; b < branches.size(); ++b) {
    const auto& schema = *branches[b].plan->schema;
    if (schema.num_fields() != static_cast<int>(fields.size())) {
      return fail(
          query.branches[b]->span,
          "[NUM_COLUMNS_MISMATCH] UNION can only be performed on inputs with the same number of "
          "columns, but the first input has " +
              std::to_string(fields.size()) + " columns and input " + std::to_string(b + 1) +
              " has " + std::to_string(schema.num_fields()) + " columns.");
    }
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const auto& type = schema.field(static_cast<int>(i))->type();
      const auto wider = coerced_type(fields[i]->type(), type);
      if (!wider) {
        return fail(
            query.branches[b]->span,
            "[INCOMPATIBLE_COLUMN_TYPE] UNION can only be performed on tables with compatible "
            "column types. Column " +
                std::to_string(i + 1) + " of input " + std::to_string(b + 1) + " is \"" +
                spark_name(*type) + "\" type which is not compatible with \"" +
                spark_name(*fields[i]->type()) + "\".");
      }
      fields[i] = fields[i]->WithType(*wider);
    }
  }
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::kUnionAll;
  made->schema = arrow::schema(fields);
  for (const auto& branch : branches) {
    ASSIGN(auto input, coerce(branch, *made->schema));
    made->inputs.push_back(std::move(input));
  }
  Ordered result;
  result.bound.plan = made;
  if (query.union_distinct) {
    ASSIGN(result.bound.plan, distinct(made, query.span));
  }
  for (int i = 0; i < static_cast<int>(fields.size()); ++i) {
    result.bound.columns.push_back({{},
                                    made->schema->field(i)->name(),
                                    make_column(i, made->schema->field(i)->type()),
                                    false});
  }
  result.visible = fields.size();
  const Scope scope{&result.bound.columns, {}};
  for (const auto& item : query.order) {
    ASSIGN(auto key, expression(*item.expr, scope));
    if (key->kind == engine::Expr::Kind::kLiteral && key->type->id() == arrow::Type::INT32) {
      const auto ordinal = static_cast<const arrow::Int32Scalar&>(*key->literal).value;
      if (ordinal < 1 || ordinal > static_cast<std::int64_t>(fields.size()))
        return fail(item.expr->span, "[ORDER_BY_POS_OUT_OF_RANGE] no such column.");
      key = result.bound.columns[static_cast<std::size_t>(ordinal - 1)].expr;
    }
    if (key->kind != engine::Expr::Kind::kColumn)
      return unsupported(item.expr->span, "ORDER BY an expression over a UNION");
    result.order.push_back({std::move(key), item.descending, item.nulls_first});
  }
  return result;
}

}  // namespace tailrace::sql
