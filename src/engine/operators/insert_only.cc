// Which nodes never retract: derived from the leaves up.
#include <algorithm>

#include "engine/operators/operators.h"

namespace tailrace::engine {

bool insert_only(const Plan& plan) {
  const bool inputs_grow = std::all_of(plan.inputs.begin(), plan.inputs.end(),
                                       [](const PlanPtr& input) { return insert_only(*input); });
  switch (plan.kind) {
    case Plan::Kind::kSource:
      return plan.streaming || plan.append_only;
    case Plan::Kind::kProject:
    case Plan::Kind::kFilter:
    case Plan::Kind::kUnionAll:
    case Plan::Kind::kDistinct:
    case Plan::Kind::kExplode:
    case Plan::Kind::kWatermark:
      return inputs_grow;
    case Plan::Kind::kJoin:
      return inputs_grow && plan.join == Plan::JoinType::kInner;
    case Plan::Kind::kAggregate:
      return plan.emit_by_group >= 0;
    case Plan::Kind::kTopN:
      return inputs_grow && !plan.limit && !plan.with_rank;
  }
  return false;
}

}  // namespace tailrace::engine
