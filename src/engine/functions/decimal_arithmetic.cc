// Decimal + - * / % div pmod.
#include "engine/functions/decimal_arithmetic.h"

#include "engine/functions/decimal_rules.h"
#include "engine/functions/faults.h"

namespace tailrace::engine {

using arrow::Decimal256;

Decimal128 narrow(const Decimal256& wide) {
  const auto words = wide.little_endian_array();
  return Decimal128(static_cast<std::int64_t>(words[1]), words[0]);
}

namespace {

struct Shapes {
  DecimalShape left, right, result;
};

Decimal256 scale_to(const Decimal256& value, int from, int to) {
  return to >= from ? value.IncreaseScaleBy(to - from) : value.ReduceScaleBy(from - to, true);
}

/// left / right half up at the result's scale.
Decimal256 divide(const Decimal256& left, const Decimal256& right, const Shapes& shapes) {
  const Decimal256 scaled =
      left.IncreaseScaleBy(shapes.result.scale + shapes.right.scale - shapes.left.scale);
  const auto parts = *scaled.Divide(right);
  Decimal256 rest = Decimal256::Abs(parts.second);
  if (rest + rest < Decimal256::Abs(right)) return parts.first;
  const bool negative = (left < Decimal256(0)) != (right < Decimal256(0));
  return parts.first + Decimal256(negative ? -1 : 1);
}

Decimal256 remainder(const Decimal256& left, const Decimal256& right, const Shapes& shapes,
                     bool positive) {
  const int scale = std::max(shapes.left.scale, shapes.right.scale);
  const Decimal256 divisor = scale_to(right, shapes.right.scale, scale);
  Decimal256 rest = scale_to(left, shapes.left.scale, scale).Divide(divisor)->second;
  if (positive && rest < Decimal256(0)) rest = Decimal256(rest + divisor).Divide(divisor)->second;
  return scale_to(rest, scale, shapes.result.scale);
}

Decimal256 compute(char op, const Decimal256& left, const Decimal256& right, const Shapes& shapes) {
  if (op == '*')
    return scale_to(left * right, shapes.left.scale + shapes.right.scale, shapes.result.scale);
  if (op == '/') return divide(left, right, shapes);
  if (op == '%' || op == 'p') return remainder(left, right, shapes, op == 'p');
  const int scale = std::max(shapes.left.scale, shapes.right.scale);
  const Decimal256 l = scale_to(left, shapes.left.scale, scale);
  const Decimal256 r = scale_to(right, shapes.right.scale, scale);
  return scale_to(Decimal256(l + (op == '+' ? r : Decimal256(-r))), scale, shapes.result.scale);
}

Result<Array> whole_quotients(Call& call, bool quiet) {
  const int left_scale = decimal_of(call.args[0].type()).scale;
  const int right_scale = decimal_of(call.args[1].type()).scale;
  const int scale = std::max(left_scale, right_scale);
  return map_rows<Decimal128, Decimal128>(
      call,
      [&](std::int64_t row, const Decimal128& left,
          const Decimal128& right) -> std::optional<std::int64_t> {
        if (right == Decimal128(0)) {
          if (!quiet) call.fail(row, faults::divide_by_zero());
          return std::nullopt;
        }
        const auto parts = *scale_to(Decimal256(left), left_scale, scale)
                                .Divide(scale_to(Decimal256(right), right_scale, scale));
        auto whole = narrow(parts.first).ToInteger<std::int64_t>();
        if (whole.ok()) return *whole;
        if (!quiet) call.fail(row, faults::overflow(""));
        return std::nullopt;
      });
}

}  // namespace

Result<Array> decimal_arithmetic(Call& call, char op, bool quiet) {
  if (op == 'd') return whole_quotients(call, quiet);
  const Shapes shapes{decimal_of(call.args[0].type()), decimal_of(call.args[1].type()),
                      decimal_of(*call.type())};
  const bool divides = op == '/' || op == '%' || op == 'p';
  return map_rows<Decimal128, Decimal128>(
      call,
      [&](std::int64_t row, const Decimal128& left,
          const Decimal128& right) -> std::optional<Decimal128> {
        if (divides && right == Decimal128(0)) {
          if (!quiet)
            call.fail(row, op == '/' ? faults::divide_by_zero() : faults::remainder_by_zero());
          return std::nullopt;
        }
        const Decimal256 made = compute(op, Decimal256(left), Decimal256(right), shapes);
        if (made.FitsInPrecision(shapes.result.precision)) return narrow(made);
        if (!quiet) {
          call.fail(row, faults::decimal_range(made.ToString(shapes.result.scale),
                                               shapes.result.precision, shapes.result.scale));
        }
        return std::nullopt;
      });
}

}  // namespace tailrace::engine
