// + - * / % div, unary minus and their try_ forms over numbers; dates and intervals go to
// date_arithmetic.cc.
#include <cmath>
#include <limits>

#include "engine/functions/date_arithmetic.h"
#include "engine/functions/decimal_arithmetic.h"
#include "engine/functions/decimal_rules.h"
#include "engine/functions/faults.h"
#include "engine/functions/registry.h"

namespace tailrace::engine {
namespace {

struct Operator {
  char op;               ///< + - * / % d (div) p (pmod)
  std::string tolerant;  ///< the function errors advise
  bool quiet = false;    ///< null in place of an error
};

template <typename T>
std::optional<T> checked(char op, T left, T right) {
  T out;
  const bool over = op == '+'   ? __builtin_add_overflow(left, right, &out)
                    : op == '-' ? __builtin_sub_overflow(left, right, &out)
                                : __builtin_mul_overflow(left, right, &out);
  return over ? std::nullopt : std::optional(out);
}

template <typename T>
std::string overflow_sentence(const Operator& by, T left, T right) {
  if (sizeof(T) > 2) return faults::overflow(by.tolerant);
  return "[BINARY_ARITHMETIC_OVERFLOW] " + std::to_string(left) + "S " + by.op + " " +
         std::to_string(right) + "S caused overflow. Use `" + by.tolerant +
         "` to ignore overflow problem and return NULL.";
}

template <typename T>
Result<Array> integers(Call& call, const Operator& by) {
  return map_rows<T, T>(call, [&](std::int64_t row, T left, T right) -> std::optional<T> {
    const auto made = checked<T>(by.op, left, right);
    if (!made && !by.quiet) call.fail(row, overflow_sentence(by, left, right));
    return made;
  });
}

template <typename T>
T remainder(T left, T right, bool positive) {
  if constexpr (std::is_floating_point_v<T>) {
    const T rest = std::fmod(left, right);
    return positive && rest < 0 ? std::fmod(rest + right, right) : rest;
  } else {
    if (right == T{-1}) return 0;
    const T rest = static_cast<T>(left % right);
    return positive && rest < 0 ? static_cast<T>((std::int64_t{rest} + right) % right) : rest;
  }
}

template <typename T>
Result<Array> remainders(Call& call, const Operator& by) {
  return map_rows<T, T>(call, [&](std::int64_t row, T left, T right) -> std::optional<T> {
    if (right != 0) return remainder(left, right, by.op == 'p');
    if (!by.quiet) call.fail(row, faults::remainder_by_zero());
    return std::nullopt;
  });
}

template <typename T>
Result<Array> floats(Call& call, const Operator& by) {
  return map_rows<T, T>(call, [&](std::int64_t row, T left, T right) -> std::optional<T> {
    switch (by.op) {
      case '+':
        return left + right;
      case '-':
        return left - right;
      case '*':
        return left * right;
      default:
        break;
    }
    if (right != 0) return left / right;
    if (!by.quiet) call.fail(row, faults::divide_by_zero());
    return std::nullopt;
  });
}

Result<Array> whole_division(Call& call, const Operator& by) {
  using I = std::int64_t;
  return map_rows<I, I>(call, [&](I row, I left, I right) -> std::optional<I> {
    if (right == 0) {
      if (!by.quiet) call.fail(row, faults::divide_by_zero());
      return std::nullopt;
    }
    if (right == -1 && left == std::numeric_limits<I>::min()) {
      if (!by.quiet) call.fail(row, faults::overflow("try_divide"));
      return std::nullopt;
    }
    return left / right;
  });
}

Result<Array> numbers(Call& call, const Operator& by) {
  const auto& type = call.args[0].type();
  if (is_decimal_type(type)) return decimal_arithmetic(call, by.op, by.quiet);
  if (by.op == 'd') return whole_division(call, by);
  return visit_fixed(type, [&]<typename T>() -> Result<Array> {
    if constexpr (std::is_same_v<T, bool> || !std::is_arithmetic_v<T>) {
      return error(Code::kInternal, "arithmetic over " + spark_name(type));
    } else {
      if (by.op == '%' || by.op == 'p') return remainders<T>(call, by);
      if constexpr (std::is_floating_point_v<T>) return floats<T>(call, by);
      if constexpr (!std::is_floating_point_v<T>) return integers<T>(call, by);
    }
  });
}

/// An integer constant beside a decimal is a decimal of its own digits: 1/3.0 divides DECIMAL(1,0).
DecimalShape shape_of(const BindCall& call, std::size_t index) {
  const arrow::Scalar* scalar = call.constant(index);
  if (!is_integral(*call.args[index]) || !scalar || !scalar->is_valid)
    return decimal_of(*call.args[index]);
  std::string digits = scalar->ToString();
  if (digits.starts_with('-')) digits.erase(0, 1);
  return {static_cast<int>(digits.size()), 0};
}

Result<BoundFunction> bind_decimals(const BindCall& call, char op) {
  const DecimalShape left = shape_of(call, 0);
  const DecimalShape right = shape_of(call, 1);
  BoundFunction bound;
  bound.args = {arrow::decimal128(left.precision, left.scale),
                arrow::decimal128(right.precision, right.scale)};
  bound.result = op == 'd' ? arrow::int64() : decimal_result(op, left, right);
  return bound;
}

Result<BoundFunction> bind_numbers(const BindCall& call, char op) {
  if (call.args.size() != 2) return wrong_count(call, "2");
  for (std::size_t i : {0, 1}) {
    const auto& type = *call.args[i];
    if (!is_number(type) && !is_string_type(type) && !is_void(type))
      return wrong_argument(call, i, "NUMERIC");
  }
  Type common = common_type_of(call.args[0], call.args[1]);
  if (is_string_type(*common) || is_void(*common)) common = arrow::float64();
  if (is_decimal_type(*common)) return bind_decimals(call, op);
  if (op == 'd' && !is_integral(*common))
    return wrong_argument(call, is_integral(*call.args[0]) ? 1 : 0, "INTEGRAL");
  if (op == 'd') common = arrow::int64();
  if (op == '/') common = arrow::float64();
  return BoundFunction{{common, common}, common};
}

Function binary(Operator by, FunctionInfo info, std::vector<std::string> aliases) {
  const char op = by.op;
  auto bind = [op](const BindCall& call) -> Result<BoundFunction> {
    if (auto bound = bind_date_arithmetic(call, op)) return *bound;
    return bind_numbers(call, op);
  };
  auto run = [by](Call& call) -> Result<Array> {
    if (is_date_arithmetic(call)) return date_arithmetic(call, by.op, by.quiet);
    return numbers(call, by);
  };
  return {std::move(info), std::move(aliases), bind, run};
}

Result<Array> negative(Call& call) {
  return visit_fixed(*call.type(), [&]<typename T>() -> Result<Array> {
    if constexpr (std::is_same_v<T, Decimal128>) {
      return map_rows<T>(call, [](auto, const T& value) { return -value; });
    } else if constexpr (std::is_same_v<T, bool> || !std::is_arithmetic_v<T>) {
      return error(Code::kInternal, "negative over " + spark_name(*call.type()));
    } else {
      return map_rows<T>(call, [&](std::int64_t row, T value) -> std::optional<T> {
        if constexpr (!std::is_floating_point_v<T>) {
          if (value == std::numeric_limits<T>::min()) {
            call.fail(row, faults::overflow(""));
            return std::nullopt;
          }
        }
        return static_cast<T>(-value);
      });
    }
  });
}

Result<BoundFunction> bind_sign(const BindCall& call) {
  if (call.args.size() == 1 && call.args[0]->id() == arrow::Type::DURATION) {
    return BoundFunction{{call.args[0]}, call.args[0]};
  }
  return signature("number -> $1")(call);
}

}  // namespace

void add_arithmetic(Functions& out) {
  out.push_back(
      binary({'+', "try_add"}, {"+", "a + b", "Sum; an overflow is an error.", "1 + 2", "3"}, {}));
  out.push_back(
      binary({'-', "try_subtract"}, {"-", "a - b", "Difference.", "1.5 - 2", "-0.5"}, {}));
  out.push_back(
      binary({'*', "try_multiply"}, {"*", "a * b", "Product.", "1.1 * 2.22", "2.442"}, {}));
  out.push_back(binary({'/', "try_divide"},
                       {"/", "a / b", "Quotient; DOUBLE of integers.", "1 / 2", "0.5"}, {}));
  out.push_back(binary({'%', "try_mod"},
                       {"%", "a % b", "Rest, with the sign of a.", "-7 % 3", "-1"}, {"mod"}));
  out.push_back(binary({'d', "try_divide"},
                       {"div", "a div b", "Whole quotient, BIGINT.", "-7 div 2", "-3"}, {}));
  out.push_back(binary({'p', "try_mod"},
                       {"pmod", "pmod(a, b)", "Rest that is not negative.", "pmod(-7, 3)", "2"},
                       {}));
  out.push_back(binary(
      {'+', "", true},
      {"try_add", "try_add(a, b)", "Sum, or null on overflow.", "try_add(2147483647, 1)", "NULL"},
      {}));
  out.push_back(binary({'-', "", true},
                       {"try_subtract", "try_subtract(a, b)", "Difference, or null on overflow.",
                        "try_subtract(5, 3)", "2"},
                       {}));
  out.push_back(binary({'*', "", true},
                       {"try_multiply", "try_multiply(a, b)", "Product, or null on overflow.",
                        "try_multiply(2, 3)", "6"},
                       {}));
  out.push_back(binary({'/', "", true},
                       {"try_divide", "try_divide(a, b)", "Quotient, or null when b is 0.",
                        "try_divide(1, 0)", "NULL"},
                       {}));
  out.push_back(binary(
      {'%', "", true},
      {"try_mod", "try_mod(a, b)", "Rest, or null when b is 0.", "try_mod(1, 0)", "NULL"}, {}));
  out.push_back({{"negative", "-a", "The number with the other sign.", "negative(5)", "-5"},
                 {},
                 bind_sign,
                 negative});
  out.push_back({{"positive", "+a", "The number itself.", "positive(5)", "5"},
                 {},
                 bind_sign,
                 [](Call& call) -> Result<Array> { return call.args[0].array; }});
}

}  // namespace tailrace::engine
