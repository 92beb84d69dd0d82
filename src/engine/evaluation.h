// Expressions over a delta: rows that fail go to the rejects, the rest go on.
#pragma once

#include "engine/expr.h"
#include "engine/operator.h"

namespace tailrace::engine {

/// The rows that could be evaluated, with a value of each expression a row.
struct Evaluated {
  Delta input;
  std::vector<Array> values;
};

/// Evaluates all `exprs` (null ones give a null Array). A failing row leaves with a Reject of kind
/// kError, once, whatever number of expressions fail on it; its later retraction leaves in silence.
Result<Evaluated> evaluate_all(std::span<const ExprPtr> exprs, const Delta& input,
                               StepContext& context);

/// Rows at which a BOOLEAN array is true.
std::vector<std::int64_t> true_rows(const Array& condition);

}  // namespace tailrace::engine
