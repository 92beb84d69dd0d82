// Spark's error sentences (its error-conditions.json), for row errors.
#pragma once

#include <string>
#include <string_view>

namespace tailrace::engine::faults {

inline constexpr std::string_view kAnsi =
    " If necessary set \"spark.sql.ansi.enabled\" to \"false\" to bypass this error.";

inline std::string divide_by_zero() {
  return "[DIVIDE_BY_ZERO] Division by zero. Use `try_divide` to tolerate divisor being 0 and "
         "return NULL instead." +
         std::string(kAnsi);
}
inline std::string remainder_by_zero() {
  return "[REMAINDER_BY_ZERO] Remainder by zero. Use `try_mod` to tolerate divisor being 0 and "
         "return NULL instead." +
         std::string(kAnsi);
}
/// `use` is the tolerant function ("try_add"), or empty.
inline std::string overflow(std::string_view use) {
  std::string what = "[ARITHMETIC_OVERFLOW] overflow.";
  if (!use.empty())
    what += " Use '" + std::string(use) + "' to tolerate overflow and return NULL instead.";
  return what + std::string(kAnsi);
}
inline std::string malformed(std::string_view value, std::string_view from, std::string_view to) {
  return "[CAST_INVALID_INPUT] The value '" + std::string(value) + "' of the type \"" +
         std::string(from) + "\" cannot be cast to \"" + std::string(to) +
         "\" because it is malformed. Correct the value as per the syntax, or change its target "
         "type. Use `try_cast` "
         "to tolerate malformed input and return NULL instead.";
}
inline std::string cast_overflow(std::string_view value, std::string_view from,
                                 std::string_view to) {
  return "[CAST_OVERFLOW] The value " + std::string(value) + " of the type \"" + std::string(from) +
         "\" cannot be cast to \"" + std::string(to) +
         "\" due to an overflow. Use `try_cast` to tolerate overflow and return NULL instead.";
}
inline std::string decimal_range(std::string_view value, int precision, int scale) {
  return "[NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION]  " + std::string(value) +
         " cannot be represented as Decimal(" + std::to_string(precision) + ", " +
         std::to_string(scale) + ")." +
         " If necessary set \"spark.sql.ansi.enabled\" to \"false\" to bypass this error, and "
         "return NULL instead.";
}

}  // namespace tailrace::engine::faults
