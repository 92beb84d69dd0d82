// Dates, timestamps and intervals under + - * /.
#include "engine/functions/date_arithmetic.h"

#include <arrow/scalar.h>

#include <cmath>

#include "engine/functions/calendar.h"
#include "engine/functions/faults.h"

namespace tailrace::engine {
namespace {

using Id = arrow::Type::type;

bool is_temporal_type(const arrow::DataType& type) {
  return type.id() == Id::DATE32 || type.id() == Id::TIMESTAMP || type.id() == Id::DURATION ||
         type.id() == Id::INTERVAL_MONTHS;
}
bool is_interval_type(const arrow::DataType& type) {
  return type.id() == Id::DURATION || type.id() == Id::INTERVAL_MONTHS;
}
Type interval() {
  return arrow::duration(arrow::TimeUnit::MICRO);
}

bool whole_days(const arrow::Scalar* scalar) {
  if (!scalar || !scalar->is_valid || scalar->type->id() != Id::DURATION) return false;
  return static_cast<const arrow::DurationScalar*>(scalar)->value % kMicrosPerDay == 0;
}

/// A date moved by an interval stays a date when the interval is whole days or months, as INTERVAL
/// DAY and MONTH do.
Result<BoundFunction> bind_moved(const BindCall& call, std::size_t moved) {
  Type from = call.args[moved];
  const Type& by = call.args[1 - moved];
  if (is_string_type(*from)) from = timestamp_type();
  Type result = from;
  if (from->id() == Id::DATE32 && by->id() == Id::DURATION &&
      !whole_days(call.constant(1 - moved))) {
    result = from = timestamp_type();
  }
  if (from->id() != Id::DATE32 && from->id() != Id::TIMESTAMP)
    return wrong_argument(call, moved, "TIMESTAMP");
  BoundFunction bound{{from, from}, result};
  bound.args[1 - moved] = by;
  return bound;
}

Result<BoundFunction> bind_pair(const BindCall& call, char op) {
  const Type& left = call.args[0];
  const Type& right = call.args[1];
  if (is_interval_type(*left) && left->Equals(*right) && (op == '+' || op == '-'))
    return BoundFunction{{left, right}, left};
  if (left->id() == Id::DURATION && (op == '*' || op == '/')) {
    return BoundFunction{{left, arrow::float64()}, left};
  }
  if (right->id() == Id::DURATION && op == '*')
    return BoundFunction{{arrow::float64(), right}, right};
  if (op != '+' && op != '-') return wrong_argument(call, 0, "NUMERIC");
  if (is_interval_type(*right)) return bind_moved(call, 0);
  if (is_interval_type(*left) && op == '+') return bind_moved(call, 1);
  const bool by_days = left->id() == Id::DATE32 && (is_integral(*right) || is_void(*right));
  if (by_days) return BoundFunction{{left, arrow::int32()}, left};
  if (op == '+' && right->id() == Id::DATE32 && is_integral(*left))
    return BoundFunction{{arrow::int32(), right}, right};
  if (op != '-') return wrong_argument(call, 1, "INTERVAL");
  const bool dates = left->id() == Id::DATE32 && right->id() == Id::DATE32;
  const Type common = dates ? left : timestamp_type();
  return BoundFunction{{common, common}, interval()};
}

std::optional<std::int64_t> moved_value(const arrow::DataType& type, std::int64_t value,
                                        const arrow::DataType& by_type, std::int64_t by) {
  const bool is_date = type.id() == Id::DATE32;
  if (by_type.id() == Id::INTERVAL_MONTHS) {
    if (is_date) return add_months_to(static_cast<std::int32_t>(value), by);
    const std::int32_t day = day_of_micros(value);
    return add_months_to(day, by) * kMicrosPerDay + floor_mod(value, kMicrosPerDay);
  }
  if (is_date && by_type.id() == Id::DURATION) by /= kMicrosPerDay;
  std::int64_t out;
  if (__builtin_add_overflow(value, by, &out)) return std::nullopt;
  return out;
}

/// Integer values of either width.
class Wide {
 public:
  explicit Wide(const Value& value)
      : nulls(value), value_(value), narrow_(value.type().bit_width() == 32) {}
  std::int64_t operator[](std::int64_t row) const {
    const std::int64_t at = value_.at(row);
    return narrow_ ? value_.array->data()->GetValues<std::int32_t>(1)[at]
                   : value_.array->data()->GetValues<std::int64_t>(1)[at];
  }
  Nulls nulls;

 private:
  const Value& value_;
  bool narrow_;
};

template <typename T, typename F>
Result<Array> write(Call& call, const Nulls& left, const Nulls& right, bool quiet, F value_of) {
  Sink<T> out(call.type(), call.rows);
  for (std::int64_t row = 0; row < call.rows; ++row) {
    std::optional<std::int64_t> made;
    if (!left[row] && !right[row]) {
      made = value_of(row);
      if (!made && !quiet) call.fail(row, faults::overflow("try_add"));
    }
    made ? out.set(row, static_cast<T>(*made)) : out.null(row);
  }
  return out.finish();
}

template <typename F>
Result<Array> write_typed(Call& call, const Nulls& left, const Nulls& right, bool quiet,
                          F value_of) {
  if (call.type()->bit_width() == 32)
    return write<std::int32_t>(call, left, right, quiet, value_of);
  return write<std::int64_t>(call, left, right, quiet, value_of);
}

Result<Array> scale_interval(Call& call, char op, bool quiet) {
  const std::size_t side = call.args[0].type().id() == Id::DURATION ? 0 : 1;
  const Reader<std::int64_t> micros(call.args[side]);
  const Reader<double> by(call.args[1 - side]);
  return write_typed(
      call, micros.nulls, by.nulls, quiet, [&](std::int64_t row) -> std::optional<std::int64_t> {
        const double made =
            op == '*' ? static_cast<double>(micros[row]) * by[row] : micros[row] / by[row];
        if (!std::isfinite(made) || std::fabs(made) >= 9.2e18) return std::nullopt;
        return static_cast<std::int64_t>(std::llround(made));
      });
}

}  // namespace

std::optional<Result<BoundFunction>> bind_date_arithmetic(const BindCall& call, char op) {
  if (call.args.size() != 2 ||
      (!is_temporal_type(*call.args[0]) && !is_temporal_type(*call.args[1])))
    return std::nullopt;
  return bind_pair(call, op);
}

bool is_date_arithmetic(const Call& call) {
  return is_temporal_type(call.args[0].type()) || is_temporal_type(call.args[1].type());
}

Result<Array> date_arithmetic(Call& call, char op, bool quiet) {
  if (op == '*' || op == '/') return scale_interval(call, op, quiet);
  const Wide left(call.args[0]);
  const Wide right(call.args[1]);
  const auto& left_type = call.args[0].type();
  const auto& right_type = call.args[1].type();
  const bool difference =
      op == '-' && call.type()->id() == Id::DURATION && left_type.id() != Id::DURATION;
  const bool swapped = is_interval_type(left_type) && !is_interval_type(right_type);
  return write_typed(
      call, left.nulls, right.nulls, quiet, [&](std::int64_t row) -> std::optional<std::int64_t> {
        if (difference)
          return (left[row] - right[row]) * (left_type.id() == Id::DATE32 ? kMicrosPerDay : 1);
        if (swapped || (right_type.id() == Id::DATE32 && op == '+')) {
          return moved_value(right_type, right[row], left_type, left[row]);
        }
        if (is_interval_type(left_type)) return left[row] + (op == '-' ? -right[row] : right[row]);
        return moved_value(left_type, left[row], right_type, op == '-' ? -right[row] : right[row]);
      });
}

}  // namespace tailrace::engine
