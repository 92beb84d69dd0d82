// FROM: tables, views in place, STREAM, watermarks; and what is known of a plan's rows (streaming,
// event time).
#include <algorithm>

#include "engine/functions/windows.h"
#include "sql/bind/binder.h"
#include "sql/bind/make.h"
#include "sql/parser.h"

namespace tailrace::sql {

using engine::Expr;
using engine::ExprPtr;
using engine::Plan;
using engine::PlanPtr;

bool is_streaming(const Plan& plan) {
  if (plan.kind == Plan::Kind::kSource) return plan.streaming;
  return std::any_of(plan.inputs.begin(), plan.inputs.end(),
                     [](const auto& input) { return is_streaming(*input); });
}

bool is_event_time(const Plan& input, const Expr& expr) {
  if (expr.kind == Expr::Kind::kColumn) return is_event_time(input, expr.column);
  const bool follows =
      expr.kind == Expr::Kind::kField ||
      (expr.kind == Expr::Kind::kCall && (expr.name == "window" || expr.name == "window_time"));
  return follows && !expr.args.empty() && is_event_time(input, *expr.args[0]);
}

bool is_event_time(const Plan& plan, int column) {
  using Kind = Plan::Kind;
  switch (plan.kind) {
    case Kind::kSource:
      return false;
    case Kind::kProject:
      return is_event_time(*plan.inputs[0], *plan.exprs[static_cast<std::size_t>(column)]);
    case Kind::kAggregate:
      return column < static_cast<int>(plan.exprs.size()) &&
             is_event_time(*plan.inputs[0], *plan.exprs[static_cast<std::size_t>(column)]);
    case Kind::kJoin: {
      const int left = plan.inputs[0]->schema->num_fields();
      return column < left ? is_event_time(*plan.inputs[0], column)
                           : is_event_time(*plan.inputs[1], column - left);
    }
    case Kind::kUnionAll:
      return std::all_of(plan.inputs.begin(), plan.inputs.end(),
                         [&](const auto& input) { return is_event_time(*input, column); });
    case Kind::kWatermark:
      return column == plan.column || is_event_time(*plan.inputs[0], column);
    case Kind::kFilter:
    case Kind::kDistinct:
    case Kind::kTopN:
      return column < plan.inputs[0]->schema->num_fields() &&
             is_event_time(*plan.inputs[0], column);
    case Kind::kExplode:
      if (column < plan.inputs[0]->schema->num_fields())
        return is_event_time(*plan.inputs[0], column);
      return plan.exprs[0]->name == engine::kWindows &&
             is_event_time(*plan.inputs[0], *plan.exprs[0]->args[0]);
  }
  return false;
}

int Binder::input_number(const std::string& name) {
  const auto at = std::find(inputs_.begin(), inputs_.end(), name);
  const int number = static_cast<int>(at - inputs_.begin());
  if (at == inputs_.end()) inputs_.push_back(name);
  return number;
}

Bound Binder::one_row() {
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::kSource;
  made->schema = arrow::schema({arrow::field("one", arrow::int32(), false)});
  made->source = input_number(std::string(kOneRow));
  Bound bound;
  bound.plan = made;
  return bound;
}

Result<Bound> Binder::relation(const Relation& relation) {
  Bound bound;
  if (relation.kind == Relation::Kind::kJoin) {
    ASSIGN(bound, join(relation));
  } else if (relation.kind == Relation::Kind::kSubquery) {
    ASSIGN(bound, query(*relation.query));
    for (auto& column : bound.columns) column.qualifier.clear();
  } else {
    ASSIGN(bound, table(relation));
  }
  if (relation.watermark) {
    ASSIGN(bound, watermarked(std::move(bound), *relation.watermark));
  }
  TRY(rename(bound, relation));
  for (const auto& view : relation.lateral_views) {
    ASSIGN(bound, lateral_view(std::move(bound), view));
  }
  return bound;
}

Status Binder::rename(Bound& bound, const Relation& relation) {
  if (!relation.alias.empty()) {
    for (auto& column : bound.columns) column.qualifier = {relation.alias};
  }
  if (relation.column_aliases.empty()) return {};
  if (relation.column_aliases.size() != bound.columns.size()) {
    return fail(relation.span, "[ASSIGNMENT_ARITY_MISMATCH] The number of columns of `" +
                                   relation.alias + "` is " + std::to_string(bound.columns.size()) +
                                   ", " + std::to_string(relation.column_aliases.size()) +
                                   " names were given.");
  }
  for (std::size_t i = 0; i < bound.columns.size(); ++i)
    bound.columns[i].name = relation.column_aliases[i];
  return {};
}

Result<Bound> Binder::table(const Relation& relation) {
  const auto& parts = relation.name.parts;
  for (std::size_t i = ctes_.size(); parts.size() == 1 && i-- > 0;) {
    if (!same_name(ctes_[i].cte->name, parts[0])) continue;
    const NamedQuery named = ctes_[i];
    auto hidden =
        std::vector<NamedQuery>(ctes_.begin() + static_cast<std::ptrdiff_t>(i), ctes_.end());
    ctes_.resize(i);
    const auto outer_source = std::exchange(source_, named.source);
    auto bound = query(*named.cte->query);
    source_ = outer_source;
    ctes_.insert(ctes_.end(), hidden.begin(), hidden.end());
    if (!bound) return bound;
    if (!named.cte->columns.empty() && named.cte->columns.size() != bound->columns.size()) {
      return fail(relation.span, "[ASSIGNMENT_ARITY_MISMATCH] WITH " + named.cte->name +
                                     " names another number of columns.");
    }
    for (std::size_t c = 0; c < bound->columns.size(); ++c) {
      bound->columns[c].qualifier = {named.cte->name};
      if (!named.cte->columns.empty()) bound->columns[c].name = named.cte->columns[c];
    }
    return bound;
  }
  const auto info = catalog_.find(parts);
  if (!info) {
    return error(Code::kNotFound, place(relation.name.span) +
                                      ": [TABLE_OR_VIEW_NOT_FOUND] The table or view `" +
                                      relation.name.text() + "` cannot be found." +
                                      suggestion(parts.back(), catalog_.names()));
  }
  return info->view ? view(*info, relation) : source(*info, relation);
}

Result<Bound> Binder::source(const RelationInfo& info, const Relation& relation) {
  if (relation.streaming && info.kind == RelationInfo::Kind::kMaterializedView) {
    return fail(relation.span,
                "[INVALID_FLOW_QUERY_TYPE] A materialized view cannot be read with STREAM, its "
                "rows change: read `" +
                    info.name + "` without STREAM from a MATERIALIZED VIEW.");
  }
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::kSource;
  made->schema = info.schema;
  made->source = input_number(info.name);
  made->streaming = relation.streaming;
  made->append_only =
      info.kind == RelationInfo::Kind::kTopic || info.kind == RelationInfo::Kind::kStreamingTable;
  Bound bound;
  bound.plan = made;
  for (int i = 0; i < info.schema->num_fields(); ++i) {
    bound.columns.push_back({relation.name.parts, info.schema->field(i)->name(),
                             make_column(i, info.schema->field(i)->type()), false});
  }
  return bound;
}

Result<Bound> Binder::view(const RelationInfo& info, const Relation& relation) {
  if (std::find(views_.begin(), views_.end(), info.view) != views_.end()) {
    return fail(relation.span,
                "[RECURSIVE_VIEW] Recursive view `" + info.name + "` detected: it reads itself.");
  }
  if (!info.view->query) return fail(relation.span, "the view `" + info.name + "` has no query");
  views_.push_back(info.view);
  auto outer_ctes = std::exchange(ctes_, {});
  const auto outer_source = std::exchange(source_, info.view->source);
  auto bound = query(*info.view->query);
  source_ = outer_source;
  ctes_ = std::move(outer_ctes);
  views_.pop_back();
  if (!bound) return bound;
  const auto& columns = info.view->columns;
  if (!columns.empty() && columns.size() != bound->columns.size()) {
    return fail(relation.span, "[CREATE_VIEW_COLUMN_ARITY_MISMATCH] the view `" + info.name +
                                   "` names another number of columns than its query has.");
  }
  for (std::size_t i = 0; i < bound->columns.size(); ++i) {
    bound->columns[i].qualifier = relation.name.parts;
    if (!columns.empty()) bound->columns[i].name = columns[i].name;
  }
  const bool streaming = is_streaming(*bound->plan);
  if (relation.streaming && !streaming) {
    return fail(relation.span, "[INCOMPATIBLE_BATCH_VIEW_READ] View `" + info.name +
                                   "` is a batch view and must be referenced without STREAM.");
  }
  if (!relation.streaming && streaming) {
    return fail(relation.span, "[INCOMPATIBLE_STREAMING_VIEW_READ] View `" + info.name +
                                   "` is a streaming view and must be referenced using STREAM.");
  }
  return bound;
}

Result<Bound> Binder::watermarked(Bound input, const WatermarkClause& clause) {
  const Scope scope{&input.columns, {}};
  ASSIGN(auto time, expression(*clause.expr, scope));
  if (time->type->id() != arrow::Type::TIMESTAMP) {
    return fail(clause.expr->span,
                "[EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE] The event time has the invalid type \"" +
                    spark_name(*time->type) + "\", but expected \"TIMESTAMP\".");
  }
  if (time->kind != Expr::Kind::kColumn && clause.alias.empty())
    return fail(clause.span, "WATERMARK over an expression needs AS name.");
  PlanPtr plan = input.plan;
  int column = time->column;
  if (time->kind != Expr::Kind::kColumn || !clause.alias.empty()) {
    Exprs exprs = all_columns(*plan->schema);
    auto names = plan->schema->field_names();
    column = static_cast<int>(exprs.size());
    exprs.push_back(time);
    names.push_back(clause.alias);
    input.columns.push_back(
        {input.columns.empty() ? std::vector<std::string>{} : input.columns[0].qualifier,
         clause.alias, make_column(column, time->type), false});
    plan = make_project(plan, std::move(exprs), std::move(names));
  }
  if (is_streaming(*plan)) {
    auto made = std::make_shared<Plan>();
    made->kind = Plan::Kind::kWatermark;
    made->schema = plan->schema;
    made->column = column;
    made->delay_us = clause.delay_us;
    made->inputs = {plan};
    plan = made;
  }
  input.plan = plan;
  return input;
}

}  // namespace tailrace::sql
