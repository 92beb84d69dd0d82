// What pendulum's DateTime and Date have beyond datetime's.
#include <algorithm>
#include <cmath>

#include "jinja/texts.h"
#include "jinja/times.h"

namespace tailrace::jinja {
namespace {

using Named = Object::Named;
using Kind = DateTime::Kind;
using Method = Result<Value> (*)(const DateTime& self, const List& arguments, const Named& named);

constexpr std::int64_t kSecond = 1'000'000, kDay = 86'400 * kSecond;

Result<double> amount(const Value& value) {
  TRY(defined(value));
  if (const auto number = value.number()) return *number;
  return type_error("bad operand type for unary -: '" + value.type_name() + "'");
}

template <int kSign>
Result<Value> add(const DateTime& self, const List& arguments, const Named& named) {
  const bool date = self.kind == Kind::kDate;
  std::vector<Value> given;
  if (date) {
    ASSIGN(given,
           bind("add", arguments, named, {{"years", 0}, {"months", 0}, {"weeks", 0}, {"days", 0}}));
    given.resize(8, Value(0));
  } else {
    ASSIGN(given, bind("add", arguments, named,
                       {{"years", 0},
                        {"months", 0},
                        {"weeks", 0},
                        {"days", 0},
                        {"hours", 0},
                        {"minutes", 0},
                        {"seconds", 0},
                        {"microseconds", 0}}));
  }
  double parts[8];
  for (std::size_t i = 0; i < 8; ++i) {
    ASSIGN(parts[i], amount(given[i]));
    if (std::abs(parts[i]) > 1e15) return raised("OverflowError", "date value out of range");
    if (i < 2 && parts[i] != std::floor(parts[i]))
      return type_error("integer argument expected, got float");
  }
  const double days = (parts[2] * 7 + parts[3]) * kSign;
  const double clock = ((parts[4] * 60 + parts[5]) * 60 + parts[6]) * 1e6 + parts[7];
  const bool calendar = parts[0] != 0 || parts[1] != 0 || days != 0;
  if (std::abs(clock) > 4e17 || std::abs(days) > 4e6 || std::abs(parts[0]) > 1e6 ||
      std::abs(parts[1]) > 1e6)
    return raised("OverflowError", "date value out of range");
  auto micros = static_cast<std::int64_t>(std::nearbyint(clock)) * kSign;
  const auto whole = static_cast<std::int64_t>(std::trunc(days));
  micros += static_cast<std::int64_t>(
      std::nearbyint((days - static_cast<double>(whole)) * static_cast<double>(kDay)));
  Shift shift{static_cast<std::int64_t>(parts[0]) * kSign,
              static_cast<std::int64_t>(parts[1]) * kSign, whole, micros};
  if (calendar && shift.years == 0 && shift.months == 0 && shift.days == 0) {
    // Part of a day moves the wall clock too.
    DateTime naive = self;
    naive.zone.reset();
    ASSIGN(const DateTime moved, shifted(naive, shift));
    DateTime out = moved;
    out.zone = self.zone;
    return out.value();
  }
  ASSIGN(const DateTime made, shifted(self, shift));
  return made.value();
}

/// self.set(...) of the parts that are given, in the zone.
Result<DateTime> set_parts(const DateTime& self, const calendar::Local& wanted,
                           const calendar::Zone& zone) {
  DateTime out = self;
  calendar::Local local = wanted;
  local.fold = self.local.fold;
  const std::int64_t instant = zone.to_instant(local);
  const std::int64_t shown = wall_of(zone.to_local(instant)), wall = wall_of(local);
  // A time in a gap: pendulum's convert moves it back where the fold is 0.
  const std::int64_t settled = shown > wall && local.fold == 0 ? instant - (shown - wall) : instant;
  return DateTime::at(settled, zone, out.pendulum);
}

Result<Value> set(const DateTime& self, const List& arguments, const Named& named) {
  const auto& now = self.local;
  ASSIGN(const auto given, bind("set", arguments, named,
                                {{"year", now.year},
                                 {"month", now.month},
                                 {"day", now.day},
                                 {"hour", now.hour},
                                 {"minute", now.minute},
                                 {"second", now.second},
                                 {"microsecond", now.micro},
                                 {"tz", Value()}}));
  std::int64_t parts[7];
  const int present[7] = {now.year,   now.month,  now.day,  now.hour,
                          now.minute, now.second, now.micro};
  for (std::size_t i = 0; i < 7; ++i) {
    if (!given[i].is_none() && !given[i].index())
      return type_error("'" + given[i].type_name() +
                        "' object cannot be interpreted as an integer");
    parts[i] = given[i].index().value_or(present[i]);
  }
  ASSIGN(const auto local,
         checked_local(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], parts[6]));
  calendar::Zone zone = self.zone.value_or(calendar::Zone::utc());
  if (!given[7].is_none()) {
    ASSIGN(zone, zone_argument(given[7]));
  }
  ASSIGN(const DateTime made, set_parts(self, local, zone));
  return made.value();
}

Result<Value> at(const DateTime& self, const List& arguments, const Named& named) {
  ASSIGN(const auto given,
         bind("at", arguments, named, {"hour", {"minute", 0}, {"second", 0}, {"microsecond", 0}}));
  return set(
      self, {},
      {{"hour", given[0]}, {"minute", given[1]}, {"second", given[2]}, {"microsecond", given[3]}});
}

Result<Value> on(const DateTime& self, const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("on", arguments, named, {"year", "month", "day"}));
  return set(self, {}, {{"year", given[0]}, {"month", given[1]}, {"day", given[2]}});
}

Result<Value> in_timezone(const DateTime& self, const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("in_timezone", arguments, named, {"tz"}));
  ASSIGN(const calendar::Zone zone, zone_argument(given[0]));
  return DateTime::at(self.instant(), zone, true).value();
}

Result<Value> naive(const DateTime& self, const List&, const Named&) {
  DateTime out = self;
  out.zone.reset();
  return out.value();
}

/// Wall microseconds of the first moment of the unit, and of the first of the next.
Result<std::pair<calendar::Local, calendar::Local>> bounds(const DateTime& self,
                                                           const std::string& unit,
                                                           const char* function) {
  const auto& l = self.local;
  calendar::Local first{l.year, l.month, l.day}, last{l.year, l.month, l.day, 23, 59, 59, 999999};
  const auto years = [&](int from, int to) {
    first = {from, 1, 1};
    last = {to, 12, 31, 23, 59, 59, 999999};
  };
  const bool clock = self.kind == Kind::kDateTime;
  if (clock && unit == "second") {
    first = last = l;
    first.micro = 0, last.micro = 999999;
  } else if (clock && unit == "minute") {
    first = {l.year, l.month, l.day, l.hour, l.minute};
    last = {l.year, l.month, l.day, l.hour, l.minute, 59, 999999};
  } else if (clock && unit == "hour") {
    first = {l.year, l.month, l.day, l.hour};
    last = {l.year, l.month, l.day, l.hour, 59, 59, 999999};
  } else if (unit == "week") {
    const std::int64_t monday = wall_of(first) - self.weekday() * kDay;
    TRY(check_wall(monday));
    TRY(check_wall(monday + 7 * kDay - 1));
    first = local_of(monday);
    last = local_of(monday + 7 * kDay - 1);
  } else if (unit == "month") {
    first.day = 1;
    last.day = days_in_month(l.year, l.month);
  } else if (unit == "year") {
    years(l.year, l.year);
  } else if (unit == "decade") {
    years(l.year - l.year % 10, l.year - l.year % 10 + 9);
  } else if (unit == "century") {
    const int begin = l.year - (l.year - 1) % 100;
    years(begin, begin + 99);
  } else if (unit != "day") {
    return value_error("Invalid unit \"" + unit + "\" for " + function + "()");
  }
  if (first.year < 1 || last.year > 9999)
    return value_error("year " + std::to_string(first.year < 1 ? first.year : last.year) +
                       " is out of range");
  return std::pair{first, last};
}

template <bool kEnd>
Result<Value> edge(const DateTime& self, const List& arguments, const Named& named) {
  const char* const name = kEnd ? "end_of" : "start_of";
  ASSIGN(const auto given, bind(name, arguments, named, {"unit"}));
  TRY(defined(given[0]));
  ASSIGN(const auto both, bounds(self, given[0].text(), name));
  const calendar::Local& local = kEnd ? both.second : both.first;
  if (self.kind == Kind::kDate || !self.zone) {
    DateTime out = self;
    out.local =
        self.kind == Kind::kDate ? calendar::Local{local.year, local.month, local.day} : local;
    return out.value();
  }
  ASSIGN(const DateTime made, set_parts(self, local, *self.zone));
  return made.value();
}

Result<int> weekday_argument(const Value& value, int fallback) {
  if (value.is_none()) return fallback;
  const auto day = value.index();
  if (!day || *day < 0 || *day > 6) return value_error("Invalid day of week");
  return static_cast<int>(*day);
}

template <int kStep>
Result<Value> neighbour(const DateTime& self, const List& arguments, const Named& named) {
  ASSIGN(const auto given,
         bind("next", arguments, named, {{"day_of_week", Value()}, {"keep_time", false}}));
  ASSIGN(const int wanted, weekday_argument(given[0], self.weekday()));
  DateTime time = self;
  if (!given[1].truth() && self.kind == Kind::kDateTime) {
    ASSIGN(const Value begin, edge<false>(self, {"day"}, {}));
    time = *time_value(begin);
  }
  const int away =
      kStep > 0 ? (wanted - time.weekday() + 6) % 7 + 1 : (time.weekday() - wanted + 6) % 7 + 1;
  ASSIGN(const DateTime made, shifted(time, {0, 0, kStep * away, 0}));
  return made.value();
}

/// first_of, last_of: of a month, a quarter or a year, on a weekday or any day.
template <bool kLast>
Result<Value> outermost(const DateTime& self, const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("first_of", arguments, named, {"unit", {"day_of_week", Value()}}));
  const std::string unit = given[0].text();
  const int quarter = (self.local.month - 1) / 3 * 3 + 1;
  calendar::Local local = self.local;
  local.hour = local.minute = local.second = local.micro = 0;
  if (unit == "year") {
    local.month = kLast ? 12 : 1;
  } else if (unit == "quarter") {
    local.month = kLast ? quarter + 2 : quarter;
  } else if (unit != "month") {
    return value_error("Invalid unit \"" + unit + "\" for first_of()");
  }
  local.day = kLast ? days_in_month(local.year, local.month) : 1;
  if (!given[1].is_none()) {
    ASSIGN(const int wanted, weekday_argument(given[1], 0));
    const int day = calendar::weekday(local);
    local.day += kLast ? -((day - wanted + 7) % 7) : (wanted - day + 7) % 7;
  }
  if (self.kind == Kind::kDate) {
    DateTime out = self;
    out.local = local;
    return out.value();
  }
  ASSIGN(const DateTime made, set_parts(self, local, self.zone.value_or(calendar::Zone::utc())));
  return made.value();
}

Result<DateTime> other_time(const DateTime& self, const Value& given) {
  if (given.is_none()) {
    if (!budget() || !budget()->clock)
      return raised("TemplateRuntimeError", "there is no clock here", Code::kUnimplemented);
    return DateTime::at(budget()->clock(), self.zone.value_or(calendar::Zone::utc()), true);
  }
  TRY(defined(given));
  if (const auto time = time_value(given)) return *time;
  return type_error("a datetime is needed, not " + given.type_name());
}

Result<Value> diff(const DateTime& self, const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("diff", arguments, named, {{"dt", Value()}, {"abs", true}}));
  ASSIGN(const DateTime other, other_time(self, given[0]));
  return interval(self, other, given[1].truth());
}

Result<Value> diff_for_humans(const DateTime& self, const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("diff_for_humans", arguments, named,
                                {{"other", Value()}, {"absolute", false}, {"locale", Value()}}));
  ASSIGN(const DateTime other, other_time(self, given[0]));
  const Value span = interval(self, other, false);
  return Value(difference_for_humans(*span.as<Span>(), given[0].is_none(), given[1].truth()));
}

Result<Value> format(const DateTime& self, const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("format", arguments, named, {"fmt", {"locale", Value()}}));
  TRY(defined(given[0]));
  if (!given[0].string())
    return type_error("expected string or bytes-like object, got '" + given[0].type_name() + "'");
  const std::string& text = *given[0].string();
  if (!given[1].is_none() && !given[1].text().starts_with("en"))
    return raised("ValueError", "only English is known here", Code::kUnimplemented);
  TRY(spend_bytes(text.size() * 4));
  return Value(pendulum_format(self, text));
}

struct NamedFormat {
  std::string_view name, format;
};

constexpr NamedFormat kFormats[] = {
    {"to_time_string", "HH:mm:ss"},
    {"to_datetime_string", "YYYY-MM-DD HH:mm:ss"},
    {"to_day_datetime_string", "ddd, MMM D, YYYY h:mm A"},
    {"to_atom_string", "YYYY-MM-DDTHH:mm:ssZ"},
    {"to_cookie_string", "dddd, DD-MMM-YYYY HH:mm:ss zz"},
    {"to_rfc822_string", "ddd, DD MMM YY HH:mm:ss ZZ"},
    {"to_rfc850_string", "dddd, DD-MMM-YY HH:mm:ss zz"},
    {"to_rfc1036_string", "ddd, DD MMM YY HH:mm:ss ZZ"},
    {"to_rfc1123_string", "ddd, DD MMM YYYY HH:mm:ss ZZ"},
    {"to_rfc2822_string", "ddd, DD MMM YYYY HH:mm:ss ZZ"},
    {"to_rss_string", "ddd, DD MMM YYYY HH:mm:ss ZZ"},
    {"to_w3c_string", "YYYY-MM-DDTHH:mm:ssZ"},
};

Result<Value> to_date_string(const DateTime& self, const List&, const Named&) {
  return Value(self.strftime("%Y-%m-%d"));
}

Result<Value> to_formatted_date_string(const DateTime& self, const List&, const Named&) {
  return Value(self.strftime("%b %d, %Y"));
}

Result<Value> to_rfc3339_string(const DateTime& self, const List&, const Named&) {
  return Value(self.isoformat('T'));
}

Result<Value> to_iso8601_string(const DateTime& self, const List&, const Named&) {
  const std::string text = self.isoformat('T');
  const bool utc = self.zone && self.zone->name() == "UTC";
  return Value(utc ? replaced(text, "+00:00", "Z", -1) : text);
}

Result<Value> is_utc(const DateTime& self, const List&, const Named&) {
  return Value(self.offset() == 0);
}

Result<Value> is_dst(const DateTime& self, const List&, const Named&) {
  return Value(self.zone && self.zone->is_daylight(self.instant()));
}

Result<Value> is_leap_year(const DateTime& self, const List&, const Named&) {
  return Value(days_in_month(self.local.year, 2) == 29);
}

Result<Value> is_long_year(const DateTime& self, const List&, const Named&) {
  DateTime late = self;
  late.local.month = 12, late.local.day = 28;
  return Value(late.iso_week().second == 53);
}

Result<Value> is_same_day(const DateTime& self, const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("is_same_day", arguments, named, {"dt"}));
  ASSIGN(const DateTime other, other_time(self, given[0]));
  return Value(self.local.year == other.local.year && self.local.month == other.local.month &&
               self.local.day == other.local.day);
}

Result<Value> is_future(const DateTime& self, const List&, const Named&) {
  ASSIGN(const DateTime now, other_time(self, Value()));
  return Value(self.instant() > now.instant());
}

Result<Value> is_past(const DateTime& self, const List&, const Named&) {
  ASSIGN(const DateTime now, other_time(self, Value()));
  return Value(self.instant() < now.instant());
}

struct NamedMethod {
  std::string_view name;
  Method method;
  bool dates;  ///< pendulum's Date has it, too
};

constexpr NamedMethod kMethods[] = {
    {"add", add<1>, true},
    {"subtract", add<-1>, true},
    {"set", set, false},
    {"at", at, false},
    {"on", on, false},
    {"in_timezone", in_timezone, false},
    {"in_tz", in_timezone, false},
    {"naive", naive, false},
    {"start_of", edge<false>, true},
    {"end_of", edge<true>, true},
    {"next", neighbour<1>, true},
    {"previous", neighbour<-1>, true},
    {"first_of", outermost<false>, true},
    {"last_of", outermost<true>, true},
    {"diff", diff, true},
    {"diff_for_humans", diff_for_humans, true},
    {"format", format, true},
    {"to_date_string", to_date_string, true},
    {"to_formatted_date_string", to_formatted_date_string, true},
    {"to_rfc3339_string", to_rfc3339_string, false},
    {"to_iso8601_string", to_iso8601_string, false},
    {"is_utc", is_utc, false},
    {"is_dst", is_dst, false},
    {"is_leap_year", is_leap_year, true},
    {"is_long_year", is_long_year, true},
    {"is_same_day", is_same_day, true},
    {"is_future", is_future, false},
    {"is_past", is_past, false},
};

std::optional<Value> property(const DateTime& time, std::string_view name) {
  if (name == "day_of_week") return time.weekday();
  if (name == "day_of_year") return time.day_of_year();
  if (name == "week_of_year") return time.iso_week().second;
  if (name == "days_in_month") return days_in_month(time.local.year, time.local.month);
  if (name == "quarter") return (time.local.month + 2) / 3;
  if (name == "week_of_month") {
    const calendar::Local first{time.local.year, time.local.month, 1};
    return (time.local.day + calendar::weekday(first) + 6) / 7;
  }
  if (time.kind != Kind::kDateTime) return std::nullopt;
  const std::int64_t instant = time.instant();
  if (name == "int_timestamp") return (instant - time.local.micro) / kSecond;
  if (name == "float_timestamp") return static_cast<double>(instant) / 1e6;
  if (name == "offset") return time.zone ? Value(time.offset()) : Value();
  if (name == "offset_hours") return time.zone ? Value(time.offset() / 3600.0) : Value();
  if (name == "timezone_name") return time.zone ? Value(std::string(time.zone->name())) : Value();
  if (name == "timezone" || name == "tz") return time.zone ? zone_value(*time.zone, true) : Value();
  return std::nullopt;
}

}  // namespace

std::optional<Value> pendulum_attribute(const DateTime& time, std::string_view name) {
  if (time.kind == Kind::kTime) return std::nullopt;
  if (auto found = property(time, name)) return found;
  for (const NamedMethod& each : kMethods)
    if (each.name == name && (each.dates || time.kind == Kind::kDateTime))
      return function(std::string(name), [time, each](const List& arguments, const Named& named) {
        return each.method(time, arguments, named);
      });
  if (time.kind != Kind::kDateTime) return std::nullopt;
  for (const NamedFormat& each : kFormats)
    if (each.name == name)
      return function(std::string(name), [time, each](const List&, const Named&) -> Result<Value> {
        return Value(pendulum_format(time, each.format));
      });
  return std::nullopt;
}

}  // namespace tailrace::jinja
