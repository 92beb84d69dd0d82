// Python's arithmetic and comparisons.
#include <algorithm>
#include <cmath>

#include "jinja/python.h"
#include "jinja/relative_delta.h"
#include "jinja/texts.h"
#include "jinja/times.h"

namespace tailrace::jinja {
namespace {

constexpr std::string_view kSigns[] = {"+", "-", "*", "/", "//", "%", "** or pow()"};
constexpr std::string_view kComparisons[] = {"==", "!=", "<", "<=", ">", ">="};

std::unexpected<Error> unsupported(Operator op, const Value& left, const Value& right) {
  return type_error("unsupported operand type(s) for " + std::string(kSigns[static_cast<int>(op)]) +
                    ": '" + left.type_name() + "' and '" + right.type_name() + "'");
}

std::unexpected<Error> too_large() {
  return raised("OverflowError", "an int of more than 64 bits", Code::kOutOfRange);
}

std::unexpected<Error> by_zero(const char* what) {
  return raised("ZeroDivisionError", what);
}

std::int64_t floor_division(std::int64_t left, std::int64_t right) {
  const std::int64_t quotient = left / right;
  return left % right != 0 && (left < 0) != (right < 0) ? quotient - 1 : quotient;
}

std::int64_t modulo(std::int64_t left, std::int64_t right) {
  const std::int64_t rest = left % right;
  return rest != 0 && (rest < 0) != (right < 0) ? rest + right : rest;
}

Result<Value> power(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0) {
    if (base == 0) return by_zero("0.0 cannot be raised to a negative power");
    return Value(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  if (base == 0 || base == 1) return Value(exponent == 0 ? std::int64_t{1} : base);
  if (base == -1) return Value(exponent % 2 == 0 ? std::int64_t{1} : std::int64_t{-1});
  std::int64_t out = 1;
  for (std::int64_t i = 0; i < exponent; ++i)
    if (__builtin_mul_overflow(out, base, &out)) return too_large();
  return Value(out);
}

Result<Value> integers(Operator op, std::int64_t left, std::int64_t right) {
  std::int64_t out = 0;
  bool overflows = false;
  switch (op) {
    case Operator::kAdd:
      overflows = __builtin_add_overflow(left, right, &out);
      break;
    case Operator::kSub:
      overflows = __builtin_sub_overflow(left, right, &out);
      break;
    case Operator::kMul:
      overflows = __builtin_mul_overflow(left, right, &out);
      break;
    case Operator::kDiv:
      if (right == 0) return by_zero("division by zero");
      return Value(static_cast<double>(left) / static_cast<double>(right));
    case Operator::kFloorDiv:
    case Operator::kMod:
      if (right == 0) return by_zero("integer division or modulo by zero");
      if (right == -1) {
        overflows = op == Operator::kFloorDiv && __builtin_sub_overflow(0, left, &out);
      } else {
        out = op == Operator::kMod ? modulo(left, right) : floor_division(left, right);
      }
      break;
    case Operator::kPow:
      return power(left, right);
  }
  if (overflows) return too_large();
  return Value(out);
}

Result<Value> reals(Operator op, double left, double right) {
  switch (op) {
    case Operator::kAdd:
      return Value(left + right);
    case Operator::kSub:
      return Value(left - right);
    case Operator::kMul:
      return Value(left * right);
    case Operator::kDiv:
      if (right == 0) return by_zero("float division by zero");
      return Value(left / right);
    case Operator::kFloorDiv:
    case Operator::kMod: {
      if (right == 0)
        return by_zero(op == Operator::kMod ? "float modulo" : "float floor division by zero");
      double rest = std::fmod(left, right);
      double quotient = (left - rest) / right;
      if (rest != 0 && (rest < 0) != (right < 0)) rest += right, quotient -= 1;
      if (rest == 0) rest = std::copysign(0.0, right);
      if (op == Operator::kMod) return Value(rest);
      const double whole = std::floor(quotient);
      return Value(quotient - whole > 0.5 ? whole + 1 : whole);
    }
    case Operator::kPow: {
      if (left == 0 && right < 0) return by_zero("0.0 cannot be raised to a negative power");
      const double out = std::pow(left, right);
      if (std::isinf(out) && !std::isinf(left) && !std::isinf(right))
        return raised("OverflowError", "(34, 'Numerical result out of range')");
      if (std::isnan(out) && !std::isnan(left) && !std::isnan(right))
        return raised("OverflowError", "a complex number", Code::kUnimplemented);
      return Value(out);
    }
  }
  return unsupported(op, Value(left), Value(right));
}

Result<Value> repeated_text(const Value& value, std::int64_t times) {
  const std::string& text = *value.string();
  TRY(spend_product(times, text.size()));
  std::string out;
  if (!text.empty())
    for (std::int64_t i = 0; i < times; ++i) out += text;
  return value.is_markup() ? Value::markup(std::move(out)) : Value(std::move(out));
}

Result<List> repeated(const List& items, std::int64_t times) {
  List out;
  if (times <= 0 || items.empty()) return out;
  std::int64_t total = 0;
  if (__builtin_mul_overflow(times, static_cast<std::int64_t>(items.size()), &total))
    return too_large();
  TRY(spend_items(static_cast<std::size_t>(total)));
  for (std::int64_t i = 0; i < times; ++i) out.insert(out.end(), items.begin(), items.end());
  return out;
}

Result<Value> sequence_times(const Value& sequence, std::int64_t times) {
  if (sequence.string()) return repeated_text(sequence, times);
  if (sequence.list()) {
    ASSIGN(auto out, repeated(*sequence.list(), times));
    return Value(std::move(out));
  }
  ASSIGN(auto out, repeated(sequence.tuple()->items, times));
  return Value(Tuple{std::move(out)});
}

bool is_sequence(const Value& value) {
  return value.string() || value.list() || value.tuple();
}

Result<Value> concatenated(const Value& left, const Value& right) {
  if (left.is_markup() || right.is_markup()) {
    const auto part = [](const Value& value) {
      return value.is_markup() ? *value.string() : html_escaped(*value.string());
    };
    std::string out = part(left) + part(right);
    TRY(spend_bytes(out.size()));
    return Value::markup(std::move(out));
  }
  TRY(spend_bytes(left.string()->size() + right.string()->size()));
  return Value(*left.string() + *right.string());
}

/// What Python says of `+` with a sequence on the left.
Result<Value> add_sequences(const Value& left, const Value& right) {
  if (left.string()) {
    if (right.string()) return concatenated(left, right);
    return type_error("can only concatenate str (not \"" + right.type_name() + "\") to str");
  }
  const bool list = left.list() != nullptr;
  if (list ? right.list() == nullptr : right.tuple() == nullptr)
    return type_error(std::string("can only concatenate ") + (list ? "list" : "tuple") +
                      " (not \"" + right.type_name() + "\") to " + (list ? "list" : "tuple"));
  List out = list ? *left.list() : left.tuple()->items;
  const List& more = list ? *right.list() : right.tuple()->items;
  TRY(spend_items(out.size() + more.size()));
  out.insert(out.end(), more.begin(), more.end());
  if (list) return Value(std::move(out));
  return Value(Tuple{std::move(out)});
}

Result<Value> time_sum(Operator op, const Value& left, const Value& right) {
  const auto first = time_value(left), second = time_value(right);
  const auto* by = first ? right.as<RelativeDelta>() : left.as<RelativeDelta>();
  if (by && (op == Operator::kAdd || (op == Operator::kSub && first))) {
    ASSIGN(const DateTime made, by->move(first ? *first : *second, op == Operator::kAdd ? 1 : -1));
    return made.value();
  }
  const bool sum = op == Operator::kAdd || op == Operator::kSub;
  if (first && sum && delta_value(right) && first->kind != DateTime::Kind::kTime) {
    ASSIGN(const DateTime made, plus(*first, right, op == Operator::kAdd ? 1 : -1));
    return made.value();
  }
  if (second && delta_value(left) && op == Operator::kAdd &&
      second->kind != DateTime::Kind::kTime) {
    ASSIGN(const DateTime made, plus(*second, left, 1));
    return made.value();
  }
  if (!first || !second || op != Operator::kSub || first->kind != second->kind ||
      first->kind == DateTime::Kind::kTime)
    return unsupported(op, left, right);
  if (first->zone.has_value() != second->zone.has_value())
    return type_error("can't subtract offset-naive and offset-aware datetimes");
  if (first->pendulum || second->pendulum) return interval(*second, *first, false);
  return Value(TimeDelta{first->instant() - second->instant()});
}

Result<Value> deltas(Operator op, const Value& left, const Value& right) {
  const auto first = delta_value(left), second = delta_value(right);
  const auto number = first ? right.number() : left.number();
  const auto whole = first ? right.index() : left.index();
  std::int64_t out = 0;
  if (first && second) {
    if (op == Operator::kAdd || op == Operator::kSub) {
      const bool bad = op == Operator::kAdd ? __builtin_add_overflow(*first, *second, &out)
                                            : __builtin_sub_overflow(*first, *second, &out);
      if (bad) return too_large();
      return Value(TimeDelta{out});
    }
    if (op == Operator::kMul || op == Operator::kPow) return unsupported(op, left, right);
    if (*second == 0) return by_zero("integer division or modulo by zero");
    if (op == Operator::kDiv)
      return Value(static_cast<double>(*first) / static_cast<double>(*second));
    if (op == Operator::kFloorDiv) return Value(floor_division(*first, *second));
    return Value(TimeDelta{modulo(*first, *second)});
  }
  const std::int64_t micros = first ? *first : *second;
  if (op == Operator::kMul && whole) {
    if (__builtin_mul_overflow(micros, *whole, &out)) return too_large();
    return Value(TimeDelta{out});
  }
  if (op == Operator::kFloorDiv && first && whole && *whole == 0)
    return by_zero("integer division or modulo by zero");
  if (op == Operator::kFloorDiv && first && whole)
    return Value(TimeDelta{floor_division(micros, *whole)});
  const bool divides = op == Operator::kDiv && first;
  if (!number || !(divides || op == Operator::kMul)) return unsupported(op, left, right);
  if (divides && *number == 0) return by_zero("division by zero");
  const double exact =
      divides ? static_cast<double>(micros) / *number : static_cast<double>(micros) * *number;
  if (!(std::abs(exact) < 9e18)) return too_large();
  return Value(TimeDelta{static_cast<std::int64_t>(std::nearbyint(exact))});
}

/// What Markup's `%` does to its arguments: texts are escaped that are no Markup.
Value escaped_texts(const Value& value) {
  if (value.string() && !value.is_markup()) return Value::markup(html_escaped(*value.string()));
  if (const auto* items = value.tuple()) {
    List out;
    for (const Value& item : items->items) out.push_back(item.tuple() ? item : escaped_texts(item));
    return Value(Tuple{std::move(out)});
  }
  const Dict* dict = value.dict();
  if (!dict) return value;
  Dict out;
  for (const auto& [key, item] : dict->items())
    out.set(key, item.dict() ? item : escaped_texts(item));
  return Value(std::move(out));
}

}  // namespace

Result<Value> operate(Operator op, const Value& left, const Value& right) {
  TRY(defined(left));
  if (!left.string() || op != Operator::kMod) TRY(defined(right));
  if (const auto a = left.index(), b = right.index(); a && b) return integers(op, *a, *b);
  if (const auto a = left.number(), b = right.number(); a && b) return reals(op, *a, *b);
  if (op == Operator::kMod && left.string()) {
    ASSIGN(std::string made,
           percent_format(*left.string(), left.is_markup() ? escaped_texts(right) : right));
    return left.is_markup() ? Value::markup(std::move(made)) : Value(std::move(made));
  }
  if (op == Operator::kAdd && is_sequence(left)) {
    if (!left.string() || right.string()) return add_sequences(left, right);
    return add_sequences(left, right);
  }
  if (op == Operator::kMul && is_sequence(left)) {
    if (const auto times = right.index()) return sequence_times(left, *times);
    return type_error("can't multiply sequence by non-int of type '" + right.type_name() + "'");
  }
  if (op == Operator::kMul && is_sequence(right)) {
    if (const auto times = left.index()) return sequence_times(right, *times);
    return type_error("can't multiply sequence by non-int of type '" + left.type_name() + "'");
  }
  if (time_value(left) || time_value(right)) return time_sum(op, left, right);
  if (delta_value(left) || delta_value(right)) return deltas(op, left, right);
  return unsupported(op, left, right);
}

Result<Value> negate(const Value& value) {
  TRY(defined(value));
  if (const auto whole = value.index()) {
    std::int64_t out = 0;
    if (__builtin_sub_overflow(0, *whole, &out)) return too_large();
    return Value(out);
  }
  if (const double* real = value.real()) return Value(-*real);
  if (const auto delta = delta_value(value)) return Value(TimeDelta{-*delta});
  return type_error("bad operand type for unary -: '" + value.type_name() + "'");
}

Result<Value> unary_plus(const Value& value) {
  TRY(defined(value));
  if (const auto whole = value.index()) return Value(*whole);
  if (value.real() || value.delta()) return value;
  return type_error("bad operand type for unary +: '" + value.type_name() + "'");
}

// --- comparisons ---------------------------------------------------------------------------------

namespace {

template <typename T>
bool ordered(Comparison op, const T& left, const T& right) {
  switch (op) {
    case Comparison::kLt:
      return left < right;
    case Comparison::kLe:
      return left <= right;
    case Comparison::kGt:
      return left > right;
    case Comparison::kGe:
      return left >= right;
    default:
      return op == Comparison::kEq ? left == right : left != right;
  }
}

Result<bool> ordered_lists(Comparison op, const List& left, const List& right) {
  for (std::size_t i = 0; i < left.size() && i < right.size(); ++i) {
    ASSIGN(const bool same, compare(Comparison::kEq, left[i], right[i]));
    if (!same) return compare(op, left[i], right[i]);
  }
  return ordered(op, left.size(), right.size());
}

std::unexpected<Error> incomparable(Comparison op, const Value& left, const Value& right) {
  return type_error("'" + std::string(kComparisons[static_cast<int>(op)]) +
                    "' not supported between instances of '" + left.type_name() + "' and '" +
                    right.type_name() + "'");
}

}  // namespace

Result<bool> compare(Comparison op, const Value& left, const Value& right) {
  const Budget* now = budget();
  const bool equality = op == Comparison::kEq || op == Comparison::kNe;
  if (!equality || !now || now->strict_undefined) {
    TRY(defined(left));
    TRY(defined(right));
  }
  TRY(spend(1));
  if (equality) return (left == right) == (op == Comparison::kEq);
  if (const auto a = left.index(), b = right.index(); a && b) return ordered(op, *a, *b);
  if (const auto a = left.number(), b = right.number(); a && b) return ordered(op, *a, *b);
  if (left.string() && right.string()) return ordered(op, *left.string(), *right.string());
  if (left.list() && right.list()) return ordered_lists(op, *left.list(), *right.list());
  if (left.tuple() && right.tuple())
    return ordered_lists(op, left.tuple()->items, right.tuple()->items);
  if (const auto a = delta_value(left), b = delta_value(right); a && b) return ordered(op, *a, *b);
  const auto a = time_value(left), b = time_value(right);
  if (a && b && a->kind == b->kind) {
    if (a->zone.has_value() != b->zone.has_value())
      return type_error("can't compare offset-naive and offset-aware datetimes");
    return ordered(op, a->instant(), b->instant());
  }
  return incomparable(op, left, right);
}

Result<List> sorted(const List& list, const std::function<Result<Value>(const Value&)>& key,
                    bool reverse) {
  struct Keyed {
    Value key;
    std::size_t place;
  };
  std::vector<Keyed> keyed;
  for (std::size_t i = 0; i < list.size(); ++i) {
    ASSIGN(Value made, key(list[i]));
    keyed.push_back({std::move(made), i});
  }
  // A merge sort from below: a comparison may fail, which std::sort does not allow for.
  std::vector<Keyed> other(keyed.size());
  for (std::size_t width = 1; width < keyed.size(); width *= 2) {
    for (std::size_t begin = 0; begin < keyed.size(); begin += 2 * width) {
      const std::size_t middle = std::min(begin + width, keyed.size());
      const std::size_t end = std::min(begin + 2 * width, keyed.size());
      std::size_t left = begin, right = middle;
      for (std::size_t out = begin; out < end; ++out) {
        bool take_right = left == middle;
        if (!take_right && right < end) {
          ASSIGN(take_right, reverse ? compare(Comparison::kLt, keyed[left].key, keyed[right].key)
                                     : compare(Comparison::kLt, keyed[right].key, keyed[left].key));
        }
        other[out] = std::move(take_right ? keyed[right++] : keyed[left++]);
      }
    }
    std::swap(keyed, other);
  }
  List out;
  out.reserve(list.size());
  for (const Keyed& each : keyed) out.push_back(list[each.place]);
  return out;
}

}  // namespace tailrace::jinja
