// Attributes and methods of datetime's types, and Airflow's filters of times.
#include <algorithm>
#include <cmath>

#include "jinja/filters.h"
#include "jinja/texts.h"
#include "jinja/times.h"

namespace tailrace::jinja {
namespace {

using Named = Object::Named;
using Kind = DateTime::Kind;
using Method = Result<Value> (*)(const DateTime& self, const List& arguments, const Named& named);

constexpr std::int64_t kSecond = 1'000'000, kDay = 86'400 * kSecond;

Result<Value> strftime(const DateTime& self, const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("strftime", arguments, named, {"format"}));
  TRY(defined(given[0]));
  if (!given[0].string())
    return type_error("strftime() argument 1 must be str, not " + given[0].type_name());
  TRY(spend_bytes(given[0].string()->size() * 4));
  return Value(self.strftime(*given[0].string()));
}

Result<Value> isoformat(const DateTime& self, const List& arguments, const Named& named) {
  ASSIGN(const auto given,
         bind("isoformat", arguments, named, {{"sep", "T"}, {"timespec", "auto"}}));
  const auto* separator = given[0].string();
  if (!separator || separator->size() != 1)
    return type_error("isoformat() argument 1 must be a unicode character, not " +
                      given[0].type_name());
  std::string out = self.isoformat(separator->front());
  const std::string spec = given[1].text();
  if (spec == "auto" || self.kind == Kind::kDate) return Value(std::move(out));
  const std::size_t clock = self.kind == Kind::kTime ? 0 : 11;
  const std::string tail = out.substr(clock + (self.local.micro ? 15 : 8));
  constexpr std::pair<std::string_view, std::size_t> kKept[] = {
      {"hours", 2}, {"minutes", 5}, {"seconds", 8}, {"milliseconds", 12}, {"microseconds", 15}};
  for (const auto& [name, size] : kKept) {
    if (name != spec) continue;
    std::string micros = std::to_string(self.local.micro);
    micros.insert(0, 6 - micros.size(), '0');
    const std::string full = out.substr(clock, 8) + "." + micros;
    return Value(out.substr(0, clock) + full.substr(0, size) + tail);
  }
  return value_error("Unknown timespec value");
}

Result<Value> replace(const DateTime& self, const List& arguments, const Named& named) {
  const bool time = self.kind == Kind::kTime, date = self.kind == Kind::kDate;
  const auto& now = self.local;
  std::vector<Value> given;
  const Value kept = Undefined{"kept"};
  if (time) {
    ASSIGN(given, bind("replace", arguments, named,
                       {{"hour", now.hour},
                        {"minute", now.minute},
                        {"second", now.second},
                        {"microsecond", now.micro},
                        {"tzinfo", kept},
                        {"fold", now.fold}}));
    given.insert(given.begin(), {Value(1900), Value(1), Value(1)});
  } else if (date) {
    ASSIGN(given, bind("replace", arguments, named,
                       {{"year", now.year}, {"month", now.month}, {"day", now.day}}));
    given.resize(9);
    for (std::size_t i = 3; i < 7; ++i) given[i] = Value(0);
    given[7] = kept, given[8] = Value(0);
  } else {
    ASSIGN(given, bind("replace", arguments, named,
                       {{"year", now.year},
                        {"month", now.month},
                        {"day", now.day},
                        {"hour", now.hour},
                        {"minute", now.minute},
                        {"second", now.second},
                        {"microsecond", now.micro},
                        {"tzinfo", kept},
                        {"fold", now.fold}}));
  }
  std::int64_t parts[7];
  for (std::size_t i = 0; i < 7; ++i) {
    if (!given[i].index())
      return type_error("'" + given[i].type_name() +
                        "' object cannot be interpreted as an integer");
    parts[i] = *given[i].index();
  }
  DateTime out = self;
  ASSIGN(out.local,
         checked_local(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], parts[6]));
  out.local.fold = static_cast<int>(given[8].index().value_or(0));
  if (given[7].is_none()) {
    out.zone.reset();
  } else if (!given[7].is_undefined()) {
    ASSIGN(out.zone, zone_argument(given[7]));
  }
  return out.value();
}

Result<Value> timestamp(const DateTime& self, const List&, const Named&) {
  return Value(static_cast<double>(self.instant()) / 1e6);
}

Result<Value> astimezone(const DateTime& self, const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("astimezone", arguments, named, {{"tz", Value()}}));
  calendar::Zone zone = calendar::Zone::utc();
  if (!given[0].is_none()) {
    ASSIGN(zone, zone_argument(given[0]));
  }
  return DateTime::at(self.instant(), zone, self.pendulum).value();
}

Result<Value> date_of(const DateTime& self, const List&, const Named&) {
  DateTime out = self;
  out.kind = Kind::kDate;
  out.zone.reset();
  out.local = {self.local.year, self.local.month, self.local.day};
  return out.value();
}

Result<Value> time_of(const DateTime& self, const List&, const Named&) {
  DateTime out = self;
  out.kind = Kind::kTime;
  out.zone.reset();
  out.local.year = 1900, out.local.month = 1, out.local.day = 1;
  return out.value();
}

template <int kFirst>
Result<Value> weekday(const DateTime& self, const List&, const Named&) {
  return Value(self.weekday() + kFirst);
}

Result<Value> isocalendar(const DateTime& self, const List&, const Named&) {
  const auto [year, week] = self.iso_week();
  return Value(Tuple{{Value(year), Value(week), Value(self.weekday() + 1)}});
}

Result<Value> timetuple(const DateTime& self, const List&, const Named&) {
  const auto& l = self.local;
  List parts;
  for (const int part :
       {l.year, l.month, l.day, l.hour, l.minute, l.second, self.weekday(), self.day_of_year(), -1})
    parts.emplace_back(part);
  return Value(Tuple{std::move(parts)});
}

Result<Value> toordinal(const DateTime& self, const List&, const Named&) {
  const std::int64_t days = wall_of({self.local.year, self.local.month, self.local.day}) / kDay;
  const bool before = wall_of({self.local.year, self.local.month, self.local.day}) % kDay < 0;
  return Value(days - (before ? 1 : 0) + 719163);
}

Result<Value> utcoffset(const DateTime& self, const List&, const Named&) {
  return self.zone ? Value(TimeDelta{self.offset() * kSecond}) : Value();
}

Result<Value> tzname(const DateTime& self, const List&, const Named&) {
  return self.zone ? Value(std::string(self.zone->abbreviation(self.instant()))) : Value();
}

Result<Value> ctime(const DateTime& self, const List&, const Named&) {
  return Value(self.strftime("%a %b %e %H:%M:%S %Y"));
}

Result<Value> dst(const DateTime& self, const List&, const Named&) {
  if (!self.zone) return Value();
  return Value(TimeDelta{self.zone->is_daylight(self.instant()) ? 3600 * kSecond : 0});
}

struct NamedMethod {
  std::string_view name;
  Method method;
  bool dates, times;  ///< dates and times have it, too
};

constexpr NamedMethod kMethods[] = {
    {"strftime", strftime, true, true},
    {"isoformat", isoformat, true, true},
    {"replace", replace, true, true},
    {"timestamp", timestamp, false, false},
    {"astimezone", astimezone, false, false},
    {"date", date_of, false, false},
    {"time", time_of, false, false},
    {"weekday", weekday<0>, true, false},
    {"isoweekday", weekday<1>, true, false},
    {"isocalendar", isocalendar, true, false},
    {"timetuple", timetuple, true, false},
    {"toordinal", toordinal, true, false},
    {"utcoffset", utcoffset, false, true},
    {"tzname", tzname, false, true},
    {"ctime", ctime, true, false},
    {"dst", dst, false, true},
};

std::optional<Value> part(const DateTime& time, std::string_view name) {
  const auto& local = time.local;
  if (time.kind != Kind::kTime) {
    if (name == "year") return local.year;
    if (name == "month") return local.month;
    if (name == "day") return local.day;
  }
  if (time.kind == Kind::kDate) return std::nullopt;
  if (name == "hour") return local.hour;
  if (name == "minute") return local.minute;
  if (name == "second") return local.second;
  if (name == "microsecond") return local.micro;
  if (name == "fold") return local.fold;
  if (name == "tzinfo") return time.zone ? zone_value(*time.zone, time.pendulum) : Value();
  return std::nullopt;
}

}  // namespace

std::optional<Value> time_attribute(const DateTime& time, std::string_view name) {
  if (auto found = part(time, name)) return found;
  for (const NamedMethod& each : kMethods) {
    if (each.name != name) continue;
    if ((time.kind == Kind::kDate && !each.dates) || (time.kind == Kind::kTime && !each.times))
      return std::nullopt;
    return function(std::string(name), [time, each](const List& arguments, const Named& named) {
      return each.method(time, arguments, named);
    });
  }
  return std::nullopt;
}

std::optional<Value> delta_attribute(TimeDelta delta, std::string_view name) {
  std::int64_t days = delta.micros / kDay, rest = delta.micros % kDay;
  if (rest < 0) rest += kDay, --days;
  if (name == "days") return days;
  if (name == "seconds") return rest / kSecond;
  if (name == "microseconds") return rest % kSecond;
  if (name == "total_seconds")
    return function("total_seconds", [delta](const List&, const Named&) -> Result<Value> {
      return Value(static_cast<double>(delta.micros) / 1e6);
    });
  return std::nullopt;
}

// --- Airflow's filters ---------------------------------------------------------------------------

namespace {

/// A method of the value by name; None stays None.
Result<Value> through(const Call& call, std::string_view method, List arguments) {
  if (call.value.is_none()) return Value();
  TRY(defined(call.value));
  ASSIGN(const Value found, get_attribute(call.value, method));
  if (found.is_undefined())
    return raised("AttributeError",
                  "'" + call.value.type_name() + "' object has no attribute " + text_repr(method));
  return jinja::call(found, arguments, {});
}

Result<Value> ts_nodash_with_tz(const Call& call) {
  ASSIGN(const Value text, through(call, "isoformat", {}));
  if (!text.string()) return text;
  return Value(replaced(replaced(*text.string(), "-", "", -1), ":", "", -1));
}

constexpr NamedFilter kFilters[] = {
    {"ds", [](const Call& call) { return through(call, "strftime", {"%Y-%m-%d"}); }},
    {"ds_nodash", [](const Call& call) { return through(call, "strftime", {"%Y%m%d"}); }},
    {"ts", [](const Call& call) { return through(call, "isoformat", {}); }},
    {"ts_nodash", [](const Call& call) { return through(call, "strftime", {"%Y%m%dT%H%M%S"}); }},
    {"ts_nodash_with_tz", ts_nodash_with_tz},
};

}  // namespace

std::span<const NamedFilter> time_filters() {
  return kFilters;
}

}  // namespace tailrace::jinja
