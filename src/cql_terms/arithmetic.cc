// + - * / %, negation, abs, exp, log, log10 and round over numbers; dates and times ± durations;
// texts put together.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "base/bytes.h"
#include "cql_terms/native.h"
#include "cql_terms/number.h"
#include "cql_terms/times.h"

namespace tailrace::cql_terms {

using cql_types::Kind;
using cql_types::native_type;

namespace {

constexpr Kind kNumbers[] = {Kind::kTinyint, Kind::kSmallint, Kind::kInt,
                             Kind::kBigint,  Kind::kFloat,    Kind::kDouble,
                             Kind::kDecimal, Kind::kVarint,   Kind::kCounter};

// Bytes a value takes; 16 stands for any number.
int size_of(Kind kind) {
  switch (kind) {
    case Kind::kTinyint:
      return 1;
    case Kind::kSmallint:
      return 2;
    case Kind::kInt:
    case Kind::kFloat:
      return 4;
    case Kind::kBigint:
    case Kind::kCounter:
    case Kind::kDouble:
      return 8;
    default:
      return 16;
  }
}

Kind result_kind(Kind left, Kind right) {
  const int size = std::max(size_of(left), size_of(right));
  if (is_floating(left) || is_floating(right))
    return size == 4 ? Kind::kFloat : size == 8 ? Kind::kDouble : Kind::kDecimal;
  switch (size) {
    case 1:
      return Kind::kTinyint;
    case 2:
      return Kind::kSmallint;
    case 4:
      return Kind::kInt;
    case 8:
      return Kind::kBigint;
    default:
      return Kind::kVarint;
  }
}

std::uint64_t bits(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}

Calculated<std::int64_t> calculate_whole(char symbol, std::int64_t a, std::int64_t b) {
  switch (symbol) {
    case '+':
      return static_cast<std::int64_t>(bits(a) + bits(b));
    case '-':
      return static_cast<std::int64_t>(bits(a) - bits(b));
    case '*':
      return static_cast<std::int64_t>(bits(a) * bits(b));
    default:
      if (b == 0) return std::unexpected("/ by zero");
      if (b == -1) return symbol == '/' ? static_cast<std::int64_t>(0 - bits(a)) : 0;
      return symbol == '/' ? a / b : a % b;
  }
}

template <typename Float>
Float calculate_floating(char symbol, Float a, Float b) {
  switch (symbol) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    default:
      return std::fmod(a, b);
  }
}

Calculated<Whole> calculate_varint(char symbol, const Whole& a, const Whole& b) {
  switch (symbol) {
    case '+':
      return Whole(a + b);
    case '-':
      return Whole(a - b);
    case '*':
      return Whole(a * b);
    default:
      if (b == 0) return std::unexpected("BigInteger divide by zero");
      return symbol == '/' ? Whole(a / b) : Whole(a % b);
  }
}

Calculated<Big> divide_decimals(const Big& a, const Big& b) {
  constexpr std::int64_t kMinDigits = 32, kMinScale = 32, kMaxScale = 1'000;
  const auto first = (digits(a.unscaled) - a.scale) - (digits(b.unscaled) - b.scale);
  const auto scale =
      std::min(std::max({kMinDigits - first, a.scale, b.scale, kMinScale}), kMaxScale);
  const auto quotient = divide(a, b, scale, Rounding::kHalfUp);
  if (!quotient) return quotient;
  return without_zeros(*quotient);
}

Calculated<Big> calculate_decimal(char symbol, const Big& a, const Big& b) {
  switch (symbol) {
    case '+':
      return add(a, b);
    case '-':
      return add(a, {-b.unscaled, b.scale});
    case '*':
      return multiply(a, b);
    case '/':
      return divide_decimals(a, b);
    default:
      return remainder(a, b);
  }
}

Calculated<std::string> calculate(char symbol, Kind kind, const Number& a, const Number& b) {
  switch (kind) {
    case Kind::kFloat:
      return float_bytes(calculate_floating(symbol, a.as_float(), b.as_float()));
    case Kind::kDouble:
      return double_bytes(calculate_floating(symbol, a.as_double(), b.as_double()));
    case Kind::kVarint: {
      const auto made = calculate_varint(symbol, a.as_varint(), b.as_varint());
      if (!made) return std::unexpected(made.error());
      return varint_of(*made);
    }
    case Kind::kDecimal: {
      const auto left = a.as_decimal(), right = b.as_decimal();
      if (!left) return std::unexpected(left.error());
      if (!right) return std::unexpected(right.error());
      const auto made = calculate_decimal(symbol, *left, *right);
      if (!made) return std::unexpected(made.error());
      return decimal_of(*made);
    }
    default: {
      const auto made = calculate_whole(symbol, a.as_whole(), b.as_whole());
      if (!made) return std::unexpected(made.error());
      return whole_bytes(kind, *made);
    }
  }
}

// FunctionFailure with the operation's sentence.
std::unexpected<cql_types::Failure> operation_failure(const Function& of, std::string_view why) {
  return function_failure(
      of, fmt::format("the operation '{} {} {}' failed: {}", to_cql(*of.arguments[0]),
                      operation_symbol(of.name), to_cql(*of.arguments[1]), why));
}

Function operation(char symbol, Kind left, Kind right, Kind result) {
  Function function;
  function.name = operation_function(std::string_view(&symbol, 1));
  function.arguments = {native_type(left), native_type(right)};
  function.result = native_type(result);
  function.style = Function::Style::kOperation;
  return function;
}

Function numeric_operation(char symbol, Kind left, Kind right) {
  const Kind result = result_kind(left, right);
  auto function = operation(symbol, left, right, result);
  const Function told = function;
  function.scalar = [=](std::span<const Part> values, const Bindings&) -> Outcome<Made> {
    ASSIGN(const auto a, read_number(left, values[0]));
    ASSIGN(const auto b, read_number(right, values[1]));
    if (!a || !b) return std::nullopt;
    auto made = calculate(symbol, result, *a, *b);
    if (!made) return operation_failure(told, made.error());
    return std::move(*made);
  };
  return function;
}

Function temporal_operation(char symbol, Kind kind) {
  auto function = operation(symbol, kind, Kind::kDuration, kind);
  const Function told = function;
  function.scalar = [=](std::span<const Part> values, const Bindings&) -> Outcome<Made> {
    const auto time = unix_ms(kind, values[0]);
    const auto duration = values[1] ? cql_types::read_duration(*values[1]) : std::nullopt;
    if (!time || !duration) return std::nullopt;
    const auto text = cql_types::duration_text(*duration);
    if (kind == Kind::kTimestamp && duration->nanoseconds % 1'000'000 != 0)
      return operation_failure(told,
                               "The duration must have a millisecond precision. Was: " + text);
    if (kind == Kind::kDate && duration->nanoseconds != 0)
      return operation_failure(told, "The duration must have a day precision. Was: " + text);
    return time_bytes(kind, plus(*time, *duration, symbol == '-'));
  };
  return function;
}

Function concatenation(Kind left, Kind right) {
  const bool ascii = left == Kind::kAscii && right == Kind::kAscii;
  auto function = operation('+', left, right, ascii ? Kind::kAscii : Kind::kText);
  function.scalar = [](std::span<const Part> values, const Bindings&) -> Outcome<Made> {
    if (!values[0] || !values[1]) return std::nullopt;
    return std::string(*values[0]).append(*values[1]);
  };
  return function;
}

Calculated<std::string> negated(Kind kind, const Number& value) {
  switch (kind) {
    case Kind::kFloat:
      return float_bytes(-value.as_float());
    case Kind::kDouble:
      return double_bytes(-value.wide);
    case Kind::kVarint:
      return varint_of(-value.big.unscaled);
    case Kind::kDecimal:
      return decimal_of({-value.big.unscaled, value.big.scale});
    default:
      return whole_bytes(kind, static_cast<std::int64_t>(0 - bits(value.whole)));
  }
}

Calculated<std::string> absolute(Kind kind, const Number& value) {
  switch (kind) {
    case Kind::kFloat:
      return float_bytes(std::fabs(value.as_float()));
    case Kind::kDouble:
      return double_bytes(std::fabs(value.wide));
    case Kind::kVarint:
    case Kind::kDecimal:
      return value.big.unscaled < 0  ? negated(kind, value)
             : kind == Kind::kVarint ? Calculated<std::string>(varint_of(value.big.unscaled))
                                     : decimal_of(value.big);
    default:
      return value.whole < 0 ? negated(kind, value)
                             : Calculated<std::string>(whole_bytes(kind, value.whole));
  }
}

// Half up of negative numbers too: -2.5 is -2, as Java rounds floating point.
double round_up(double value) {
  const double down = std::floor(value);
  return value - down >= 0.5 ? down + 1 : down;
}

Calculated<std::string> round_half_up(Kind kind, const Number& value) {
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  switch (kind) {
    case Kind::kFloat:
      return float_bytes(static_cast<float>(saturated(round_up(value.wide),
                                                      std::numeric_limits<std::int32_t>::min(),
                                                      std::numeric_limits<std::int32_t>::max())));
    case Kind::kDouble:
      return double_bytes(static_cast<double>(saturated(round_up(value.wide), kLeast, kMost)));
    case Kind::kVarint:
      return varint_of(value.big.unscaled);
    case Kind::kDecimal: {
      const auto made = with_scale(value.big, 0, Rounding::kHalfUp);
      if (!made) return std::unexpected(made.error());
      return decimal_of(*made);
    }
    default:
      return whole_bytes(kind, value.whole);
  }
}

struct Curve {
  double (*wide)(double);
  Calculated<Big> (*big)(const Big&, std::int64_t);
  std::string_view at_zero;  // what is told of zero and less; empty: nothing
};

Calculated<std::string> on_curve(const Curve& curve, Kind kind, const Number& value) {
  switch (kind) {
    case Kind::kFloat:
      return float_bytes(static_cast<float>(curve.wide(value.wide)));
    case Kind::kDouble:
      return double_bytes(curve.wide(value.wide));
    case Kind::kVarint:
    case Kind::kDecimal: {
      if (value.big.unscaled <= 0 && !curve.at_zero.empty())
        return std::unexpected(std::string(curve.at_zero));
      const auto made =
          curve.big(value.big, std::max<std::int64_t>(32, digits(value.big.unscaled)));
      if (!made) return std::unexpected(made.error());
      if (kind == Kind::kDecimal) return decimal_of(*made);
      const auto whole = whole_part(*made);
      if (!whole) return std::unexpected(whole.error());
      return varint_of(*whole);
    }
    case Kind::kBigint:
    case Kind::kCounter:
      return whole_bytes(kind, saturated(curve.wide(static_cast<double>(value.whole)),
                                         std::numeric_limits<std::int64_t>::min(),
                                         std::numeric_limits<std::int64_t>::max()));
    default:
      return whole_bytes(kind, saturated(curve.wide(static_cast<double>(value.whole)),
                                         std::numeric_limits<std::int32_t>::min(),
                                         std::numeric_limits<std::int32_t>::max()));
  }
}

using OfOne = std::function<Calculated<std::string>(Kind, const Number&)>;

Function of_one(std::string name, Kind kind, OfOne calculated) {
  Function function;
  function.name = std::move(name);
  function.arguments = {native_type(kind)};
  function.result = native_type(kind);
  function.scalar = [kind, calculated = std::move(calculated)](std::span<const Part> values,
                                                               const Bindings&) -> Outcome<Made> {
    ASSIGN(const auto value, read_number(kind, values[0]));
    if (!value) return std::nullopt;
    auto made = calculated(kind, *value);
    // Cassandra has no answer to an error here but that of a server that failed.
    if (!made)
      return cql_types::failure(cql_types::ErrorCode::kServer,
                                "java.lang.ArithmeticException: " + made.error());
    return std::move(*made);
  };
  return function;
}

OfOne curve(double (*wide)(double), Calculated<Big> (*big)(const Big&, std::int64_t),
            std::string_view at_zero) {
  return [=](Kind kind, const Number& value) {
    return on_curve({wide, big, at_zero}, kind, value);
  };
}

}  // namespace

void add_arithmetic(NativeFunctions& functions) {
  for (const Kind left : kNumbers) {
    for (const Kind right : kNumbers)
      for (const char symbol : std::string_view("+-*/%"))
        functions.add(numeric_operation(symbol, left, right));
    auto negation = of_one(std::string(kNegation), left, negated);
    negation.style = Function::Style::kNegation;
    functions.add(std::move(negation));
    functions.add(of_one("abs", left, absolute));
    functions.add(of_one("exp", left, curve(std::exp, exponential, "")));
    functions.add(
        of_one("log", left, curve(std::log, logarithm, "Natural log of number zero or less")));
    functions.add(
        of_one("log10", left, curve(std::log10, logarithm10, "Log10 of number zero or less")));
    functions.add(of_one("round", left, round_half_up));
  }
  for (const char symbol : {'+', '-'}) {
    functions.add(temporal_operation(symbol, Kind::kTimestamp));
    functions.add(temporal_operation(symbol, Kind::kDate));
  }
  for (const Kind left : {Kind::kText, Kind::kAscii})
    for (const Kind right : {Kind::kText, Kind::kAscii}) functions.add(concatenation(left, right));
}

}  // namespace tailrace::cql_terms
