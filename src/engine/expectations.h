// Expectations: conditions every row of a flow's output is held to, and what becomes of the rows
// that break them.
#pragma once

#include "engine/circuit.h"

namespace tailrace::engine {

/// Counts into `output.expectations`, takes dropped rows out of `output.delta`. Null is broken, as
/// is a condition that cannot be evaluated. A retraction of a dropped row leaves in silence.
/// Every row that breaks kDrop or kFail is rejected; where one breaks kFail, `output.broken` is set
/// and the delta empty.
Status hold_to(const std::vector<Expectation>& expectations, std::int64_t now_us,
               StepOutput& output);

}  // namespace tailrace::engine
