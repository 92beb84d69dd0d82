// Filters that give numbers, or write them.
#include <cmath>

#include "jinja/filters.h"
#include "jinja/texts.h"
#include "jinja/times.h"

namespace tailrace::jinja {
namespace {

Result<std::vector<Value>> given(const Call& call, std::string_view name,
                                 std::initializer_list<Parameter> parameters) {
  return bind(name, call.arguments, call.named, parameters);
}

Result<Value> absolute(const Call& call) {
  if (const auto whole = call.value.index()) return *whole < 0 ? negate(call.value) : Value(*whole);
  if (const double* real = call.value.real()) return Value(std::abs(*real));
  if (const auto* delta = call.value.delta()) return Value(TimeDelta{std::abs(delta->micros)});
  return type_error("bad operand type for abs(): '" + call.value.type_name() + "'");
}

/// A failure that Python's `except (TypeError, ValueError, OverflowError)` takes.
bool is_conversion_failure(const Error& error) {
  const std::string_view kind = exception_class(error);
  return kind == "TypeError" || kind == "ValueError" ||
         (kind == "OverflowError" && error.code != Code::kOutOfRange);
}

Result<Value> int_filter(const Call& call) {
  ASSIGN(const auto with, given(call, "do_int", {{"default", 0}, {"base", 10}}));
  const auto base = with[1].index();
  if (!base)
    return type_error("'" + with[1].type_name() + "' object cannot be interpreted as an integer");
  auto made = to_int(call.value, *base);
  if (made || !is_conversion_failure(made.error())) return made;
  auto real = to_float(call.value);
  if (!real) return is_conversion_failure(real.error()) ? with[0] : real;
  auto whole = to_int(*real);
  if (!whole && is_conversion_failure(whole.error())) return with[0];
  return whole;
}

Result<Value> float_filter(const Call& call) {
  ASSIGN(const auto with, given(call, "do_float", {{"default", 0.0}}));
  auto made = to_float(call.value);
  if (!made && is_conversion_failure(made.error())) return with[0];
  return made;
}

Result<Value> round_filter(const Call& call) {
  ASSIGN(const auto with, given(call, "do_round", {{"precision", 0}, {"method", "common"}}));
  const std::string method = with[1].text();
  if (method != "common" && method != "ceil" && method != "floor")
    return raised("FilterArgumentError", "method must be common, ceil or floor");
  if (method != "common") TRY(defined(call.value));
  const auto digits = with[0].index();
  if (!digits)
    return type_error("'" + with[0].type_name() + "' object cannot be interpreted as an integer");
  const auto number = call.value.number();
  if (!number)
    return type_error("type " + call.value.type_name() + " doesn't define __round__ method");
  if (method == "common") {
    if (const auto whole = call.value.index()) {
      if (*digits >= 0) return Value(*whole);
      if (*digits < -18) return Value(0);
      std::int64_t unit = 1;
      for (std::int64_t i = 0; i < -*digits; ++i) unit *= 10;
      std::int64_t rest = *whole % unit;
      std::int64_t down = *whole - rest;
      if (rest < 0) rest += unit, down -= unit;
      const bool up = rest * 2 > unit || (rest * 2 == unit && down / unit % 2 != 0);
      return Value(down + (up ? unit : 0));
    }
    return Value(
        round_half_even(*number, static_cast<int>(std::clamp<std::int64_t>(*digits, -400, 400))));
  }
  const double unit = std::pow(10.0, static_cast<double>(*digits));
  const double scaled = *number * unit;
  if (!std::isfinite(scaled)) return to_int(Value(scaled));
  return Value((method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / unit);
}

Result<Value> filesizeformat(const Call& call) {
  ASSIGN(const auto with, given(call, "do_filesizeformat", {{"binary", false}}));
  ASSIGN(const Value size, to_float(call.value));
  const double bytes = *size.real();
  const bool binary = with[0].truth();
  const double base = binary ? 1024 : 1000;
  constexpr std::string_view kUnits[] = {"k", "M", "G", "T", "P", "E", "Z", "Y"};
  if (bytes == 1) return Value("1 Byte");
  if (bytes < base) {
    ASSIGN(const Value whole, to_int(size));
    return Value(whole.text() + " Bytes");
  }
  double unit = base;
  std::string shown;
  for (const std::string_view prefix : kUnits) {
    unit *= base;
    ASSIGN(const std::string number, format_value(Value(base * bytes / unit), ".1f"));
    shown = number + " " + (binary ? upper(prefix) + "iB" : std::string(prefix) + "B");
    if (bytes < unit) break;
  }
  return Value(std::move(shown));
}

constexpr NamedFilter kFilters[] = {
    {"abs", absolute},
    {"int", int_filter},
    {"float", float_filter},
    {"round", round_filter},
    {"filesizeformat", filesizeformat},
};

}  // namespace

std::span<const NamedFilter> number_filters() {
  return kFilters;
}

}  // namespace tailrace::jinja
