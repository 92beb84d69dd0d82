// CASE, IF, COALESCE, NVL, NULLIF, AND, OR: the value of a row comes from the first branch that
// applies.
#include <arrow/array/concatenate.h>
#include <arrow/compute/api.h>

#include "engine/functions/compare_rows.h"
#include "engine/functions/evaluation.h"
#include "engine/functions/lambdas.h"
#include "engine/functions/registry.h"

namespace tailrace::engine {
namespace {

/// Rows still without a branch, and the branch of those that have one.
class Choice {
 public:
  explicit Choice(std::int64_t rows) : branch_(static_cast<std::size_t>(rows), -1) {}

  bool open(std::int64_t row) const { return branch_[row] < 0; }
  void take(std::int64_t row, int branch) { branch_[row] = branch; }
  std::int64_t rows() const { return static_cast<std::int64_t>(branch_.size()); }
  int operator[](std::int64_t row) const { return branch_[row]; }

 private:
  std::vector<int> branch_;
};

/// Evaluates with the errors of rows for which `keep` is false dropped.
template <typename Keep>
Result<Value> evaluate_where(const Expr& expr, const arrow::RecordBatch& rows, EvalContext& context,
                             Keep keep) {
  EvalContext inner;
  inner.now_us = context.now_us;
  ASSIGN(Value value, evaluate_value(expr, rows, inner));
  for (RowError& fault : inner.errors) {
    if (keep(fault.row)) context.errors.push_back(std::move(fault));
  }
  return value;
}

/// Row by row the value of its branch; null where no branch was taken.
Result<Value> pick(const Type& type, const Choice& choice, const std::vector<Value>& branches) {
  std::vector<std::int64_t> starts;
  arrow::ArrayVector arrays;
  std::int64_t total = 0;
  for (const Value& value : branches) {
    starts.push_back(total);
    Array array = value.array;
    if (is_void(*array->type()) && !is_void(*type)) {
      ASSIGN(array, from_arrow(arrow::MakeArrayOfNull(type, array->length())));
    }
    total += array->length();
    arrays.push_back(array);
  }
  Sink<std::int64_t> indices(arrow::int64(), choice.rows());
  for (std::int64_t row = 0; row < choice.rows(); ++row) {
    const int branch = choice[row];
    branch < 0 ? indices.null(row) : indices.set(row, starts[branch] + branches[branch].at(row));
  }
  ASSIGN(Array wanted, indices.finish());
  ASSIGN(Array all, from_arrow(arrow::Concatenate(arrays)));
  ASSIGN(auto taken, from_arrow(arrow::compute::Take(
                         *all, *wanted, arrow::compute::TakeOptions::NoBoundsCheck())));
  return Value{taken, false};
}

Result<Value> choose(const Type& type, const std::vector<ExprPtr>& args,
                     const arrow::RecordBatch& rows, EvalContext& context) {
  Choice choice(rows.num_rows());
  std::vector<Value> branches;
  for (std::size_t i = 0; i < args.size(); i += 2) {
    const int branch = static_cast<int>(branches.size());
    const bool is_else = i + 1 == args.size();
    if (!is_else) {
      ASSIGN(Value when,
             evaluate_where(*args[i], rows, context, [&](auto row) { return choice.open(row); }));
      if (!when.always_null()) {
        Reader<bool> truth(when);
        for (std::int64_t row = 0; row < choice.rows(); ++row) {
          if (choice.open(row) && !truth.nulls[row] && truth[row]) choice.take(row, branch);
        }
      }
    } else {
      for (std::int64_t row = 0; row < choice.rows(); ++row) {
        if (choice.open(row)) choice.take(row, branch);
      }
    }
    ASSIGN(Value then, evaluate_where(*args[is_else ? i : i + 1], rows, context,
                                      [&](auto row) { return choice[row] == branch; }));
    branches.push_back(std::move(then));
  }
  return pick(type, choice, branches);
}

Result<Value> evaluate_if(const Expr& expr, const arrow::RecordBatch& rows, EvalContext& context) {
  return choose(expr.type, expr.args, rows, context);
}

Result<Value> coalesce(const Expr& expr, const arrow::RecordBatch& rows, EvalContext& context) {
  Choice choice(rows.num_rows());
  std::vector<Value> branches;
  for (const ExprPtr& arg : expr.args) {
    ASSIGN(Value value,
           evaluate_where(*arg, rows, context, [&](auto row) { return choice.open(row); }));
    Nulls nulls(value);
    const int branch = static_cast<int>(branches.size());
    bool complete = true;
    for (std::int64_t row = 0; row < choice.rows(); ++row) {
      if (!choice.open(row)) continue;
      nulls[row] ? void(complete = false) : choice.take(row, branch);
    }
    branches.push_back(std::move(value));
    if (complete) break;
  }
  if (branches.size() == 1) return branches[0];
  return pick(expr.type, choice, branches);
}

Result<Value> nvl2(const Expr& expr, const arrow::RecordBatch& rows, EvalContext& context) {
  Choice choice(rows.num_rows());
  ASSIGN(Value tested, evaluate_value(*expr.args[0], rows, context));
  Nulls nulls(tested);
  for (std::int64_t row = 0; row < choice.rows(); ++row) choice.take(row, nulls[row] ? 1 : 0);
  std::vector<Value> branches;
  for (int branch : {0, 1}) {
    ASSIGN(Value value, evaluate_where(*expr.args[branch + 1], rows, context,
                                       [&](auto row) { return choice[row] == branch; }));
    branches.push_back(std::move(value));
  }
  return pick(expr.type, choice, branches);
}

/// Three-valued AND (stop = false) and OR (stop = true): the right side counts only where the left
/// does not decide.
Result<Value> connective(const Expr& expr, const arrow::RecordBatch& rows, EvalContext& context,
                         bool stop) {
  ASSIGN(Value left, evaluate_value(*expr.args[0], rows, context));
  if (left.constant) {
    ASSIGN(left.array, spread_value(left, rows.num_rows()));
    left.constant = false;
  }
  const Reader<bool> l(left);
  ASSIGN(Value right, evaluate_where(*expr.args[1], rows, context,
                                     [&](auto row) { return l.nulls[row] || l[row] != stop; }));
  const Reader<bool> r(right);
  Sink<bool> out(arrow::boolean(), rows.num_rows());
  for (std::int64_t row = 0; row < rows.num_rows(); ++row) {
    const bool ln = l.nulls[row];
    const bool rn = r.nulls[row];
    if ((!ln && l[row] == stop) || (!rn && r[row] == stop)) {
      out.set(row, stop);
    } else if (ln || rn) {
      out.null(row);
    } else {
      out.set(row, !stop);
    }
  }
  ASSIGN(Array made, out.finish());
  return Value{made, false};
}

Result<Value> logical_and(const Expr& expr, const arrow::RecordBatch& rows, EvalContext& context) {
  return connective(expr, rows, context, false);
}
Result<Value> logical_or(const Expr& expr, const arrow::RecordBatch& rows, EvalContext& context) {
  return connective(expr, rows, context, true);
}

Result<Array> not_lazy(Call&) {
  return error(Code::kInternal, "this function evaluates its own arguments");
}

Result<Array> nullif(Call& call) {
  ASSIGN(auto equal, compare_rows(call.args[0], call.args[1], call.rows));
  const Nulls left(call.args[0]);
  const Nulls right(call.args[1]);
  Sink<std::int64_t> indices(arrow::int64(), call.rows);
  for (std::int64_t row = 0; row < call.rows; ++row) {
    const bool same = !left[row] && !right[row] && equal[row] == 0;
    same ? indices.null(row) : indices.set(row, call.args[0].at(row));
  }
  ASSIGN(Array wanted, indices.finish());
  return from_arrow(arrow::compute::Take(*call.args[0].array, *wanted));
}

}  // namespace

Result<Value> evaluate_case(const Expr& expr, const arrow::RecordBatch& rows,
                            EvalContext& context) {
  return choose(expr.type, expr.args, rows, context);
}

LazyKernel find_lazy(std::string_view name) {
  if (name == "and") return logical_and;
  if (name == "or") return logical_or;
  if (name == "if") return evaluate_if;
  if (name == "nvl2") return nvl2;
  if (name == "coalesce" || name == "nvl" || name == "ifnull") return coalesce;
  return find_lambda(name);
}

void add_conditional(Functions& out) {
  out.push_back({{"and", "a AND b", "True when both are; false when either is; else null.",
                  "true AND NULL", "NULL"},
                 {},
                 signature("boolean, boolean -> boolean"),
                 not_lazy});
  out.push_back({{"or", "a OR b", "True when either is; false when both are; else null.",
                  "true OR NULL", "true"},
                 {},
                 signature("boolean, boolean -> boolean"),
                 not_lazy});
  out.push_back(
      {{"if", "if(condition, then, else)", "`then` where the condition is true, `else` elsewhere.",
        "if(1 < 2, 'a', 'b')", "a"},
       {},
       signature("boolean, same, same -> $2"),
       not_lazy});
  out.push_back({{"coalesce", "coalesce(value, …)", "The first argument that is not null.",
                  "coalesce(NULL, 1, 2)", "1"},
                 {},
                 signature("same, same... -> $1"),
                 not_lazy});
  out.push_back({{"nvl", "nvl(a, b)", "b where a is null, else a.", "nvl(NULL, 'x')", "x"},
                 {"ifnull"},
                 signature("same, same -> $1"),
                 not_lazy});
  out.push_back(
      {{"nvl2", "nvl2(a, b, c)", "b where a is not null, c where it is.", "nvl2(NULL, 1, 2)", "2"},
       {},
       signature("any, same, same -> $2"),
       not_lazy});
  out.push_back(
      {{"nullif", "nullif(a, b)", "Null where a equals b, else a.", "nullif(1, 1)", "NULL"},
       {},
       signature("same, same -> $1"),
       nullif});
}

}  // namespace tailrace::engine
