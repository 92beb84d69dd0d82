#include "schema/cel/functions.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "schema/cel/texts.h"
#include "schema/cel/times.h"
#include "schema/json_schema/validator.h"

namespace tailrace::schema::cel {
namespace {

using Args = std::span<const Value>;
using Int = std::int64_t;
using Uint = std::uint64_t;

std::unexpected<Error> wrong(std::string what) {
  return error(Code::kInvalidArgument, std::move(what));
}

std::unexpected<Error> no_overload(std::string_view name, Args args) {
  std::string types;
  for (const Value& arg : args) types += (types.empty() ? "" : ", ") + arg.type_name();
  return wrong(fmt::format("no such overload: {}({})", name, types));
}

// Arithmetic: whole numbers that do not fit are an error.
Result<Value> whole(std::string_view name, Int a, Int b) {
  Int out = 0;
  bool over = false;
  if (name == "+") over = __builtin_add_overflow(a, b, &out);
  if (name == "-") over = __builtin_sub_overflow(a, b, &out);
  if (name == "*") over = __builtin_mul_overflow(a, b, &out);
  if (name == "/" || name == "%") {
    if (b == 0) return wrong(name == "/" ? "divide by zero" : "modulus by zero");
    over = a == INT64_MIN && b == -1;
    if (!over) out = name == "/" ? a / b : a % b;
  }
  if (over) return wrong("the result is no int of 64 bits: overflow");
  return Value(out);
}

Result<Value> whole(std::string_view name, Uint a, Uint b) {
  Uint out = 0;
  bool over = false;
  if (name == "+") over = __builtin_add_overflow(a, b, &out);
  if (name == "-") over = __builtin_sub_overflow(a, b, &out);
  if (name == "*") over = __builtin_mul_overflow(a, b, &out);
  if (name == "/" || name == "%") {
    if (b == 0) return wrong(name == "/" ? "divide by zero" : "modulus by zero");
    out = name == "/" ? a / b : a % b;
  }
  if (over) return wrong("the result is no uint of 64 bits: overflow");
  return Value(out);
}

Result<Value> in_years(Int seconds, Int nanos) {
  if (seconds < kFirstSecond || seconds > kLastSecond) return wrong("a timestamp out of range");
  return Value(Timestamp{seconds, static_cast<std::int32_t>(nanos)});
}

Result<Value> moved(const Timestamp& time, Int nanos) {
  constexpr Int kBillion = 1'000'000'000;
  Int rest = time.nanos + nanos % kBillion, seconds = nanos / kBillion;
  if (rest < 0) rest += kBillion, --seconds;
  if (rest >= kBillion) rest -= kBillion, ++seconds;
  return in_years(time.seconds + seconds, rest);
}

/// + and - of times; nullopt when they are none.
std::optional<Result<Value>> time_sum(std::string_view name, const Value& a, const Value& b) {
  const auto *at = a.get<Timestamp>(), *bt = b.get<Timestamp>();
  const auto *ad = a.get<Duration>(), *bd = b.get<Duration>();
  const bool plus = name == "+";
  if (!plus && name != "-") return std::nullopt;
  if (bd && bd->nanos == INT64_MIN && !plus) return wrong("a duration out of range");
  if (at && bd) return moved(*at, plus ? bd->nanos : -bd->nanos);
  if (ad && bt && plus) return moved(*bt, ad->nanos);
  Int out = 0;
  if (ad && bd) {
    const bool over = plus ? __builtin_add_overflow(ad->nanos, bd->nanos, &out)
                           : __builtin_sub_overflow(ad->nanos, bd->nanos, &out);
    if (over) return wrong("a duration out of range");
    return Value(Duration{out});
  }
  if (!at || !bt || plus) return std::nullopt;
  if (__builtin_mul_overflow(at->seconds - bt->seconds, Int{1'000'000'000}, &out) ||
      __builtin_add_overflow(out, Int{at->nanos} - bt->nanos, &out))
    return wrong("a duration out of range");
  return Value(Duration{out});
}

Result<Value> arithmetic(std::string_view name, Args args) {
  const Value &a = args[0], &b = args[1];
  if (a.get<Int>() && b.get<Int>()) return whole(name, *a.get<Int>(), *b.get<Int>());
  if (a.get<Uint>() && b.get<Uint>()) return whole(name, *a.get<Uint>(), *b.get<Uint>());
  if (const double* x = a.get<double>(), *y = b.get<double>(); x && y && name != "%")
    return Value(name == "+" ? *x + *y : name == "-" ? *x - *y : name == "*" ? *x * *y : *x / *y);
  if (auto sum = time_sum(name, a, b)) return *sum;
  if (name != "+") return no_overload(name, args);
  const auto fits = [](std::size_t x, std::size_t y) { return x + y <= kMaxValueBytes; };
  const auto too_long = error(Code::kResourceExhausted, "a value of more than 16 MiB");
  if (const auto* x = a.get<std::string>(), *y = b.get<std::string>(); x && y)
    return fits(x->size(), y->size()) ? Result<Value>(Value(*x + *y)) : too_long;
  if (const auto* x = a.get<Bytes>(), *y = b.get<Bytes>(); x && y)
    return fits(x->bytes.size(), y->bytes.size()) ? Result<Value>(Value(Bytes{x->bytes + y->bytes}))
                                                  : too_long;
  if (a.list() && b.list()) {
    if (!fits(a.list()->size() * sizeof(Value), b.list()->size() * sizeof(Value))) return too_long;
    List both = *a.list();
    both.insert(both.end(), b.list()->begin(), b.list()->end());
    return Value::list(std::move(both));
  }
  return no_overload(name, args);
}

Result<Value> negated(Args args) {
  if (const Int* a = args[0].get<Int>()) return whole("-", Int{0}, *a);
  if (const double* a = args[0].get<double>()) return Value(-*a);
  return no_overload("-", args);
}

// Comparison: across all numbers; -1, 0, 1, or nothing for a NaN.
std::optional<int> sign(auto a, auto b) {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a == b) return 0;
  return std::nullopt;
}

/// The whole number as the nearest double, but for doubles beyond its range.
std::optional<int> with_double(double a, Int b) {
  if (a < -0x1p63) return -1;
  if (a > 0x1p63) return 1;
  return sign(a, static_cast<double>(b));
}

std::optional<int> with_double(double a, Uint b) {
  if (a < 0) return -1;
  if (a > 0x1p64) return 1;
  return sign(a, static_cast<double>(b));
}

std::optional<int> turned(std::optional<int> sign) {
  if (sign) *sign = -*sign;
  return sign;
}

std::optional<int> compared_numbers(const Value& a, const Value& b) {
  const Int *ai = a.get<Int>(), *bi = b.get<Int>();
  const Uint *au = a.get<Uint>(), *bu = b.get<Uint>();
  const double *ad = a.get<double>(), *bd = b.get<double>();
  if (ad && bd) return sign(*ad, *bd);
  if (ad) return bi ? with_double(*ad, *bi) : with_double(*ad, *bu);
  if (bd) return turned(ai ? with_double(*bd, *ai) : with_double(*bd, *au));
  if (ai && bi) return sign(*ai, *bi);
  if (au && bu) return sign(*au, *bu);
  if (ai) return std::cmp_less(*ai, *bu) ? -1 : std::cmp_equal(*ai, *bu) ? 0 : 1;
  return std::cmp_less(*au, *bi) ? -1 : std::cmp_equal(*au, *bi) ? 0 : 1;
}

Result<Value> compared(std::string_view name, Args args) {
  const Value &a = args[0], &b = args[1];
  std::optional<int> order;
  if (a.is_number() && b.is_number())
    order = compared_numbers(a, b);
  else if (a.get<bool>() && b.get<bool>())
    order = sign(*a.get<bool>(), *b.get<bool>());
  else if (a.get<std::string>() && b.get<std::string>())
    order = sign(*a.get<std::string>(), *b.get<std::string>());
  else if (a.get<Bytes>() && b.get<Bytes>())
    order = sign(a.get<Bytes>()->bytes, b.get<Bytes>()->bytes);
  else if (a.get<Timestamp>() && b.get<Timestamp>())
    order = sign(*a.get<Timestamp>(), *b.get<Timestamp>());
  else if (a.get<Duration>() && b.get<Duration>())
    order = sign(*a.get<Duration>(), *b.get<Duration>());
  else
    return no_overload(name, args);
  if (!order) return Value(false);
  return Value(name == "<"    ? *order < 0
               : name == "<=" ? *order <= 0
               : name == ">"  ? *order > 0
                              : *order >= 0);
}

Result<Value> contained(Args args) {
  if (const List* list = args[1].list())
    return Value(std::ranges::any_of(*list, [&](const Value& one) { return equal(one, args[0]); }));
  if (const Map* map = args[1].map())
    return Value(
        std::ranges::any_of(*map, [&](const auto& one) { return equal(one.first, args[0]); }));
  return no_overload("in", args);
}

Result<Value> item(Args args) {
  if (const List* list = args[0].list()) {
    Int index = -1;
    if (const Int* number = args[1].get<Int>()) {
      index = *number;
    } else if (const Uint* bare = args[1].get<Uint>()) {
      index = *bare > INT64_MAX ? -1 : static_cast<Int>(*bare);
    } else if (const double* real = args[1].get<double>()) {
      if (*real != std::floor(*real) || std::abs(*real) > 1e15)
        return wrong("invalid_argument: the index is no whole number");
      index = static_cast<Int>(*real);
    } else {
      return no_overload("[]", args);
    }
    if (index < 0 || index >= std::ssize(*list))
      return wrong(fmt::format("index {} out of bounds: the list has {}", index, list->size()));
    return (*list)[static_cast<std::size_t>(index)];
  }
  if (const Map* map = args[0].map()) {
    for (const auto& [key, value] : *map)
      if (equal(key, args[1])) return value;
    return wrong("no such key");
  }
  if (const Record* record = args[0].record(); record && args[1].get<std::string>()) {
    for (const auto& [field, value] : record->fields)
      if (field == *args[1].get<std::string>()) return value;
    return wrong("no such key: " + *args[1].get<std::string>());
  }
  return no_overload("[]", args);
}

Result<Value> size(Args args) {
  const Value& of = args[0];
  const auto count = [](std::size_t size) { return Value(static_cast<Int>(size)); };
  if (const auto* text = of.get<std::string>()) return count(character_count(*text));
  if (const auto* bytes = of.get<Bytes>()) return count(bytes->bytes.size());
  if (of.list()) return count(of.list()->size());
  if (of.map()) return count(of.map()->size());
  return no_overload("size", args);
}

// Conversions.
template <typename T>
std::optional<T> parsed(const std::string& text) {
  T number{};
  const char* from = text.data() + (text.starts_with('+') ? 1 : 0);
  const auto [end, code] = std::from_chars(from, text.data() + text.size(), number);
  if (text.empty() || code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<Value> to_int(Args args) {
  const Value& of = args[0];
  if (of.get<Int>()) return of;
  if (const auto* number = of.get<Uint>()) {
    if (*number > INT64_MAX) return wrong("range: the uint is no int");
    return Value(static_cast<Int>(*number));
  }
  if (const auto* number = of.get<double>()) {
    if (!(*number > -0x1p63 && *number < 0x1p63)) return wrong("range: the double is no int");
    return Value(static_cast<Int>(*number));
  }
  if (const auto* text = of.get<std::string>()) {
    if (const auto number = parsed<Int>(*text)) return Value(*number);
    return wrong("the text is no int");
  }
  if (const auto* time = of.get<Timestamp>()) return Value(time->seconds);
  return no_overload("int", args);
}

Result<Value> to_uint(Args args) {
  const Value& of = args[0];
  if (of.get<Uint>()) return of;
  if (const auto* number = of.get<Int>()) {
    if (*number < 0) return wrong("range: the int is no uint");
    return Value(static_cast<Uint>(*number));
  }
  if (const auto* number = of.get<double>()) {
    if (!(*number >= 0 && *number < 0x1p64)) return wrong("range: the double is no uint");
    return Value(static_cast<Uint>(*number));
  }
  if (const auto* text = of.get<std::string>()) {
    if (const auto number = parsed<Uint>(*text)) return Value(*number);
    return wrong("the text is no uint");
  }
  return no_overload("uint", args);
}

Result<Value> to_double(Args args) {
  const Value& of = args[0];
  if (of.get<double>()) return of;
  if (const auto* number = of.get<Int>()) return Value(static_cast<double>(*number));
  if (const auto* number = of.get<Uint>()) return Value(static_cast<double>(*number));
  if (const auto* text = of.get<std::string>()) {
    if (const auto number = parsed<double>(*text)) return Value(*number);
    return wrong("the text is no double");
  }
  return no_overload("double", args);
}

Result<Value> to_string(Args args) {
  const Value& of = args[0];
  if (of.get<std::string>()) return of;
  if (const auto* number = of.get<Int>()) return Value(std::to_string(*number));
  if (const auto* number = of.get<Uint>()) return Value(std::to_string(*number));
  if (const auto* number = of.get<double>()) return Value(fmt::format("{}", *number));
  if (const auto* truth = of.get<bool>()) return Value(std::string(*truth ? "true" : "false"));
  if (const auto* time = of.get<Timestamp>()) return Value(text_of(*time));
  if (const auto* span = of.get<Duration>()) return Value(text_of(*span));
  if (const auto* bytes = of.get<Bytes>()) {
    if (!is_utf8(bytes->bytes)) return wrong("invalid UTF-8 in bytes, cannot convert to string");
    return Value(bytes->bytes);
  }
  return no_overload("string", args);
}

Result<Value> to_bool(Args args) {
  if (args[0].get<bool>()) return args[0];
  const auto* text = args[0].get<std::string>();
  if (!text) return no_overload("bool", args);
  for (const auto yes : {"1", "t", "true", "TRUE", "True"})
    if (*text == yes) return Value(true);
  for (const auto no : {"0", "f", "false", "FALSE", "False"})
    if (*text == no) return Value(false);
  return wrong("Type conversion error: the text is no bool");
}

Result<Value> to_bytes(Args args) {
  if (args[0].get<Bytes>()) return args[0];
  if (const auto* text = args[0].get<std::string>()) return Value(Bytes{*text});
  return no_overload("bytes", args);
}

Result<Value> to_timestamp(Args args) {
  if (args[0].get<Timestamp>()) return args[0];
  if (const auto* seconds = args[0].get<Int>()) return in_years(*seconds, 0);
  const auto* text = args[0].get<std::string>();
  if (!text) return no_overload("timestamp", args);
  if (const auto time = timestamp_of(*text)) return Value(*time);
  return wrong("the text is no timestamp of RFC 3339, or out of range");
}

Result<Value> to_duration(Args args) {
  if (args[0].get<Duration>()) return args[0];
  const auto* text = args[0].get<std::string>();
  if (!text) return no_overload("duration", args);
  if (const auto span = duration_of(*text)) return Value(*span);
  return wrong("the text is no duration (1h30m, 5s, 3ms), or out of range");
}

Result<Value> type_of(Args args) {
  return Value(TypeName{args[0].type_name()});
}
Result<Value> same(Args args) {
  return args[0];
}

/// getHours() and its like; of a timestamp, also in a zone.
Result<Value> time_part(std::string_view name, Args args) {
  if (const auto* span = args[0].get<Duration>(); span && args.size() == 1)
    if (const auto part = part_of(*span, name)) return Value(*part);
  const auto* time = args[0].get<Timestamp>();
  if (!time) return no_overload(name, args);
  Timestamp local = *time;
  if (args.size() == 2) {
    const auto* zone = args[1].get<std::string>();
    if (!zone) return no_overload(name, args);
    const auto offset = zone_offset(*zone);
    if (!offset) return wrong(fmt::format("time zone `{}` is not known here; write +02:00", *zone));
    local.seconds += *offset;
  }
  return Value(*part_of(local, name));
}

/// Where a function is, and what it takes.
struct Function {
  std::string_view name;
  std::size_t least, most;    ///< arguments, a receiver among them
  bool plain, receiver;       ///< how it may be written
  Result<Value> (*of)(Args);  ///< null: by its name below
};

constexpr Function kFunctions[] = {
    {"size", 1, 1, true, true, size},
    {"int", 1, 1, true, false, to_int},
    {"uint", 1, 1, true, false, to_uint},
    {"double", 1, 1, true, false, to_double},
    {"string", 1, 1, true, false, to_string},
    {"bytes", 1, 1, true, false, to_bytes},
    {"bool", 1, 1, true, false, to_bool},
    {"timestamp", 1, 1, true, false, to_timestamp},
    {"duration", 1, 1, true, false, to_duration},
    {"type", 1, 1, true, false, type_of},
    {"dyn", 1, 1, true, false, same},
    {"contains", 2, 2, false, true, nullptr},
    {"startsWith", 2, 2, false, true, nullptr},
    {"endsWith", 2, 2, false, true, nullptr},
    {"matches", 2, 2, true, true, nullptr},
    {"lowerAscii", 1, 1, false, true, nullptr},
    {"upperAscii", 1, 1, false, true, nullptr},
    {"trim", 1, 1, false, true, nullptr},
    {"charAt", 2, 2, false, true, nullptr},
    {"indexOf", 2, 3, false, true, nullptr},
    {"lastIndexOf", 2, 3, false, true, nullptr},
    {"replace", 3, 4, false, true, nullptr},
    {"split", 2, 3, false, true, nullptr},
    {"substring", 2, 3, false, true, nullptr},
    {"join", 1, 2, false, true, nullptr},
    {"isEmail", 1, 1, false, true, nullptr},
    {"isHostname", 1, 1, false, true, nullptr},
    {"isIpv4", 1, 1, false, true, nullptr},
    {"isIpv6", 1, 1, false, true, nullptr},
    {"isUri", 1, 1, false, true, nullptr},
    {"isUriRef", 1, 1, false, true, nullptr},
    {"isUuid", 1, 1, false, true, nullptr},
    {"getFullYear", 1, 2, false, true, nullptr},
    {"getMonth", 1, 2, false, true, nullptr},
    {"getDate", 1, 2, false, true, nullptr},
    {"getDayOfMonth", 1, 2, false, true, nullptr},
    {"getDayOfWeek", 1, 2, false, true, nullptr},
    {"getDayOfYear", 1, 2, false, true, nullptr},
    {"getHours", 1, 2, false, true, nullptr},
    {"getMinutes", 1, 2, false, true, nullptr},
    {"getSeconds", 1, 2, false, true, nullptr},
    {"getMilliseconds", 1, 2, false, true, nullptr},
};

constexpr std::string_view kOperators[] = {
    "+", "-", "*", "/", "%", "==", "!=", "<", ">", "<=", ">=", "in", "!", "[]"};

const Function* function_of(std::string_view name) {
  const auto found = std::ranges::find(kFunctions, name, &Function::name);
  return found == std::end(kFunctions) ? nullptr : found;
}

Result<Value> operated(std::string_view name, Args args) {
  if (name == "==") return Value(equal(args[0], args[1]));
  if (name == "!=") return Value(!equal(args[0], args[1]));
  if (name == "in") return contained(args);
  if (name == "[]") return item(args);
  if (name == "!") {
    if (const bool* truth = args[0].get<bool>()) return Value(!*truth);
    return no_overload("!", args);
  }
  if (name[0] == '<' || name[0] == '>') return compared(name, args);
  return args.size() == 1 ? negated(args) : arithmetic(name, args);
}

std::string_view format_of(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> kForms[] = {
      {"isEmail", "email"}, {"isHostname", "hostname"},    {"isIpv4", "ipv4"}, {"isIpv6", "ipv6"},
      {"isUri", "uri"},     {"isUriRef", "uri-reference"}, {"isUuid", "uuid"}};
  for (const auto& [function, form] : kForms)
    if (function == name) return form;
  return "";
}

}  // namespace

Patterns::Patterns() = default;
Patterns::~Patterns() = default;
Patterns::Patterns(Patterns&&) noexcept = default;
Patterns& Patterns::operator=(Patterns&&) noexcept = default;

Result<bool> Patterns::found(const std::string& pattern, std::string_view text) {
  constexpr std::size_t kMost = 100;
  auto& compiled = compiled_[pattern];
  if (!compiled) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(1 << 20);
    compiled = std::make_unique<RE2>(pattern, options);
  }
  const bool is_pattern = compiled->ok();
  const std::string why = compiled->error();
  const bool found = is_pattern && RE2::PartialMatch(text, *compiled);
  if (compiled_.size() > kMost) compiled_.clear();
  if (!is_pattern) return wrong("no regular expression: " + why);
  return found;
}

bool is_function(std::string_view name, bool receiver, std::size_t count) {
  const Function* found = function_of(name);
  return found && count >= found->least && count <= found->most &&
         (receiver ? found->receiver : found->plain);
}

bool is_function_name(std::string_view name) {
  return function_of(name) || std::ranges::find(kOperators, name) != std::end(kOperators);
}

Result<Value> apply(std::string_view name, std::span<const Value> args, Patterns& patterns) {
  const Function* function = function_of(name);
  if (!function) return operated(name, args);
  if (function->of) return function->of(args);
  if (name.starts_with("get")) return time_part(name, args);
  if (name == "join") return joined(args);
  const auto* text = args[0].get<std::string>();
  if (!text) return no_overload(name, args);
  if (const auto form = format_of(name); !form.empty())
    return Value(json_schema::has_format(form, *text));
  if (name == "matches") {
    const auto* pattern = args[1].get<std::string>();
    if (!pattern) return no_overload(name, args);
    ASSIGN(const bool found, patterns.found(*pattern, *text));
    return Value(found);
  }
  auto result = text_function(name, *text, args.subspan(1));
  if (!result) return no_overload(name, args);
  return *std::move(result);
}

}  // namespace tailrace::schema::cel
