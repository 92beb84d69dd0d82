// From the root downwards, following the key's columns to where they come from.
#include "engine/kept_result.h"

#include <algorithm>

#include "engine/operators/operators.h"

namespace tailrace::engine {
namespace {

/// Below a watermark a step runs twice, and its second half may replace rows of the first.
bool follows_time(const Plan& plan) {
  return plan.kind == Plan::Kind::kWatermark ||
         std::ranges::any_of(plan.inputs,
                             [](const PlanPtr& input) { return follows_time(*input); });
}

}  // namespace

const Plan* first_rows_kept(const Plan& root, std::vector<int> key) {
  const Plan* plan = &root;
  for (; plan->kind == Plan::Kind::kProject; plan = plan->inputs[0].get()) {
    for (int& column : key) {
      const Expr& from = *plan->exprs[static_cast<std::size_t>(column)];
      if (from.kind != Expr::Kind::kColumn) return nullptr;
      column = from.column;
    }
  }
  if (plan->kind != Plan::Kind::kTopN || follows_time(*plan) || plan->limit != 1 ||
      !insert_only(*plan->inputs[0]) || plan->partition.size() != key.size())
    return nullptr;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const Expr& part = *plan->partition[i];
    if (part.kind != Expr::Kind::kColumn || part.column != key[i]) return nullptr;
  }
  return plan;
}

}  // namespace tailrace::engine
