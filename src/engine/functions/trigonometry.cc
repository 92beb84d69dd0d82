// Trigonometry, hyperbolic functions, roots and constants, over DOUBLE as java.lang.Math gives
// them.
#include <cmath>
#include <numbers>

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
Kernel of_two(double (*f)(double, double)) {
  return [f](Call& call) {
    return map_rows<double, double>(call, [f](auto, double a, double b) { return f(a, b); });
  };
}
Kernel always(double value) {
  return [value](Call& call) -> Result<Array> {
    Sink<double> out(call.type(), call.rows);
    for (std::int64_t row = 0; row < call.rows; ++row) out.set(row, value);
    return out.finish();
  };
}

double inverse_hyperbolic_sine(double x) {
  if (x == -std::numeric_limits<double>::infinity()) return x;
  return std::copysign(std::log(std::fabs(x) + std::sqrt(x * x + 1)), x);
}
double inverse_hyperbolic_tangent(double x) {
  return 0.5 * (std::log1p(x) - std::log1p(-x));
}

Result<Array> factorial(Call& call) {
  return map_rows<Int>(call, [](auto, Int n) -> std::optional<std::int64_t> {
    if (n < 0 || n > 20) return std::nullopt;
    std::int64_t made = 1;
    for (Int i = 2; i <= n; ++i) made *= i;
    return made;
  });
}

Result<Array> log1p(Call& call) {
  return map_rows<double>(call, [](auto, double value) -> std::optional<double> {
    return value <= -1 ? std::nullopt : std::optional(std::log1p(value));
  });
}

/// Equal parts of [low, high): 0 is below, buckets + 1 above. Null for what is no histogram.
std::optional<std::int64_t> bucket(double value, double low, double high, std::int64_t buckets) {
  if (buckets <= 0 || buckets == INT64_MAX || std::isnan(value) || low == high ||
      !std::isfinite(low) || !std::isfinite(high))
    return std::nullopt;
  const bool down = low > high;
  const double under = down ? high : low;
  const double over = down ? low : high;
  if (down ? value > over : value < under) return 0;
  if (down ? value <= under : value >= over) return buckets + 1;
  const double distance = down ? low - value : value - low;
  return static_cast<std::int64_t>(static_cast<double>(buckets) * distance / (over - under)) + 1;
}

Result<Array> width_bucket(Call& call) {
  return map_rows<double, double, double, std::int64_t>(
      call, [](auto, double value, double low, double high, std::int64_t buckets) {
        return bucket(value, low, high, buckets);
      });
}

}  // namespace

void add_trigonometry(Functions& out) {
  const Binder real = signature("double -> double");
  const Binder pair = signature("double, double -> double");
  const Binder none = [](const BindCall& call) -> Result<BoundFunction> {
    if (!call.args.empty()) return wrong_count(call, "0");
    return BoundFunction{{}, arrow::float64()};
  };
  const auto add = [&](std::string name, std::string usage, std::string doc, std::string example,
                       std::string result, Binder bind, Kernel run) {
    out.push_back(
        {{std::move(name), std::move(usage), std::move(doc), std::move(example), std::move(result)},
         {},
         std::move(bind),
         std::move(run)});
  };
  add("sin", "sin(x)", "Sine.", "sin(0)", "0.0", real, of_double(std::sin));
  add("cos", "cos(x)", "Cosine.", "cos(0)", "1.0", real, of_double(std::cos));
  add("tan", "tan(x)", "Tangent.", "tan(0)", "0.0", real, of_double(std::tan));
  add("cot", "cot(x)", "Cotangent.", "cot(1)", "0.6420926159343306", real,
      of_double([](double x) { return 1 / std::tan(x); }));
  add("sec", "sec(x)", "1 / cos(x).", "sec(0)", "1.0", real,
      of_double([](double x) { return 1 / std::cos(x); }));
  add("csc", "csc(x)", "1 / sin(x).", "csc(1)", "1.1883951057781212", real,
      of_double([](double x) { return 1 / std::sin(x); }));
  add("asin", "asin(x)", "Arc sine.", "asin(0)", "0.0", real, of_double(std::asin));
  add("acos", "acos(x)", "Arc cosine.", "acos(1)", "0.0", real, of_double(std::acos));
  add("atan", "atan(x)", "Arc tangent.", "atan(0)", "0.0", real, of_double(std::atan));
  add("atan2", "atan2(y, x)", "Angle of the point (x, y).", "atan2(0, 0)", "0.0", pair,
      of_two([](double y, double x) { return std::atan2(y + 0.0, x + 0.0); }));
  add("sinh", "sinh(x)", "Hyperbolic sine.", "sinh(0)", "0.0", real, of_double(std::sinh));
  add("cosh", "cosh(x)", "Hyperbolic cosine.", "cosh(0)", "1.0", real, of_double(std::cosh));
  add("tanh", "tanh(x)", "Hyperbolic tangent.", "tanh(0)", "0.0", real, of_double(std::tanh));
  add("asinh", "asinh(x)", "Inverse hyperbolic sine.", "asinh(0)", "0.0", real,
      of_double(inverse_hyperbolic_sine));
  add("acosh", "acosh(x)", "Inverse hyperbolic cosine.", "acosh(1)", "0.0", real,
      of_double([](double x) { return std::log(x + std::sqrt(x * x - 1)); }));
  add("atanh", "atanh(x)", "Inverse hyperbolic tangent.", "atanh(0)", "0.0", real,
      of_double(inverse_hyperbolic_tangent));
  add("degrees", "degrees(x)", "Radians as degrees.", "degrees(3.141592653589793)", "180.0", real,
      of_double([](double x) { return x * (180.0 / std::numbers::pi); }));
  add("radians", "radians(x)", "Degrees as radians.", "radians(180)", "3.141592653589793", real,
      of_double([](double x) { return x * (std::numbers::pi / 180.0); }));
  add("cbrt", "cbrt(x)", "Cube root.", "cbrt(27)", "3.0", real, of_double([](double x) {
        return static_cast<double>(std::cbrt(static_cast<long double>(x)));
      }));
  add("expm1", "expm1(x)", "exp(x) - 1.", "expm1(0)", "0.0", real, of_double(std::expm1));
  add("log1p", "log1p(x)", "ln(1 + x).", "log1p(0)", "0.0", real, log1p);
  add("rint", "rint(x)", "The nearest whole number, half to even.", "rint(12.5)", "12.0", real,
      of_double(std::nearbyint));
  add("hypot", "hypot(a, b)", "sqrt(a² + b²).", "hypot(3, 4)", "5.0", pair, of_two(std::hypot));
  add("pi", "pi()", "π.", "pi()", "3.141592653589793", none, always(std::numbers::pi));
  add("e", "e()", "Euler's number.", "e()", "2.718281828459045", none, always(std::numbers::e));
  add("factorial", "factorial(n)", "n!, null outside 0 to 20.", "factorial(5)", "120",
      signature("int -> bigint"), factorial);
  add("width_bucket", "width_bucket(x, low, high, n)", "Which of n equal parts x is in.",
      "width_bucket(5.3, 0.2, 10.6, 5)", "3", signature("double, double, double, bigint -> bigint"),
      width_bucket);
}

}  // namespace tailrace::engine
