// Evaluation shared by expr.cc and the functions that choose which arguments count (CASE's kin).
#pragma once

#include "engine/functions/function.h"

namespace tailrace::engine {

Result<Value> evaluate_value(const Expr& expr, const arrow::RecordBatch& rows,
                             EvalContext& context);

/// The value as a column of `rows` rows.
Result<Array> spread_value(const Value& value, std::int64_t rows);

/// A function that evaluates its own arguments, since errors of some rows must not count.
using LazyKernel = Result<Value> (*)(const Expr&, const arrow::RecordBatch&, EvalContext&);
LazyKernel find_lazy(std::string_view name);

Result<Value> evaluate_case(const Expr& expr, const arrow::RecordBatch& rows, EvalContext& context);

}  // namespace tailrace::engine
