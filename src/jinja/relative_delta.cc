#include "jinja/relative_delta.h"

#include <algorithm>
#include <cmath>

#include "jinja/texts.h"

namespace tailrace::jinja {
namespace {

constexpr std::int64_t kSecond = 1'000'000, kHour = 3600 * kSecond, kDay = 24 * kHour;

Result<std::int64_t> micros_of(const Value& value, std::int64_t unit) {
  TRY(defined(value));
  const auto number = value.number();
  if (!number) return type_error("a number is needed, not " + value.type_name());
  if (!(std::abs(*number) * static_cast<double>(unit) < 4e18))
    return raised("OverflowError", "date value out of range");
  if (const auto whole = value.index()) return *whole * unit;
  return static_cast<std::int64_t>(std::nearbyint(*number * static_cast<double>(unit)));
}

}  // namespace

Result<Value> make_relative_delta(const List& arguments, const Object::Named& named) {
  if (!arguments.empty())
    return raised("TypeError", "relativedelta takes named arguments here", Code::kUnimplemented);
  ASSIGN(const auto given, bind("relativedelta", {}, named,
                                {{"years", 0},
                                 {"months", 0},
                                 {"days", 0},
                                 {"weeks", 0},
                                 {"hours", 0},
                                 {"minutes", 0},
                                 {"seconds", 0},
                                 {"microseconds", 0},
                                 {"year", Value()},
                                 {"month", Value()},
                                 {"day", Value()},
                                 {"hour", Value()},
                                 {"minute", Value()},
                                 {"second", Value()},
                                 {"microsecond", Value()}}));
  auto made = std::make_shared<RelativeDelta>();
  if (!given[0].index() || !given[1].index())
    return value_error("Non-integer years and months are ambiguous and not currently supported.");
  made->years = std::clamp<std::int64_t>(*given[0].index(), -100000, 100000);
  made->months = std::clamp<std::int64_t>(*given[1].index(), -1000000, 1000000);
  constexpr std::int64_t kUnits[] = {kDay, 7 * kDay, kHour, 60 * kSecond, kSecond, 1};
  for (std::size_t i = 0; i < 6; ++i) {
    ASSIGN(const std::int64_t part, micros_of(given[i + 2], kUnits[i]));
    if (__builtin_add_overflow(made->micros, part, &made->micros))
      return raised("OverflowError", "date value out of range");
  }
  made->years += made->months / 12;
  made->months %= 12;
  std::optional<std::int64_t>* const set[] = {&made->year,       &made->month,  &made->day,
                                              &made->hour,       &made->minute, &made->second,
                                              &made->microsecond};
  for (std::size_t i = 0; i < 7; ++i) *set[i] = given[i + 8].index();
  return Value(std::shared_ptr<const Object>(std::move(made)));
}

Result<DateTime> RelativeDelta::move(const DateTime& time, int sign) const {
  const std::int64_t all = year.value_or(time.local.year) * 12 + month.value_or(time.local.month) -
                           1 + sign * (years * 12 + months);
  const std::int64_t to_year = all >= 0 ? all / 12 : (all - 11) / 12,
                     to_month = all - to_year * 12 + 1;
  if (to_year < 1 || to_year > 9999)
    return value_error("year " + std::to_string(to_year) + " is out of range");
  const std::int64_t last = days_in_month(static_cast<int>(to_year), static_cast<int>(to_month));
  DateTime out = time;
  ASSIGN(out.local,
         checked_local(to_year, to_month, std::min(day.value_or(time.local.day), last),
                       hour.value_or(time.local.hour), minute.value_or(time.local.minute),
                       second.value_or(time.local.second), microsecond.value_or(time.local.micro)));
  out.local.fold = time.local.fold;
  if (micros == 0) return out;
  return plus(out, Value(TimeDelta{micros}), sign);
}

std::string RelativeDelta::text() const {
  std::string out;
  const auto add = [&](const char* name, std::int64_t count, bool sign) {
    out += (out.empty() ? "" : ", ") + std::string(name) + "=" + (sign && count > 0 ? "+" : "") +
           std::to_string(count);
  };
  const std::pair<const char*, std::int64_t> moves[] = {
      {"years", years},
      {"months", months},
      {"days", micros / kDay},
      {"hours", micros % kDay / kHour},
      {"minutes", micros % kHour / (60 * kSecond)},
      {"seconds", micros % (60 * kSecond) / kSecond},
      {"microseconds", micros % kSecond},
  };
  for (const auto& [name, count] : moves)
    if (count != 0) add(name, count, true);
  const std::pair<const char*, std::optional<std::int64_t>> set[] = {
      {"year", year},
      {"month", month},
      {"day", day},
      {"hour", hour},
      {"minute", minute},
      {"second", second},
      {"microsecond", microsecond},
  };
  for (const auto& [name, value] : set)
    if (value) add(name, *value, false);
  return "relativedelta(" + out + ")";
}

Value RelativeDelta::attribute(std::string_view name) const {
  if (name == "years") return years;
  if (name == "months") return months;
  if (name == "days") return micros / kDay;
  if (name == "hours") return micros % kDay / kHour;
  if (name == "minutes") return micros % kHour / (60 * kSecond);
  if (name == "seconds") return micros % (60 * kSecond) / kSecond;
  if (name == "microseconds") return micros % kSecond;
  return Undefined{std::string(name), "'relativedelta object' has no attribute " + text_repr(name)};
}

}  // namespace tailrace::jinja
