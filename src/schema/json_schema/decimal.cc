#include "schema/json_schema/decimal.h"

#include <charconv>
#include <cmath>
#include <optional>

namespace tailrace::schema::json_schema {
namespace {

__extension__ using Wide = __int128;
constexpr int kMaxDigits = 37;

/// unscaled · 10^exponent.
struct Decimal {
  Wide unscaled = 0;
  std::int64_t exponent = 0;
};

std::optional<Decimal> decimal_of(const Json& value) {
  std::string text;
  append_json(text, value);
  Decimal made;
  bool negative = false, after_point = false;
  int digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '-') {
      negative = true;
    } else if (text[i] == '.') {
      after_point = true;
    } else if (text[i] == 'E') {
      std::int64_t exponent = 0;
      const char* from = text.data() + i + (text[i + 1] == '+' ? 2 : 1);
      std::from_chars(from, text.data() + text.size(), exponent);
      made.exponent += exponent;
      break;
    } else {
      if (text[i] < '0' || text[i] > '9' || (made.unscaled != 0 && ++digits > kMaxDigits))
        return std::nullopt;
      made.unscaled = made.unscaled * 10 + (text[i] - '0');
      if (after_point) --made.exponent;
    }
  }
  if (negative) made.unscaled = -made.unscaled;
  return made;
}

// As many digits more, if there is room for them.
bool scale_up(Decimal& value, std::int64_t digits) {
  constexpr Wide kRoom = (Wide{1} << 126) / 10;
  for (; digits > 0 && value.unscaled != 0; --digits) {
    if (value.unscaled > kRoom || value.unscaled < -kRoom) return false;
    value.unscaled *= 10;
    --value.exponent;
  }
  return true;
}

}  // namespace

bool is_multiple_of(const Json& value, const Json& divisor) {
  auto one = decimal_of(value);
  auto by = decimal_of(divisor);
  if (one && by) {
    if (by->unscaled == 0) return one->unscaled == 0;
    if (scale_up(*one, one->exponent - by->exponent) && scale_up(*by, by->exponent - one->exponent))
      return one->unscaled % by->unscaled == 0;
  }
  const double rest = std::fmod(value.number(), divisor.number());
  return rest == 0;
}

}  // namespace tailrace::schema::json_schema
