// = <=> <> < <= > >=, IN, greatest and least.
#include <arrow/compute/api.h>

#include <unordered_set>

#include "engine/functions/compare_rows.h"
#include "engine/functions/registry.h"

namespace tailrace::engine {
namespace {

template <typename Test>
Kernel comparison(Test test) {
  return [test](Call& call) -> Result<Array> {
    const Nulls left(call.args[0]);
    const Nulls right(call.args[1]);
    Sink<bool> out(arrow::boolean(), call.rows);
    auto write = [&](auto&& order) {
      for (std::int64_t row = 0; row < call.rows; ++row) {
        left[row] || right[row] ? out.null(row) : out.set(row, test(order(row)));
      }
    };
    if (is_scalar(call.args[0].type()) && call.args[0].type().id() == call.args[1].type().id()) {
      visit_fixed(call.args[0].type(), [&]<typename T>() {
        const Reader<T> l(call.args[0]);
        const Reader<T> r(call.args[1]);
        write([&](std::int64_t row) { return compare_values<T>(l[row], r[row]); });
      });
    } else {
      ASSIGN(const auto orders, compare_rows(call.args[0], call.args[1], call.rows));
      write([&](std::int64_t row) { return orders[row]; });
    }
    return out.finish();
  };
}

Result<Array> null_safe_equal(Call& call) {
  ASSIGN(const auto orders, compare_rows(call.args[0], call.args[1], call.rows));
  const Nulls left(call.args[0]);
  const Nulls right(call.args[1]);
  Sink<bool> out(arrow::boolean(), call.rows);
  for (std::int64_t row = 0; row < call.rows; ++row) {
    out.set(row, left[row] || right[row] ? left[row] && right[row] : orders[row] == 0);
  }
  return out.finish();
}

/// IN over constants, by a hash set of the wanted values.
template <typename T>
Result<Array> in_constants(Call& call) {
  std::unordered_set<T> wanted;
  bool null_wanted = false;
  for (std::size_t i = 1; i < call.args.size(); ++i) {
    const Reader<T> one(call.args[i]);
    one.nulls[0] ? void(null_wanted = true) : void(wanted.insert(one[0]));
  }
  const Reader<T> tested(call.args[0]);
  Sink<bool> out(arrow::boolean(), call.rows);
  for (std::int64_t row = 0; row < call.rows; ++row) {
    const bool found = !tested.nulls[row] && wanted.contains(tested[row]);
    !found && (null_wanted || tested.nulls[row]) ? out.null(row) : out.set(row, found);
  }
  return out.finish();
}

Result<Array> in_any(Call& call) {
  std::vector<std::int8_t> found(static_cast<std::size_t>(call.rows), 0);
  const Nulls tested(call.args[0]);
  for (std::size_t i = 1; i < call.args.size(); ++i) {
    ASSIGN(const auto orders, compare_rows(call.args[0], call.args[i], call.rows));
    const Nulls nulls(call.args[i]);
    for (std::int64_t row = 0; row < call.rows; ++row) {
      if (found[row] == 1) continue;
      if (tested[row] || nulls[row]) {
        found[row] = -1;
      } else if (orders[row] == 0) {
        found[row] = 1;
      }
    }
  }
  Sink<bool> out(arrow::boolean(), call.rows);
  for (std::int64_t row = 0; row < call.rows; ++row) {
    found[row] < 0 ? out.null(row) : out.set(row, found[row] == 1);
  }
  return out.finish();
}

Result<Array> in(Call& call) {
  bool constants = true;
  for (std::size_t i = 1; i < call.args.size(); ++i) constants = constants && call.args[i].constant;
  const auto id = call.args[0].type().id();
  if (constants && id == arrow::Type::STRING) return in_constants<std::string_view>(call);
  if (constants && id == arrow::Type::INT32) return in_constants<std::int32_t>(call);
  if (constants && id == arrow::Type::INT64) return in_constants<std::int64_t>(call);
  return in_any(call);
}

Result<Array> extreme(Call& call, int sign) {
  arrow::ArrayVector arrays;
  std::vector<int> best(static_cast<std::size_t>(call.rows), -1);
  for (std::size_t i = 0; i < call.args.size(); ++i) {
    const Value& value = call.args[i];
    for (std::int64_t row = 0; row < call.rows; ++row) {
      if (value.array->IsNull(value.at(row))) continue;
      if (best[row] >= 0) {
        const Value& other = call.args[best[row]];
        if (compare_elements(*value.array, value.at(row), *other.array, other.at(row)) * sign <= 0)
          continue;
      }
      best[row] = static_cast<int>(i);
    }
  }
  std::unique_ptr<arrow::ArrayBuilder> builder;
  TRY(from_arrow(arrow::MakeBuilder(arrow::default_memory_pool(), call.type(), &builder)));
  for (std::int64_t row = 0; row < call.rows; ++row) {
    if (best[row] < 0) {
      TRY(from_arrow(builder->AppendNull()));
      continue;
    }
    const Value& value = call.args[best[row]];
    TRY(from_arrow(builder->AppendArraySlice(*value.array->data(), value.at(row), 1)));
  }
  return from_arrow(builder->Finish());
}

Result<Array> greatest(Call& call) {
  return extreme(call, 1);
}
Result<Array> least(Call& call) {
  return extreme(call, -1);
}

FunctionInfo line(std::string op, std::string doc, std::string example, std::string result) {
  std::string usage = "a " + op + " b";
  return {std::move(op), std::move(usage), std::move(doc), std::move(example), std::move(result)};
}

/// Texts are compared with texts only: nothing is cast from or to them.
Result<BoundFunction> bind_extreme(const BindCall& call) {
  ASSIGN(auto bound, signature("same, same, same... -> $1")(call));
  bool texts = false;
  bool others = false;
  for (const Type& type : call.args) {
    texts |= is_string_type(*type);
    others |= !is_string_type(*type) && !is_void(*type);
  }
  if (!texts || !others) return bound;
  return error(Code::kInvalidArgument, "[DATATYPE_MISMATCH.DATA_DIFF_TYPES] The arguments of `" +
                                           call.name +
                                           "` must have one type: cast the texts or the others.");
}

}  // namespace

void add_comparison(Functions& out) {
  const Binder pair = signature("same, same -> boolean");
  out.push_back({line("=", "Equal; null when either is null.", "1 = 1.0", "true"),
                 {"=="},
                 pair,
                 comparison([](int order) { return order == 0; })});
  out.push_back(
      {line("<>", "Not equal.", "'a' <> 'b'", "true"), {"!="}, pair, comparison([](int order) {
         return order != 0;
       })});
  out.push_back({line("<", "Less.", "1 < 2", "true"), {}, pair, comparison([](int order) {
                   return order < 0;
                 })});
  out.push_back(
      {line("<=", "Less or equal.", "2 <= 2", "true"), {}, pair, comparison([](int order) {
         return order <= 0;
       })});
  out.push_back(
      {line(">", "Greater.", "double('NaN') > 1", "true"), {}, pair, comparison([](int order) {
         return order > 0;
       })});
  out.push_back(
      {line(">=", "Greater or equal.", "1 >= NULL", "NULL"), {}, pair, comparison([](int order) {
         return order >= 0;
       })});
  out.push_back({line("<=>", "Equal, with null equal to null.", "NULL <=> NULL", "true"),
                 {},
                 pair,
                 null_safe_equal});
  out.push_back(
      {{"in", "a IN (b, …)", "Whether a equals one of the values.", "3 IN (1, 2, 3)", "true"},
       {},
       signature("same, same, same... -> boolean"),
       in});
  out.push_back({{"greatest", "greatest(a, b, …)", "The greatest, nulls skipped.",
                  "greatest(1, NULL, 3)", "3"},
                 {},
                 bind_extreme,
                 greatest});
  out.push_back({{"least", "least(a, b, …)", "The least, nulls skipped.", "least(1.5, 2)", "1.5"},
                 {},
                 bind_extreme,
                 least});
}

}  // namespace tailrace::engine
