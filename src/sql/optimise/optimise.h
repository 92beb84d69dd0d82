// Light passes over a bound plan. Each keeps the meaning: the same rows, the same schema at the
// root.
#pragma once

#include "engine/plan.h"

namespace tailrace::sql {

/// Calls over literals only become literals. One that fails is left: it fails for the rows that
/// reach it.
engine::PlanPtr fold_constants(const engine::PlanPtr& plan);
engine::ExprPtr fold_constants(const engine::ExprPtr& expr);

/// Filters sink through projections, unions, watermarks' inputs excepted, and into the sides of
/// joins; neighbours merge. A filter on a rank (rn <= 3) becomes the limit of its kTopN.
engine::PlanPtr push_filters(const engine::PlanPtr& plan);

/// Columns nobody reads are dropped down to the sources; ranks nobody reads are not made; a
/// from_json of which only some fields are read parses only those.
engine::PlanPtr prune_columns(const engine::PlanPtr& plan);

/// A costly call that stands in several places of one node is made once, in a projection below.
engine::PlanPtr share_calls(const engine::PlanPtr& plan);

/// All of them, in order.
engine::PlanPtr optimise(engine::PlanPtr plan);

/// A copy of the node with every expression and every input changed.
engine::PlanPtr with_inputs(const engine::Plan& plan, std::vector<engine::PlanPtr> inputs);

}  // namespace tailrace::sql
