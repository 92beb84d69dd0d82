// What a scalar function is to the engine: a catalogue line, a binder (types) and a kernel
// (values).
//
// Families register their functions in one explicit list (registry.cc); there are no static
// initialisers.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "engine/expr.h"
#include "engine/functions/value.h"

namespace tailrace::engine {

/// One call of a kernel: the arguments over `rows` rows. A constant argument has one value
/// (Value::constant).
struct Call {
  const Expr& expr;
  std::vector<Value> args;
  std::int64_t rows;
  EvalContext& context;

  const Type& type() const { return expr.type; }
  /// The row's value cannot be made: Spark's error class and sentence.
  void fail(std::int64_t row, std::string what) {
    if (!expr.place.empty()) what += " (" + expr.place + ")";
    context.errors.push_back({row, std::move(what)});
  }
};

/// The types of one call while binding.
struct BindCall {
  const std::string& name;
  std::span<const Type> args;
  std::span<const std::shared_ptr<arrow::Scalar>> constants;

  const arrow::Scalar* constant(std::size_t index) const {
    return index < constants.size() ? constants[index].get() : nullptr;
  }
};

using Kernel = std::function<Result<Array>(Call&)>;
using Binder = std::function<Result<BoundFunction>(const BindCall&)>;

struct Function {
  FunctionInfo info;
  std::vector<std::string> aliases;
  Binder bind;
  Kernel run;
};

using Functions = std::vector<Function>;

/// A binder from signatures tried in turn, parted by ';': "string, int, [int] -> string". Words:
/// boolean tinyint smallint int bigint float double string binary date timestamp interval (exactly
/// these, after implicit casts), number (any numeric; strings become double), integral, any, same
/// (all such arguments get their common type), array, map, struct. `[x]` may be left out, `x...`
/// repeats. A result may also be $1, $2 …: that argument's type, element: of the first argument's
/// array.
Binder signature(std::string text);

/// The type an implicit cast gives for an argument of type `from` where `word` (as in signature) is
/// wanted.
std::optional<Type> implicit_cast(const Type& from, std::string_view word);

/// [DATATYPE_MISMATCH.…] for argument `index` (from 0) of which `wanted` was expected.
std::unexpected<Error> wrong_argument(const BindCall& call, std::size_t index,
                                      std::string_view wanted);
std::unexpected<Error> wrong_count(const BindCall& call, std::string_view wanted);

/// Least common type of two, as Spark's ANSI coercion; null when there is none.
Type common_type_of(const Type& left, const Type& right);

/// The text of a constant STRING argument, if it is one and not null.
std::optional<std::string> constant_text(const arrow::Scalar* scalar);

/// The function of that name (lower case), or null.
const Function* find_function(std::string_view name);

template <typename T>
struct Stored {
  using type = T;
};
template <>
struct Stored<std::string> {
  using type = std::string_view;
};
template <typename T>
struct Stored<std::optional<T>> : Stored<T> {};

namespace map_detail {
template <typename... In, typename F, std::size_t... I>
Result<Array> map(Call& call, const Type& type, F&& f, std::index_sequence<I...>) {
  using Made = std::invoke_result_t<F, std::int64_t, In...>;
  std::tuple<Reader<In>...> in{Reader<In>(call.args[I])...};
  Sink<typename Stored<Made>::type> out(type, call.rows);
  for (std::int64_t row = 0; row < call.rows; ++row) {
    if ((std::get<I>(in).nulls[row] || ...)) {
      out.null(row);
      continue;
    }
    auto made = f(row, std::get<I>(in)[row]...);
    if constexpr (std::is_same_v<Made, std::optional<typename Stored<Made>::type>> ||
                  std::is_same_v<Made, std::optional<std::string>>) {
      made ? out.set(row, *made) : out.null(row);
    } else {
      out.set(row, made);
    }
  }
  return out.finish();
}
}  // namespace map_detail

/// Applies f(row, arguments…) to every row whose arguments are all set; f gives a value, or an
/// optional (null).
template <typename... In, typename F>
Result<Array> map_rows(Call& call, F&& f) {
  return map_detail::map<In...>(call, call.type(), std::forward<F>(f),
                                std::index_sequence_for<In...>());
}

/// Calls f.operator()<T>() with the C++ type of a number, date, timestamp or interval type.
template <typename F>
auto visit_fixed(const arrow::DataType& type, F&& f) {
  switch (type.id()) {
    case arrow::Type::INT8:
      return f.template operator()<std::int8_t>();
    case arrow::Type::INT16:
      return f.template operator()<std::int16_t>();
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
    case arrow::Type::INTERVAL_MONTHS:
      return f.template operator()<std::int32_t>();
    case arrow::Type::FLOAT:
      return f.template operator()<float>();
    case arrow::Type::DOUBLE:
      return f.template operator()<double>();
    case arrow::Type::BOOL:
      return f.template operator()<bool>();
    case arrow::Type::DECIMAL128:
      return f.template operator()<Decimal128>();
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return f.template operator()<std::string_view>();
    default:
      return f.template operator()<std::int64_t>();
  }
}

inline bool is_string_type(const arrow::DataType& type) {
  return type.id() == arrow::Type::STRING;
}
inline bool is_void(const arrow::DataType& type) {
  return type.id() == arrow::Type::NA;
}
bool is_integral(const arrow::DataType& type);
bool is_floating_type(const arrow::DataType& type);
bool is_decimal_type(const arrow::DataType& type);
bool is_number(const arrow::DataType& type);
/// Whether visit_fixed knows how values of the type lie in memory.
bool is_scalar(const arrow::DataType& type);

}  // namespace tailrace::engine
