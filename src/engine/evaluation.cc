// Evaluation with rejects.
#include "engine/evaluation.h"

#include <map>

#include "engine/rows.h"

namespace tailrace::engine {
namespace {

/// Evaluates without a thought of errors but to note them.
Result<std::vector<Array>> evaluate_noting(std::span<const ExprPtr> exprs, const Batch& rows,
                                           EvalContext& context) {
  std::vector<Array> values;
  for (const ExprPtr& expr : exprs) {
    if (!expr) {
      values.push_back(nullptr);
      continue;
    }
    ASSIGN(Array value, evaluate(*expr, *rows, context));
    values.push_back(std::move(value));
  }
  return values;
}

/// Takes failed rows out of `input`, the inserted ones into the rejects.
Result<Delta> reject_rows(const Delta& input, const std::vector<RowError>& errors,
                          StepContext& context) {
  std::map<std::int64_t, const RowError*> failed;
  for (const RowError& row_error : errors) failed.emplace(row_error.row, &row_error);
  std::vector<std::int64_t> kept;
  for (std::int64_t row = 0; row < input.size(); ++row) {
    const auto found = failed.find(row);
    if (found == failed.end()) {
      kept.push_back(row);
    } else if (input.weight(row) > 0) {
      context.rejects->push_back(
          {Reject::Kind::kError, found->second->what, input.rows->Slice(row, 1)});
    }
  }
  return take(input, kept);
}

}  // namespace

Result<Evaluated> evaluate_all(std::span<const ExprPtr> exprs, const Delta& input,
                               StepContext& context) {
  Evaluated out{input, {}};
  EvalContext evaluation;
  evaluation.now_us = context.now_us;
  ASSIGN(out.values, evaluate_noting(exprs, input.rows, evaluation));
  if (evaluation.errors.empty()) return out;
  ASSIGN(out.input, reject_rows(input, evaluation.errors, context));
  EvalContext again;
  again.now_us = context.now_us;
  ASSIGN(out.values, evaluate_noting(exprs, out.input.rows, again));
  if (!again.errors.empty()) {
    return error(Code::kInternal, "a row fails only after others left: " + again.errors[0].what);
  }
  return out;
}

std::vector<std::int64_t> true_rows(const Array& condition) {
  const auto& values = static_cast<const arrow::BooleanArray&>(*condition);
  std::vector<std::int64_t> rows;
  rows.reserve(values.length());
  for (std::int64_t row = 0; row < values.length(); ++row) {
    if (values.IsValid(row) && values.Value(row)) rows.push_back(row);
  }
  return rows;
}

}  // namespace tailrace::engine
