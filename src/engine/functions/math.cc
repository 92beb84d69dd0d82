// Numbers: abs, sign, rounding, roots, powers and logarithms. Logarithms of what is not positive
// are null, as in Spark.
#include <cmath>
#include <limits>

#include "engine/functions/decimal_rules.h"
#include "engine/functions/faults.h"
#include "engine/functions/registry.h"

namespace tailrace::engine {
namespace {

using Int = std::int32_t;

Kernel of_double(double (*f)(double)) {
  return [f](Call& call) {
    return map_rows<double>(call, [f](auto, double value) { return f(value); });
  };
}

Kernel logarithm(double (*f)(double), double above) {
  return [=](Call& call) {
    return map_rows<double>(call, [=](auto, double value) -> std::optional<double> {
      return value <= above ? std::nullopt : std::optional(f(value));
    });
  };
}

Result<Array> absolute(Call& call) {
  return visit_fixed(*call.type(), [&]<typename T>() -> Result<Array> {
    if constexpr (std::is_same_v<T, Decimal128>) {
      return map_rows<T>(call,
                         [](auto, const T& value) { return Decimal128(Decimal128::Abs(value)); });
    } else if constexpr (std::is_floating_point_v<T>) {
      return map_rows<T>(call, [](auto, T value) { return std::fabs(value); });
    } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      return map_rows<T>(call, [&](std::int64_t row, T value) -> std::optional<T> {
        if (value != std::numeric_limits<T>::min())
          return static_cast<T>(value < 0 ? -value : value);
        call.fail(row, faults::overflow(""));
        return std::nullopt;
      });
    } else {
      return error(Code::kInternal, "abs over " + spark_name(*call.type()));
    }
  });
}

/// Half up (or half even) at `digits` decimals, as Java's BigDecimal of the number's shortest text.
double rounded(double value, int digits, bool even) {
  if (!std::isfinite(value) || std::fabs(value) >= 1e15 || digits > 15) return value;
  const long double scale = std::pow(10.0L, digits);
  const long double scaled = static_cast<long double>(value) * scale;
  long double whole = std::floor(std::fabs(scaled));
  const long double rest = std::fabs(scaled) - whole;
  const bool half = std::fabs(rest - 0.5L) < 1e-9L;
  if (rest > 0.5L || half)
    whole += half && even && std::fmod(whole, 2.0L) == 0 ? 0 : (half || rest > 0.5L ? 1 : 0);
  // A BigDecimal has no -0.0.
  return static_cast<double>((value < 0 ? -whole : whole) / scale) + 0.0;
}

std::int64_t rounded(std::int64_t value, int digits, bool even) {
  if (digits >= 0) return value;
  if (digits < -18) return 0;
  std::int64_t unit = 1;
  for (int i = 0; i > digits; --i) unit *= 10;
  const std::int64_t rest = std::abs(value % unit);
  const std::int64_t base = value - value % unit;
  const bool up = rest * 2 > unit || (rest * 2 == unit && (!even || base / unit % 2 != 0));
  return up ? base + (value < 0 ? -unit : unit) : base;
}

/// What is dropped is rounded half up or half even; `digits` may be below 0. No value: it
/// overflows.
std::optional<Decimal128> rounded(const Decimal128& value, int scale, int digits, bool even,
                                  DecimalShape to) {
  const int drop = scale - digits;
  if (drop <= 0) return rescale(value, scale, to);
  if (drop > 38) return Decimal128(0);
  const Decimal128 unit = Decimal128::GetScaleMultiplier(drop);
  const auto parts = value.Divide(unit);
  if (!parts.ok()) return std::nullopt;
  auto [whole, rest] = *parts;
  rest = Decimal128(Decimal128::Abs(rest));
  const Decimal128 missing = unit - rest;
  const bool odd = whole.low_bits() % 2 != 0;
  if (rest > missing || (rest == missing && (!even || odd))) whole += value < 0 ? -1 : 1;
  return rescale(whole, digits, to);
}

int constant_digits(const BindCall& call) {
  const arrow::Scalar* scalar = call.constant(1);
  return scalar && scalar->is_valid && is_integral(*scalar->type) ? std::stoi(scalar->ToString())
                                                                  : 0;
}

Result<BoundFunction> bind_round(const BindCall& call) {
  if (call.args.empty() || call.args.size() > 2) return wrong_count(call, "[1, 2]");
  auto type = implicit_cast(call.args[0], "number");
  if (!type) return wrong_argument(call, 0, "NUMERIC");
  BoundFunction bound{{*type}, *type};
  if (call.args.size() == 2) bound.args.push_back(arrow::int32());
  if (is_decimal_type(**type)) {
    const DecimalShape from = decimal_of(**type);
    const int digits = constant_digits(call);
    const int scale = std::clamp(digits, 0, from.scale);
    const int whole = std::max(from.precision - from.scale + 1, 1 - std::clamp(digits, -37, 0));
    bound.result = arrow::decimal128(std::min(38, whole + scale), scale);
  }
  return bound;
}

Kernel round(bool even) {
  return [even](Call& call) -> Result<Array> {
    int digits = 0;
    if (call.args.size() == 2) {
      if (call.args[1].array->IsNull(0))
        return from_arrow(arrow::MakeArrayOfNull(call.type(), call.rows));
      digits = Reader<Int>(call.args[1])[0];
    }
    const DecimalShape from = decimal_of(call.args[0].type());
    return visit_fixed(*call.type(), [&]<typename T>() -> Result<Array> {
      if constexpr (std::is_same_v<T, Decimal128>) {
        return map_rows<T>(call, [&](auto, const T& value) {
          return rounded(value, from.scale, digits, even, decimal_of(*call.type()));
        });
      } else if constexpr (std::is_same_v<T, bool> || !std::is_arithmetic_v<T>) {
        return error(Code::kInternal, "round over " + spark_name(*call.type()));
      } else {
        using Wide = std::conditional_t<std::is_floating_point_v<T>, double, std::int64_t>;
        return map_rows<T>(call, [&](auto, T value) {
          return static_cast<T>(rounded(static_cast<Wide>(value), digits, even));
        });
      }
    });
  };
}

Result<BoundFunction> bind_whole(const BindCall& call) {
  if (call.args.size() != 1) return wrong_count(call, "1");
  auto type = implicit_cast(call.args[0], "number");
  if (!type) return wrong_argument(call, 0, "NUMERIC");
  if (!is_decimal_type(**type)) {
    const Type arg = is_integral(**type) ? arrow::int64() : arrow::float64();
    return BoundFunction{{arg}, arrow::int64()};
  }
  const DecimalShape from = decimal_of(**type);
  return BoundFunction{
      {*type}, arrow::decimal128(std::min(38, std::max(1, from.precision - from.scale + 1)), 0)};
}

Kernel whole(bool up) {
  return [up](Call& call) -> Result<Array> {
    const auto& type = call.args[0].type();
    if (is_integral(type)) return call.args[0].array;
    if (!is_decimal_type(type)) {
      return map_rows<double>(call, [up](auto, double value) {
        const double made = up ? std::ceil(value) : std::floor(value);
        if (std::isnan(made)) return std::int64_t{0};
        if (made >= 9.2233720368547758e18) return std::numeric_limits<std::int64_t>::max();
        return made <= -9.2233720368547758e18 ? std::numeric_limits<std::int64_t>::min()
                                              : static_cast<std::int64_t>(made);
      });
    }
    const int scale = decimal_of(type).scale;
    return map_rows<Decimal128>(call, [=](auto, const Decimal128& value) {
      const Decimal128 cut(scale > 0 ? Decimal128(value.ReduceScaleBy(scale, false)) : value);
      const bool exact = Decimal128(cut.IncreaseScaleBy(scale)) == value;
      if (exact || (value < Decimal128(0)) == up) return cut;
      return Decimal128(cut + Decimal128(up ? 1 : -1));
    });
  };
}

Result<Array> power(Call& call) {
  return map_rows<double, double>(call,
                                  [](auto, double base, double by) { return std::pow(base, by); });
}

Result<Array> log_of_base(Call& call) {
  if (call.args.size() == 1) return logarithm(std::log, 0)(call);
  return map_rows<double, double>(call,
                                  [](auto, double base, double value) -> std::optional<double> {
                                    if (base <= 0 || value <= 0) return std::nullopt;
                                    return std::log(value) / std::log(base);
                                  });
}

}  // namespace

void add_math(Functions& out) {
  const Binder real = signature("double -> double");
  auto add = [&](std::string name, std::vector<std::string> aliases, std::string doc,
                 std::string example, std::string result, Binder bind, Kernel run) {
    out.push_back({{name, name + "(x)", std::move(doc), std::move(example), std::move(result)},
                   std::move(aliases),
                   std::move(bind),
                   std::move(run)});
  };
  add("abs", {}, "Without its sign.", "abs(-1.5)", "1.5", signature("number -> $1"), absolute);
  add("sign", {"signum"}, "-1.0, 0.0 or 1.0.", "sign(-3)", "-1.0", real,
      of_double([](double value) { return value > 0 ? 1.0 : (value < 0 ? -1.0 : value); }));
  add("ceil", {"ceiling"}, "The least whole number not below.", "ceil(-0.1)", "0", bind_whole,
      whole(true));
  add("floor", {}, "The greatest whole number not above.", "floor(-0.1)", "-1", bind_whole,
      whole(false));
  add("round", {}, "Half up at the given decimals.", "round(2.5)", "3", bind_round, round(false));
  add("bround", {}, "Half even at the given decimals.", "bround(2.5D)", "2.0", bind_round,
      round(true));
  add("sqrt", {}, "Square root.", "sqrt(4)", "2.0", real, of_double(std::sqrt));
  add("exp", {}, "e to the power.", "exp(0)", "1.0", real, of_double(std::exp));
  add("ln", {}, "Natural logarithm.", "ln(1)", "0.0", real, logarithm(std::log, 0));
  add("log10", {}, "Logarithm to base 10.", "log10(100)", "2.0", real, logarithm(std::log10, 0));
  add("log2", {}, "Logarithm to base 2.", "log2(8)", "3.0", real, logarithm(std::log2, 0));
  add("log", {}, "log(base, x), or natural.", "log(1)", "0.0",
      signature("double, [double] -> double"), log_of_base);
  add("power", {"pow"}, "x to the power y.", "power(2, 3)", "8.0",
      signature("double, double -> double"), power);
}

}  // namespace tailrace::engine
