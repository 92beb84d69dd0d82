// Literals: numbers with Spark's types, strings, TRUE/FALSE/NULL, DATE'…', TIMESTAMP'…', X'…',
// INTERVAL ….
#include <arrow/util/decimal.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "sql/parser.h"

namespace tailrace::sql {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t months;
  std::int64_t us;
};
constexpr std::int64_t kSecond = 1'000'000;
constexpr std::array<Unit, 9> kUnits = {{{"year", 12, 0},
                                         {"month", 1, 0},
                                         {"week", 0, 7 * 86400 * kSecond},
                                         {"day", 0, 86400 * kSecond},
                                         {"hour", 0, 3600 * kSecond},
                                         {"minute", 0, 60 * kSecond},
                                         {"second", 0, kSecond},
                                         {"millisecond", 0, 1000},
                                         {"microsecond", 0, 1}}};

const Unit* find_unit(std::string_view word) {
  std::string name = lower(word);
  if (name.size() > 1 && name.back() == 's') name.pop_back();
  for (const auto& unit : kUnits) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

struct Amount {
  std::int64_t months = 0;
  std::int64_t us = 0;
};

// "5", "-5", "1.5": number times unit, added to `amount`; false when it is no number or overflows.
bool add_amount(std::string_view number, const Unit& unit, Amount& amount) {
  const bool negative = number.starts_with('-');
  if (number.starts_with('-') || number.starts_with('+')) number.remove_prefix(1);
  std::int64_t whole = 0;
  const auto read = std::from_chars(number.data(), number.data() + number.size(), whole);
  if (read.ec != std::errc{}) return false;
  std::int64_t fraction_us = 0;
  const std::string_view rest(read.ptr,
                              static_cast<std::size_t>(number.data() + number.size() - read.ptr));
  if (!rest.empty()) {
    if (rest[0] != '.' || unit.name != "second" || rest.size() > 7) return false;
    std::int64_t scale = 100'000;
    for (const char digit : rest.substr(1)) {
      if (digit < '0' || digit > '9') return false;
      fraction_us += (digit - '0') * scale;
      scale /= 10;
    }
  }
  const std::int64_t sign = negative ? -1 : 1;
  std::int64_t months = 0, us = 0;
  if (__builtin_mul_overflow(whole, unit.months * sign, &months) ||
      __builtin_mul_overflow(whole, unit.us * sign, &us))
    return false;
  return !__builtin_add_overflow(amount.months, months, &amount.months) &&
         !__builtin_add_overflow(amount.us, us + sign * fraction_us, &amount.us);
}

// The words of '1 day 2 hours'.
bool add_phrase(std::string_view phrase, Amount& amount) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < phrase.size();) {
    const std::size_t from = phrase.find_first_not_of(" \t\n", at);
    if (from == std::string_view::npos) break;
    const std::size_t to = std::min(phrase.find_first_of(" \t\n", from), phrase.size());
    words.emplace_back(phrase.substr(from, to - from));
    at = to;
  }
  if (!words.empty() && lower(words[0]) == "interval") words.erase(words.begin());
  if (words.empty() || words.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < words.size(); i += 2) {
    const Unit* unit = find_unit(words[i + 1]);
    if (!unit || !add_amount(words[i], *unit, amount)) return false;
  }
  return true;
}

// "1C7" is 01 C7.
std::optional<std::string> bytes_of_hex(std::string_view digits) {
  std::string out;
  bool high = digits.size() % 2 == 0;
  if (!high) out += '\0';
  for (const char c : digits) {
    const int lower_c = c | 0x20;
    const int digit = c >= '0' && c <= '9'               ? c - '0'
                      : lower_c >= 'a' && lower_c <= 'f' ? lower_c - 'a' + 10
                                                         : -1;
    if (digit < 0) return std::nullopt;
    if (high) out += '\0';
    out.back() = static_cast<char>(static_cast<unsigned char>(out.back()) << 4 | digit);
    high = !high;
  }
  return out;
}

}  // namespace

Result<ExpressionPtr> Parser::made_literal(std::size_t start,
                                           std::shared_ptr<arrow::Scalar> value) {
  Expression node;
  node.literal = std::move(value);
  node.span = since(start);
  return made(std::move(node));
}

Result<ExpressionPtr> Parser::literal(bool& taken) {
  const Token token = peek();
  const std::size_t start = begin();
  taken = true;
  if (token.kind == Token::Kind::kInteger || token.kind == Token::Kind::kNumber) {
    ++at_;
    return number(token, false);
  }
  if (token.kind == Token::Kind::kString) {
    ASSIGN(auto text, need_string("a string"));
    return made_literal(start, std::make_shared<arrow::StringScalar>(std::move(text)));
  }
  if (is_word("TRUE") || is_word("FALSE")) {
    ++at_;
    return made_literal(start, std::make_shared<arrow::BooleanScalar>(token.is_word("TRUE")));
  }
  if (is_word("NULL")) {
    ++at_;
    return made_literal(start, std::make_shared<arrow::NullScalar>());
  }
  if (peek(1).kind == Token::Kind::kString &&
      (is_word("DATE") || is_word("TIMESTAMP") || is_word("TIMESTAMP_NTZ"))) {
    ++at_;
    const std::size_t text_at = begin();
    ASSIGN(auto text, need_string("a string"));
    ASSIGN(auto inner,
           made_literal(text_at, std::make_shared<arrow::StringScalar>(std::move(text))));
    Expression node;
    node.kind = Expression::Kind::kCast;
    node.type = token.is_word("DATE")        ? arrow::date32()
                : token.is_word("TIMESTAMP") ? timestamp_type()
                                             : arrow::timestamp(arrow::TimeUnit::MICRO);
    node.args = {std::move(inner)};
    node.span = since(start);
    return made(std::move(node));
  }
  if (is_word("X") && peek(1).kind == Token::Kind::kString &&
      peek(1).span.begin == token.span.end) {
    ++at_;
    ASSIGN(const auto digits, need_string("hexadecimal digits"));
    auto bytes = bytes_of_hex(digits);
    if (!bytes)
      return fail_at(start,
                     "[INVALID_TYPED_LITERAL] The value of the typed literal \"X\" is "
                     "invalid: '" +
                         digits + "'.");
    return made_literal(start, std::make_shared<arrow::BinaryScalar>(std::move(*bytes)));
  }
  if (is_word("INTERVAL") && !is_symbol(".", 1) && !is_symbol(",", 1) && !is_symbol(")", 1))
    return interval();
  taken = false;
  return ExpressionPtr{};
}

Result<ExpressionPtr> Parser::number(const Token& token, bool negative) {
  const std::size_t start = token.span.begin - (negative ? 1 : 0);
  const std::string text = (negative ? "-" : "") + token.text;
  const auto range = [&](std::string_view type) {
    return fail_at(start, "[INVALID_NUMERIC_LITERAL_RANGE] Numeric literal " + text +
                              " is outside the valid range for " + std::string(type) + ".");
  };
  const bool decimal_suffix = token.suffix == "BD";
  if (token.suffix == "F")
    return made_literal(start,
                        std::make_shared<arrow::FloatScalar>(std::strtof(text.c_str(), nullptr)));
  if (token.suffix == "D" || (token.exponent && !decimal_suffix)) {
    return made_literal(start,
                        std::make_shared<arrow::DoubleScalar>(std::strtod(text.c_str(), nullptr)));
  }
  if (token.kind == Token::Kind::kInteger && !decimal_suffix) {
    std::int64_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool fits = read.ec == std::errc{};
    if (token.suffix == "L")
      return fits ? made_literal(start, std::make_shared<arrow::Int64Scalar>(value))
                  : range("bigint");
    if (token.suffix == "S") {
      if (!fits || value != static_cast<std::int16_t>(value)) return range("smallint");
      return made_literal(start,
                          std::make_shared<arrow::Int16Scalar>(static_cast<std::int16_t>(value)));
    }
    if (token.suffix == "Y") {
      if (!fits || value != static_cast<std::int8_t>(value)) return range("tinyint");
      return made_literal(start,
                          std::make_shared<arrow::Int8Scalar>(static_cast<std::int8_t>(value)));
    }
    if (fits && value == static_cast<std::int32_t>(value)) {
      return made_literal(start,
                          std::make_shared<arrow::Int32Scalar>(static_cast<std::int32_t>(value)));
    }
    if (fits) return made_literal(start, std::make_shared<arrow::Int64Scalar>(value));
  } else if (!token.suffix.empty() && !decimal_suffix) {
    return expected("a suffix that fits a number with a point (D, F or BD)");
  }
  arrow::Decimal128 decimal;
  std::int32_t precision = 0, scale = 0;
  if (!arrow::Decimal128::FromString(text, &decimal, &precision, &scale).ok())
    return range("decimal");
  if (scale < 0) {
    decimal = decimal.IncreaseScaleBy(-scale);
    precision -= scale;
    scale = 0;
  }
  // Java's precision counts no leading zeros; Spark takes at least the scale.
  const std::string digits = decimal.ToIntegerString();
  precision = std::max(
      {1, scale, static_cast<std::int32_t>(digits.size()) - (digits.starts_with('-') ? 1 : 0)});
  if (precision > 38) return range("decimal(38)");
  return made_literal(start, std::make_shared<arrow::Decimal128Scalar>(
                                 decimal, arrow::decimal128(precision, scale)));
}

// INTERVAL 5 SECONDS · INTERVAL '5' SECOND · INTERVAL '5 seconds' · INTERVAL 1 DAY 2 HOURS.
// Days to microseconds are a duration; years and months the call interval_months(n), which the
// binder takes beside + and -.
Result<ExpressionPtr> Parser::interval() {
  const std::size_t start = begin();
  ++at_;
  Amount amount;
  bool any = false;
  while (true) {
    const std::size_t mark = at_;
    const bool minus = take_symbol("-");
    const Token token = peek();
    const bool number =
        (token.kind == Token::Kind::kInteger || token.kind == Token::Kind::kNumber) &&
        token.suffix.empty();
    if (!number && token.kind != Token::Kind::kString) {
      at_ = mark;
      break;
    }
    ++at_;
    if (const Unit* unit = peek().kind == Token::Kind::kWord ? find_unit(peek().text) : nullptr) {
      if (is_word("TO", 1)) return unsupported(begin(), "INTERVAL … TO …");
      ++at_;
      if (!add_amount((minus ? "-" : "") + token.text, *unit, amount))
        return fail_at(token.span.begin,
                       "[INVALID_INTERVAL_FORMAT] Error parsing '" + token.text + "' to interval.");
    } else if (token.kind == Token::Kind::kString) {
      if (!add_phrase(token.text, amount))
        return fail_at(token.span.begin,
                       "[INVALID_INTERVAL_FORMAT] Error parsing '" + token.text + "' to interval.");
      if (minus) amount = {-amount.months, -amount.us};
    } else {
      return expected("a unit of time");
    }
    any = true;
  }
  if (!any) return expected("an amount of time");
  if (amount.months != 0 && amount.us != 0)
    return unsupported(start, "an interval of both months and days");
  if (amount.months == 0) {
    return made_literal(start, std::make_shared<arrow::DurationScalar>(
                                   amount.us, arrow::duration(arrow::TimeUnit::MICRO)));
  }
  if (std::abs(amount.months) > std::numeric_limits<std::int32_t>::max())
    return fail_at(start, "The interval is too long.");
  ASSIGN(auto months, made_literal(start, std::make_shared<arrow::Int32Scalar>(
                                              static_cast<std::int32_t>(amount.months))));
  return call(start, "interval_months", {std::move(months)});
}

Result<std::int64_t> Parser::interval_us(Span& span) {
  const std::size_t start = begin();
  if (!is_word("INTERVAL")) return expected("INTERVAL");
  if (peek(1).kind == Token::Kind::kString && !find_unit(peek(2).text)) {
    return fail_at(begin(), "Syntax error: the delay is written INTERVAL n SECONDS.");
  }
  ASSIGN(auto value, interval());
  span = since(start);
  if (!value->literal) return fail_at(start, "The delay of a watermark cannot be in months.");
  return static_cast<const arrow::DurationScalar&>(*value->literal).value;
}

}  // namespace tailrace::sql
