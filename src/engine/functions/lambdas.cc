// Functions over the elements of arrays and maps: transform, filter, exists, forall, aggregate,
// zip_with, map_filter, transform_keys, transform_values.
//
// The binder gives such a call as (array, body) or (array, start, merge, finish). A body is an
// expression over the batch's own columns and over lambda variables, which are calls
// kLambdaVariable named by `column`. It is evaluated once for all elements of the batch: the rows
// are the elements, with the columns it uses repeated for each element of their row and a column
// for each variable. aggregate runs its body once for the first elements of all rows, once for the
// second ones …
#include "engine/functions/lambdas.h"

#include <algorithm>
#include <set>

#include "engine/functions/evaluation.h"
#include "engine/functions/list_maker.h"
#include "engine/functions/maps.h"
#include "engine/functions/registry.h"

namespace tailrace::engine {
namespace {

using Id = arrow::Type::type;
using Long = std::int64_t;

std::string variable_name(int id) {
  return std::string(kLambdaVariable) + std::to_string(id);
}

void used(const Expr& expr, std::set<int>& columns, std::set<std::string>& variables) {
  if (expr.kind == Expr::Kind::kColumn) columns.insert(expr.column);
  if (expr.kind == Expr::Kind::kCall && expr.name == kLambdaVariable)
    variables.insert(variable_name(expr.column));
  for (const ExprPtr& arg : expr.args) used(*arg, columns, variables);
}

Result<Array> taken(const arrow::Array& values, const Array& places) {
  return from_arrow(
      arrow::compute::Take(values, *places, arrow::compute::TakeOptions::NoBoundsCheck()));
}

Result<Array> places_array(const std::vector<Long>& places) {
  Sink<Long> out(arrow::int64(), static_cast<Long>(places.size()));
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto row = static_cast<Long>(i);
    places[i] < 0 ? out.null(row) : out.set(row, places[i]);
  }
  return out.finish();
}

/// The rows a body is evaluated over: `row_of[i]` is the batch's row of element i.
struct Frame {
  const arrow::RecordBatch& rows;
  const std::vector<Long>& row_of;
};

/// The body over all elements; its errors go to their rows.
Result<Array> evaluate_body(const Expr& body, const Frame& frame,
                            const std::vector<std::pair<int, Array>>& variables,
                            EvalContext& context) {
  std::set<int> columns;
  std::set<std::string> outer;
  used(body, columns, outer);
  ASSIGN(Array at, places_array(frame.row_of));
  const auto count = static_cast<Long>(frame.row_of.size());
  ASSIGN(Array unused, from_arrow(arrow::MakeArrayOfNull(arrow::null(), count)));
  arrow::FieldVector fields;
  arrow::ArrayVector values;
  for (int i = 0; i < frame.rows.num_columns(); ++i) {
    Array value = unused;
    if (columns.contains(i) || outer.contains(frame.rows.schema()->field(i)->name())) {
      ASSIGN(value, taken(*frame.rows.column(i), at));
    }
    fields.push_back(arrow::field(frame.rows.schema()->field(i)->name(), value->type()));
    values.push_back(std::move(value));
  }
  for (const auto& [id, value] : variables) {
    fields.push_back(arrow::field(variable_name(id), value->type()));
    values.push_back(value);
  }
  const auto batch = arrow::RecordBatch::Make(arrow::schema(std::move(fields)), count, values);
  EvalContext inner;
  inner.now_us = context.now_us;
  ASSIGN(Array made, evaluate(body, *batch, inner));
  for (RowError& fault : inner.errors) {
    context.errors.push_back(
        {frame.row_of[static_cast<std::size_t>(fault.row)], std::move(fault.what)});
  }
  return made;
}

/// A list or map argument as places of its values.
struct Elements {
  std::vector<Long> row_of;
  std::vector<Long> places;
  std::vector<Long> index;

  Elements(const Value& value, Long rows) {
    const auto& list = static_cast<const arrow::ListArray&>(*value.array);
    for (Long row = 0; row < rows; ++row) {
      const Long at = value.at(row);
      if (list.IsNull(at)) continue;
      for (Long k = list.value_offset(at); k < list.value_offset(at + 1); ++k) {
        row_of.push_back(row);
        places.push_back(k);
        index.push_back(k - list.value_offset(at));
      }
    }
  }
};

Result<Array> index_array(const std::vector<Long>& index) {
  Sink<std::int32_t> out(arrow::int32(), static_cast<Long>(index.size()));
  for (std::size_t i = 0; i < index.size(); ++i)
    out.set(static_cast<Long>(i), static_cast<std::int32_t>(index[i]));
  return out.finish();
}

/// Variables of a lambda node, args: body, variable, ….
int variable_of(const Expr& lambda, std::size_t which) {
  return lambda.args[which + 1]->column;
}
std::size_t arity(const Expr& lambda) {
  return lambda.args.size() - 1;
}

struct Mapped {
  Value source;
  Elements elements;
  Array values;  ///< of the body, one an element
};

/// Evaluates the lambda over the elements of args[0]: (element[, index]), or (key, value) of a map.
Result<Mapped> map_elements(const Expr& expr, const arrow::RecordBatch& rows,
                            EvalContext& context) {
  ASSIGN(Value source, evaluate_value(*expr.args[0], rows, context));
  Elements elements(source, rows.num_rows());
  const Expr& lambda = *expr.args[1];
  ASSIGN(Array at, places_array(elements.places));
  std::vector<std::pair<int, Array>> variables;
  if (source.type().id() == Id::MAP) {
    const auto& map = static_cast<const arrow::MapArray&>(*source.array);
    ASSIGN(Array keys, taken(*map.keys(), at));
    ASSIGN(Array items, taken(*map.items(), at));
    variables = {{variable_of(lambda, 0), keys}, {variable_of(lambda, 1), items}};
  } else {
    const auto& list = static_cast<const arrow::ListArray&>(*source.array);
    ASSIGN(Array values, taken(*list.values(), at));
    variables = {{variable_of(lambda, 0), values}};
    if (arity(lambda) > 1) {
      ASSIGN(Array index, index_array(elements.index));
      variables.emplace_back(variable_of(lambda, 1), index);
    }
  }
  ASSIGN(Array values, evaluate_body(*lambda.args[0], {rows, elements.row_of}, variables, context));
  return Mapped{std::move(source), std::move(elements), std::move(values)};
}

bool is_true(const Array& values, Long at) {
  return values->IsValid(at) && static_cast<const arrow::BooleanArray&>(*values).Value(at);
}

/// Calls f(row, first element, last element) of each row that is set, null(row) of the others.
template <typename F, typename N>
void each_row(const Mapped& mapped, Long rows, F f, N null) {
  const auto& row_of = mapped.elements.row_of;
  std::size_t at = 0;
  for (Long row = 0; row < rows; ++row) {
    const std::size_t first = at;
    while (at < row_of.size() && row_of[at] == row) ++at;
    if (mapped.source.array->IsNull(mapped.source.at(row))) {
      null(row);
    } else {
      f(row, static_cast<Long>(first), static_cast<Long>(at));
    }
  }
}

Result<Value> transform(const Expr& expr, const arrow::RecordBatch& rows, EvalContext& context) {
  ASSIGN(const Mapped mapped, map_elements(expr, rows, context));
  ListMaker out(rows.num_rows());
  each_row(
      mapped, rows.num_rows(),
      [&](Long row, Long first, Long last) {
        for (Long i = first; i < last; ++i) out.add(i);
        out.end_row(row);
      },
      [&](Long row) { out.null_row(row); });
  ASSIGN(Array made, out.finish_with(expr.type, mapped.values));
  return Value{made, false};
}

Result<Value> filter(const Expr& expr, const arrow::RecordBatch& rows, EvalContext& context) {
  ASSIGN(const Mapped mapped, map_elements(expr, rows, context));
  const auto& list = static_cast<const arrow::ListArray&>(*mapped.source.array);
  ListMaker out(rows.num_rows());
  each_row(
      mapped, rows.num_rows(),
      [&](Long row, Long first, Long last) {
        for (Long i = first; i < last; ++i) {
          if (is_true(mapped.values, i))
            out.add(mapped.elements.places[static_cast<std::size_t>(i)]);
        }
        out.end_row(row);
      },
      [&](Long row) { out.null_row(row); });
  ASSIGN(Array made, out.finish(expr.type, *list.values()));
  return Value{made, false};
}

/// exists (stop = true) and forall (stop = false): decided by one element, else null when one is.
Result<Value> decided(const Expr& expr, const arrow::RecordBatch& rows, EvalContext& context,
                      bool stop) {
  ASSIGN(const Mapped mapped, map_elements(expr, rows, context));
  Sink<bool> out(arrow::boolean(), rows.num_rows());
  each_row(
      mapped, rows.num_rows(),
      [&](Long row, Long first, Long last) {
        bool found = false;
        bool unknown = false;
        for (Long i = first; i < last && !found; ++i) {
          unknown |= mapped.values->IsNull(i);
          found = mapped.values->IsValid(i) && is_true(mapped.values, i) == stop;
        }
        !found&& unknown ? out.null(row) : out.set(row, found == stop);
      },
      [&](Long row) { out.null(row); });
  ASSIGN(Array made, out.finish());
  return Value{made, false};
}

Result<Value> exists(const Expr& expr, const arrow::RecordBatch& rows, EvalContext& context) {
  return decided(expr, rows, context, true);
}
Result<Value> forall(const Expr& expr, const arrow::RecordBatch& rows, EvalContext& context) {
  return decided(expr, rows, context, false);
}

/// map_filter, transform_keys, transform_values.
Result<Value> remapped(const Expr& expr, const arrow::RecordBatch& rows, EvalContext& context) {
  ASSIGN(const Mapped mapped, map_elements(expr, rows, context));
  const auto& map = static_cast<const arrow::MapArray&>(*mapped.source.array);
  ASSIGN(Array at, places_array(mapped.elements.places));
  ASSIGN(Array keys, taken(*map.keys(), at));
  ASSIGN(Array items, taken(*map.items(), at));
  if (expr.name == "transform_keys") keys = mapped.values;
  if (expr.name == "transform_values") items = mapped.values;
  const bool filters = expr.name == "map_filter";
  MapMaker out(rows.num_rows());
  std::string fault;
  each_row(
      mapped, rows.num_rows(),
      [&](Long row, Long first, Long last) {
        bool good = true;
        for (Long i = first; good && i < last; ++i) {
          if (!filters || is_true(mapped.values, i)) good = out.add(*keys, i, i, fault);
        }
        if (!good) context.errors.push_back({row, fault});
        good ? out.end_row(row) : out.null_row(row);
      },
      [&](Long row) { out.null_row(row); });
  ASSIGN(Array made, out.finish(expr.type, *keys, *items));
  return Value{made, false};
}

Result<Value> zip_with(const Expr& expr, const arrow::RecordBatch& rows, EvalContext& context) {
  ASSIGN(Value left, evaluate_value(*expr.args[0], rows, context));
  ASSIGN(Value right, evaluate_value(*expr.args[1], rows, context));
  const Lists a(left), b(right);
  const Expr& lambda = *expr.args[2];
  std::vector<Long> row_of, of_a, of_b;
  ListMaker out(rows.num_rows());
  for (Long row = 0; row < rows.num_rows(); ++row) {
    if (a.nulls[row] || b.nulls[row]) {
      out.null_row(row);
      continue;
    }
    for (Long i = 0; i < std::max(a.size(row), b.size(row)); ++i) {
      row_of.push_back(row);
      of_a.push_back(i < a.size(row) ? a.begin(row) + i : -1);
      of_b.push_back(i < b.size(row) ? b.begin(row) + i : -1);
      out.add(static_cast<Long>(row_of.size()) - 1);
    }
    out.end_row(row);
  }
  ASSIGN(Array at_a, places_array(of_a));
  ASSIGN(Array at_b, places_array(of_b));
  ASSIGN(Array first, taken(*a.values(), at_a));
  ASSIGN(Array second, taken(*b.values(), at_b));
  ASSIGN(
      Array values,
      evaluate_body(*lambda.args[0], {rows, row_of},
                    {{variable_of(lambda, 0), first}, {variable_of(lambda, 1), second}}, context));
  ASSIGN(Array made, out.finish_with(expr.type, values));
  return Value{made, false};
}

/// args: array, start, merge lambda, finish lambda.
Result<Value> aggregate(const Expr& expr, const arrow::RecordBatch& rows, EvalContext& context) {
  ASSIGN(Value source, evaluate_value(*expr.args[0], rows, context));
  ASSIGN(Value start, evaluate_value(*expr.args[1], rows, context));
  ASSIGN(Array state, spread_value(start, rows.num_rows()));
  const Lists lists(source);
  const Expr& merge = *expr.args[2];
  for (Long n = 0;; ++n) {
    std::vector<Long> row_of, places;
    for (Long row = 0; row < rows.num_rows(); ++row) {
      if (lists.nulls[row] || n >= lists.size(row)) continue;
      row_of.push_back(row);
      places.push_back(lists.begin(row) + n);
    }
    if (row_of.empty()) break;
    ASSIGN(Array at, places_array(places));
    ASSIGN(Array at_row, places_array(row_of));
    ASSIGN(Array elements, taken(*lists.values(), at));
    ASSIGN(Array before, taken(*state, at_row));
    ASSIGN(Array after,
           evaluate_body(*merge.args[0], {rows, row_of},
                         {{variable_of(merge, 0), before}, {variable_of(merge, 1), elements}},
                         context));
    std::vector<Long> next(static_cast<std::size_t>(rows.num_rows()));
    for (Long row = 0; row < rows.num_rows(); ++row) next[static_cast<std::size_t>(row)] = row;
    for (std::size_t i = 0; i < row_of.size(); ++i)
      next[static_cast<std::size_t>(row_of[i])] = rows.num_rows() + static_cast<Long>(i);
    ASSIGN(Array both, from_arrow(arrow::Concatenate({state, after})));
    ASSIGN(Array chosen, places_array(next));
    ASSIGN(state, taken(*both, chosen));
  }
  std::vector<Long> every(static_cast<std::size_t>(rows.num_rows()));
  for (Long row = 0; row < rows.num_rows(); ++row)
    every[static_cast<std::size_t>(row)] = lists.nulls[row] ? -1 : row;
  if (expr.args.size() > 3) {
    std::vector<Long> row_of;
    for (const Long row : every) {
      if (row >= 0) row_of.push_back(row);
    }
    const Expr& finish = *expr.args[3];
    ASSIGN(Array at, places_array(row_of));
    ASSIGN(Array last, taken(*state, at));
    ASSIGN(state, evaluate_body(*finish.args[0], {rows, row_of}, {{variable_of(finish, 0), last}},
                                context));
    for (std::size_t i = 0; i < row_of.size(); ++i)
      every[static_cast<std::size_t>(row_of[i])] = static_cast<Long>(i);
  }
  ASSIGN(Array at, places_array(every));
  ASSIGN(Array made, taken(*state, at));
  return Value{made, false};
}

Result<Value> variable(const Expr& expr, const arrow::RecordBatch& rows, EvalContext&) {
  const int at = rows.schema()->GetFieldIndex(variable_name(expr.column));
  if (at < 0) return error(Code::kInternal, "a lambda's variable outside its lambda");
  return Value{rows.column(at), false};
}

Result<Array> not_lazy(Call&) {
  return error(Code::kInternal, "this function evaluates its own arguments");
}

/// The binder types these calls itself.
Result<BoundFunction> bound_elsewhere(const BindCall& call) {
  return error(Code::kInvalidArgument, "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] `" + call.name +
                                           "` takes a lambda: " + call.name + "(…, x -> …).");
}

}  // namespace

LazyKernel find_lambda(std::string_view name) {
  if (name == kLambdaVariable) return variable;
  if (name == "transform") return transform;
  if (name == "filter") return filter;
  if (name == "exists") return exists;
  if (name == "forall") return forall;
  if (name == "aggregate" || name == "reduce") return aggregate;
  if (name == "zip_with") return zip_with;
  if (name == "map_filter" || name == "transform_keys" || name == "transform_values")
    return remapped;
  return nullptr;
}

void add_lambdas(Functions& out) {
  const auto add = [&](std::string name, std::vector<std::string> aliases, std::string usage,
                       std::string doc, std::string example, std::string result) {
    out.push_back(
        {{std::move(name), std::move(usage), std::move(doc), std::move(example), std::move(result)},
         std::move(aliases),
         bound_elsewhere,
         not_lazy});
  };
  add("transform", {}, "transform(array, x -> …)", "Each element as the body says; (x, i) -> too.",
      "transform(array(1, 2, 3), x -> x + 1)", "[2, 3, 4]");
  add("filter", {}, "filter(array, x -> …)", "The elements for which it is true.",
      "filter(array(1, 2, 3), x -> x % 2 = 1)", "[1, 3]");
  add("exists", {}, "exists(array, x -> …)", "Whether it is true of one.",
      "exists(array(1, 2, 3), x -> x % 2 = 0)", "true");
  add("forall", {}, "forall(array, x -> …)", "Whether it is true of all.",
      "forall(array(1, 2, 3), x -> x % 2 = 0)", "false");
  add("aggregate", {"reduce"}, "aggregate(array, start, (acc, x) -> …[, acc -> …])",
      "The elements merged one by one.", "aggregate(array(1, 2, 3), 0, (acc, x) -> acc + x)", "6");
  add("zip_with", {}, "zip_with(a, b, (x, y) -> …)", "The nth elements merged.",
      "zip_with(array(1, 2), array(3, 4), (x, y) -> x + y)", "[4, 6]");
  add("map_filter", {}, "map_filter(map, (k, v) -> …)", "The pairs for which it is true.",
      "map_filter(map(1, 0, 2, 2), (k, v) -> k > v)", "{1 -> 0}");
  add("transform_keys", {}, "transform_keys(map, (k, v) -> …)", "Other keys.",
      "transform_keys(map(1, 5), (k, v) -> k + v)", "{6 -> 5}");
  add("transform_values", {}, "transform_values(map, (k, v) -> …)", "Other values.",
      "transform_values(map(1, 5), (k, v) -> k + v)", "{1 -> 6}");
}

}  // namespace tailrace::engine
