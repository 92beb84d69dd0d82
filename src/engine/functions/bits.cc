// Bits of whole numbers: & | ^ ~, shifts, bit_count and bit_get.
#include <bit>

#include "engine/functions/registry.h"

namespace tailrace::engine {
namespace {

using Int = std::int32_t;

Result<BoundFunction> bind_pair(const BindCall& call) {
  if (call.args.size() != 2) return wrong_count(call, "2");
  for (std::size_t i : {0, 1}) {
    const auto& type = *call.args[i];
    if (!is_integral(type) && !is_string_type(type) && !is_void(type))
      return wrong_argument(call, i, "INTEGRAL");
  }
  Type common = common_type_of(call.args[0], call.args[1]);
  if (is_string_type(*common) || is_void(*common)) common = arrow::int64();
  return BoundFunction{{common, common}, common};
}

template <typename F>
Kernel bitwise(F f) {
  return [f](Call& call) -> Result<Array> {
    return visit_fixed(*call.type(), [&]<typename T>() -> Result<Array> {
      if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
        return map_rows<T, T>(call, [f](auto, T a, T b) { return static_cast<T>(f(a, b)); });
      } else {
        return error(Code::kInternal, "bits of " + spark_name(*call.type()));
      }
    });
  };
}

Result<Array> complement(Call& call) {
  return visit_fixed(*call.type(), [&]<typename T>() -> Result<Array> {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      return map_rows<T>(call, [](auto, T value) { return static_cast<T>(~value); });
    } else {
      return error(Code::kInternal, "bits of " + spark_name(*call.type()));
    }
  });
}

/// INT stays INT, BIGINT BIGINT; smaller ones become INT.
Result<BoundFunction> bind_shift(const BindCall& call) {
  if (call.args.size() != 2) return wrong_count(call, "2");
  const bool wide = call.args[0]->id() == arrow::Type::INT64;
  if (!wide && !implicit_cast(call.args[0], "int")) return wrong_argument(call, 0, "INT");
  if (!implicit_cast(call.args[1], "int")) return wrong_argument(call, 1, "INT");
  const Type type = wide ? arrow::int64() : arrow::int32();
  return BoundFunction{{type, arrow::int32()}, type};
}

/// As Java: only the low bits of the distance count.
template <typename F>
Kernel shift(F f) {
  return [f](Call& call) -> Result<Array> {
    if (call.type()->id() == arrow::Type::INT64) {
      return map_rows<std::int64_t, Int>(
          call, [f](auto, std::int64_t value, Int by) { return f(value, by & 63); });
    }
    return map_rows<Int, Int>(call, [f](auto, Int value, Int by) { return f(value, by & 31); });
  };
}

template <typename T>
using Unsigned = std::make_unsigned_t<T>;

Result<Array> bit_count(Call& call) {
  if (call.args[0].type().id() == arrow::Type::BOOL)
    return map_rows<bool>(call, [](auto, bool value) { return Int{value}; });
  return map_rows<std::int64_t>(call, [](auto, std::int64_t value) {
    return static_cast<Int>(std::popcount(static_cast<std::uint64_t>(value)));
  });
}

Result<BoundFunction> bind_get(const BindCall& call) {
  if (call.args.size() != 2) return wrong_count(call, "2");
  if (!is_integral(*call.args[0]) && !is_void(*call.args[0]))
    return wrong_argument(call, 0, "INTEGRAL");
  if (!implicit_cast(call.args[1], "int")) return wrong_argument(call, 1, "INT");
  const Type type = is_void(*call.args[0]) ? arrow::int64() : call.args[0];
  return BoundFunction{{type, arrow::int32()}, arrow::int8()};
}

Result<Array> bit_get(Call& call) {
  const int width = call.args[0].type().bit_width();
  return visit_fixed(call.args[0].type(), [&]<typename T>() -> Result<Array> {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      return map_rows<T, Int>(
          call, [&](std::int64_t row, T value, Int at) -> std::optional<std::int8_t> {
            if (at >= 0 && at < width)
              return static_cast<std::int8_t>((std::int64_t{value} >> at) & 1);
            call.fail(row,
                      "[INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE] The value of parameter(s) "
                      "`pos` in `" +
                          call.expr.name +
                          "` is invalid: expects an integer value "
                          "in [0, " +
                          std::to_string(width) + "), but got " + std::to_string(at) + ".");
            return std::nullopt;
          });
    } else {
      return error(Code::kInternal, "bits of " + spark_name(call.args[0].type()));
    }
  });
}

}  // namespace

void add_bits(Functions& out) {
  const auto add = [&](std::string name, std::vector<std::string> aliases, std::string usage,
                       std::string doc, std::string example, std::string result, Binder bind,
                       Kernel run) {
    out.push_back(
        {{std::move(name), std::move(usage), std::move(doc), std::move(example), std::move(result)},
         std::move(aliases),
         std::move(bind),
         std::move(run)});
  };
  add("&", {}, "a & b", "Bits of both.", "3 & 5", "1", bind_pair,
      bitwise([](auto a, auto b) { return a & b; }));
  add("|", {}, "a | b", "Bits of either.", "3 | 5", "7", bind_pair,
      bitwise([](auto a, auto b) { return a | b; }));
  add("^", {}, "a ^ b", "Bits of one only.", "3 ^ 5", "6", bind_pair,
      bitwise([](auto a, auto b) { return a ^ b; }));
  add("~", {}, "~a", "The other bits.", "~0", "-1", signature("integral -> $1"), complement);
  add("shiftleft", {"<<"}, "shiftleft(a, n)", "a << n.", "shiftleft(2, 1)", "4", bind_shift,
      shift([]<typename T>(T value, int by) {
        return static_cast<T>(static_cast<Unsigned<T>>(value) << by);
      }));
  add("shiftright", {">>"}, "shiftright(a, n)", "a >> n, keeping the sign.", "shiftright(-4, 1)",
      "-2", bind_shift,
      shift([]<typename T>(T value, int by) { return static_cast<T>(value >> by); }));
  add("shiftrightunsigned", {">>>"}, "shiftrightunsigned(a, n)", "a >>> n, filling with 0.",
      "shiftrightunsigned(-4, 1)", "2147483646", bind_shift, shift([]<typename T>(T value, int by) {
        return static_cast<T>(static_cast<Unsigned<T>>(value) >> by);
      }));
  add("bit_count", {}, "bit_count(a)", "How many bits are set.", "bit_count(7)", "3",
      signature("bigint -> int; boolean -> int"), bit_count);
  add("bit_get", {"getbit"}, "bit_get(a, n)", "Bit n, from the right.", "bit_get(11, 2)", "0",
      bind_get, bit_get);
}

}  // namespace tailrace::engine
