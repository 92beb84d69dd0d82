// Evaluation of bound expressions, a batch at a time.
//
// Branches that Spark would not reach (CASE, IF, COALESCE, AND, OR) are evaluated for every row,
// but their row errors count only where the branch is chosen.
#include "engine/expr.h"

#include <arrow/array/concatenate.h>
#include <arrow/compute/api.h>

#include "engine/functions/cast.h"
#include "engine/functions/evaluation.h"

namespace tailrace::engine {
namespace {

Result<Value> evaluate_field(const Expr& expr, const arrow::RecordBatch& rows,
                             EvalContext& context) {
  ASSIGN(Value parent, evaluate_value(*expr.args[0], rows, context));
  if (is_void(parent.type())) {
    ASSIGN(Array none, from_arrow(arrow::MakeArrayOfNull(expr.type, parent.array->length())));
    return Value{none, parent.constant};
  }
  const auto& parent_struct = static_cast<const arrow::StructArray&>(*parent.array);
  if (parent_struct.null_count() == 0)
    return Value{parent_struct.field(expr.column), parent.constant};
  ASSIGN(Array field, from_arrow(parent_struct.GetFlattenedField(expr.column)));
  return Value{field, parent.constant};
}

bool all_constant(const std::vector<Value>& values) {
  for (const Value& value : values) {
    if (!value.constant) return false;
  }
  return true;
}

/// A constant's error is every row's error.
void spread(EvalContext& context, std::size_t first_error, std::int64_t rows) {
  if (context.errors.size() == first_error) return;
  const std::string what = context.errors[first_error].what;
  context.errors.resize(first_error);
  for (std::int64_t row = 0; row < rows; ++row) context.errors.push_back({row, what});
}

Result<Value> run(const Expr& expr, std::vector<Value> args, std::int64_t rows,
                  EvalContext& context, const std::function<Result<Array>(Call&)>& kernel) {
  const bool constant = all_constant(args);
  const std::size_t first_error = context.errors.size();
  Call call{expr, std::move(args), constant ? 1 : rows, context};
  ASSIGN(Array made, kernel(call));
  if (constant) spread(context, first_error, rows);
  return Value{made, constant};
}

Result<Value> evaluate_call(const Expr& expr, const arrow::RecordBatch& rows,
                            EvalContext& context) {
  if (const LazyKernel lazy = find_lazy(expr.name)) return lazy(expr, rows, context);
  const Function* function = find_function(expr.name);
  if (!function)
    return error(Code::kNotFound,
                 "[UNRESOLVED_ROUTINE] Cannot resolve routine `" + expr.name + "`");
  std::vector<Value> args;
  for (const ExprPtr& arg : expr.args) {
    ASSIGN(Value value, evaluate_value(*arg, rows, context));
    args.push_back(std::move(value));
  }
  return run(expr, std::move(args), rows.num_rows(), context, function->run);
}

Result<Value> evaluate_cast(const Expr& expr, const arrow::RecordBatch& rows,
                            EvalContext& context) {
  ASSIGN(Value value, evaluate_value(*expr.args[0], rows, context));
  if (value.type().Equals(*expr.type)) return value;
  return run(expr, {value}, rows.num_rows(), context, cast_rows);
}

}  // namespace

Result<Value> evaluate_value(const Expr& expr, const arrow::RecordBatch& rows,
                             EvalContext& context) {
  switch (expr.kind) {
    case Expr::Kind::kColumn:
      return Value{rows.column(expr.column), false};
    case Expr::Kind::kLiteral: {
      ASSIGN(Array one, from_arrow(arrow::MakeArrayFromScalar(*expr.literal, 1)));
      return Value{one, true};
    }
    case Expr::Kind::kField:
      return evaluate_field(expr, rows, context);
    case Expr::Kind::kCall:
      return evaluate_call(expr, rows, context);
    case Expr::Kind::kCast:
      return evaluate_cast(expr, rows, context);
    case Expr::Kind::kCase:
      return evaluate_case(expr, rows, context);
  }
  return error(Code::kInternal, "unknown kind of expression");
}

Result<Array> evaluate(const Expr& expr, const arrow::RecordBatch& rows, EvalContext& context) {
  initialise_kernels();
  ASSIGN(Value value, evaluate_value(expr, rows, context));
  return spread_value(value, rows.num_rows());
}

Result<Array> spread_value(const Value& value, std::int64_t rows) {
  if (!value.constant || rows == 1) return value.array;
  ASSIGN(auto scalar, from_arrow(value.array->GetScalar(0)));
  return from_arrow(arrow::MakeArrayFromScalar(*scalar, rows));
}

}  // namespace tailrace::engine
