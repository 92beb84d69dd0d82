// The classes of the module datetime, and time zones as values.
#include <cmath>

#include "jinja/texts.h"
#include "jinja/times.h"

namespace tailrace::jinja {
namespace {

__extension__ using Wide = __int128;

using Named = Object::Named;
using Kind = DateTime::Kind;

/// A tzinfo: datetime.timezone, zoneinfo's, pendulum's.
class ZoneObject final : public Object {
 public:
  ZoneObject(calendar::Zone zone, bool pendulum) : zone(zone), pendulum_(pendulum) {}
  const calendar::Zone zone;
  std::string type_name() const override { return pendulum_ ? "Timezone" : "timezone"; }
  std::string text() const override {
    // ZoneInfo's str() is its key.
    return std::string(zone.name());
  }
  std::string repr() const override { return pendulum_ ? "Timezone('" + text() + "')" : text(); }
  Value attribute(std::string_view name) const override {
    if (name == "name" || name == "key") return std::string(zone.name());
    return Undefined{std::string(name),
                     "'" + type_name() + " object' has no attribute " + text_repr(name)};
  }
  bool equals(const Object& other) const override {
    const auto* that = dynamic_cast<const ZoneObject*>(&other);
    return that && that->zone == zone;
  }

 private:
  bool pendulum_;
};

/// A class: called it makes a value, and its attributes are class methods.
class Class final : public Object {
 public:
  using Attributes = std::vector<std::pair<std::string, Value>>;
  Class(std::string module, std::string name, Body make, Attributes attributes)
      : module_(std::move(module)),
        name_(std::move(name)),
        make_(std::move(make)),
        attributes_(std::move(attributes)) {}
  std::string type_name() const override { return "type"; }
  std::string text() const override { return "<class '" + module_ + "." + name_ + "'>"; }
  Value attribute(std::string_view name) const override {
    for (const auto& [known, value] : attributes_)
      if (known == name) return value;
    return Undefined{std::string(name), "type object '" + module_ + "." + name_ +
                                            "' has no attribute " + text_repr(name)};
  }
  Result<Value> call(const List& arguments, const Named& named) const override {
    return make_(arguments, named);
  }
  bool callable() const override { return true; }

 private:
  std::string module_, name_;
  Body make_;
  Attributes attributes_;
};

Value class_value(std::string module, std::string name, Body make, Class::Attributes attributes) {
  return Value(std::shared_ptr<const Object>(std::make_shared<Class>(
      std::move(module), std::move(name), std::move(make), std::move(attributes))));
}

Result<std::int64_t> whole(const Value& value) {
  TRY(defined(value));
  if (const auto number = value.index()) return *number;
  return type_error("'" + value.type_name() + "' object cannot be interpreted as an integer");
}

Result<std::int64_t> now_micros() {
  if (!budget() || !budget()->clock)
    return raised("TemplateRuntimeError", "there is no clock here", Code::kUnimplemented);
  return budget()->clock();
}

Result<std::optional<calendar::Zone>> optional_zone(const Value& value) {
  if (value.is_none()) return std::nullopt;
  ASSIGN(const calendar::Zone zone, zone_argument(value));
  return zone;
}

Value plain(std::int64_t instant, const std::optional<calendar::Zone>& zone) {
  DateTime out = DateTime::at(instant, zone.value_or(calendar::Zone::utc()), false);
  out.zone = zone;
  return out.value();
}

Result<Value> make_datetime(const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("datetime", arguments, named,
                                {"year",
                                 "month",
                                 "day",
                                 {"hour", 0},
                                 {"minute", 0},
                                 {"second", 0},
                                 {"microsecond", 0},
                                 {"tzinfo", Value()},
                                 {"fold", 0}}));
  std::int64_t parts[7];
  for (std::size_t i = 0; i < 7; ++i) {
    ASSIGN(parts[i], whole(given[i]));
  }
  ASSIGN(auto local,
         checked_local(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], parts[6]));
  ASSIGN(const auto zone, optional_zone(given[7]));
  local.fold = static_cast<int>(given[8].index().value_or(0));
  return DateTime{Kind::kDateTime, local, zone, false}.value();
}

Result<Value> make_date(const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("date", arguments, named, {"year", "month", "day"}));
  std::int64_t parts[3];
  for (std::size_t i = 0; i < 3; ++i) {
    ASSIGN(parts[i], whole(given[i]));
  }
  ASSIGN(const auto local, checked_local(parts[0], parts[1], parts[2]));
  return DateTime{Kind::kDate, local, std::nullopt, false}.value();
}

Result<Value> make_timedelta(const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("timedelta", arguments, named,
                                {{"days", 0},
                                 {"seconds", 0},
                                 {"microseconds", 0},
                                 {"milliseconds", 0},
                                 {"minutes", 0},
                                 {"hours", 0},
                                 {"weeks", 0}}));
  constexpr std::int64_t kUnits[] = {86'400'000'000, 1'000'000,      1, 1000, 60'000'000,
                                     3'600'000'000,  604'800'000'000};
  constexpr const char* kNames[] = {"days",    "seconds", "microseconds", "milliseconds",
                                    "minutes", "hours",   "weeks"};
  Wide total = 0;
  double rest = 0;
  for (std::size_t i = 0; i < 7; ++i) {
    TRY(defined(given[i]));
    if (const auto number = given[i].index()) {
      total += static_cast<Wide>(*number) * kUnits[i];
    } else if (const double* real = given[i].real()) {
      if (!(std::abs(*real) < 1e15))
        return raised("OverflowError", "cannot convert float infinity to integer");
      const double exact = *real * static_cast<double>(kUnits[i]);
      const double floor = std::trunc(exact);
      total += static_cast<Wide>(floor);
      rest += exact - floor;
    } else {
      return type_error(std::string("unsupported type for timedelta ") + kNames[i] +
                        " component: " + given[i].type_name());
    }
  }
  total += static_cast<Wide>(std::nearbyint(rest));
  const Wide most = static_cast<Wide>(106'000'000) * 86'400'000'000;
  if (total > most || total < -most)
    return raised("OverflowError", "a timedelta of more than 64 bits of microseconds",
                  Code::kOutOfRange);
  return Value(TimeDelta{static_cast<std::int64_t>(total)});
}

Result<Value> now(const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("now", arguments, named, {{"tz", Value()}}));
  ASSIGN(const auto zone, optional_zone(given[0]));
  ASSIGN(const std::int64_t micros, now_micros());
  return plain(micros, zone);
}

Result<Value> strptime(const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("strptime", arguments, named, {"date_string", "format"}));
  for (const Value& each : given) {
    TRY(defined(each));
    if (!each.string())
      return type_error("strptime() argument 1 must be str, not " + each.type_name());
  }
  ASSIGN(const DateTime made, parse_by_format(*given[0].string(), *given[1].string()));
  return made.value();
}

Result<Value> fromisoformat(const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("fromisoformat", arguments, named, {"date_string"}));
  TRY(defined(given[0]));
  if (!given[0].string()) return type_error("fromisoformat: argument must be str");
  const std::string& text = *given[0].string();
  const auto bad = [&] { return value_error("Invalid isoformat string: " + text_repr(text)); };
  if (text.size() < 10 || text[4] != '-' || text[7] != '-') return bad();
  const auto moment = calendar::parse_moment(text);
  if (!moment) return bad();
  const std::size_t clock = text.find_first_of("T ");
  const bool aware =
      clock != std::string::npos && text.find_first_of("+-Z", clock) != std::string::npos;
  DateTime out = DateTime::of(*moment);
  out.pendulum = false;
  if (!aware) out.zone.reset();
  return out.value();
}

Result<Value> fromtimestamp(const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("fromtimestamp", arguments, named, {"timestamp", {"tz", Value()}}));
  TRY(defined(given[0]));
  const auto number = given[0].number();
  if (!number)
    return type_error("'" + given[0].type_name() + "' object cannot be interpreted as an integer");
  if (!(std::abs(*number) < 2.6e11)) return value_error("year is out of range");
  ASSIGN(const auto zone, optional_zone(given[1]));
  const auto micros = static_cast<std::int64_t>(std::nearbyint(*number * 1e6));
  TRY(check_wall(micros));
  return plain(micros, zone);
}

Result<Value> combine(const List& arguments, const Named& named) {
  ASSIGN(const auto given,
         bind("combine", arguments, named, {"date", "time", {"tzinfo", Value()}}));
  const auto date = time_value(given[0]), time = time_value(given[1]);
  if (!date || !time) return type_error("combine() takes a date and a time");
  DateTime out = *date;
  out.kind = Kind::kDateTime;
  out.pendulum = false;
  out.local.hour = time->local.hour, out.local.minute = time->local.minute;
  out.local.second = time->local.second, out.local.micro = time->local.micro;
  out.zone = time->zone;
  if (!given[2].is_none()) {
    ASSIGN(out.zone, optional_zone(given[2]));
  }
  return out.value();
}

Result<Value> today_date(const List&, const Named&) {
  ASSIGN(const std::int64_t micros, now_micros());
  DateTime out = DateTime::at(micros, calendar::Zone::utc(), false);
  out.kind = Kind::kDate;
  out.zone.reset();
  out.local = {out.local.year, out.local.month, out.local.day};
  return out.value();
}

Result<Value> date_fromisoformat(const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("fromisoformat", arguments, named, {"date_string"}));
  if (!given[0].string()) return type_error("fromisoformat: argument must be str");
  auto made = parse_by_format(*given[0].string(), "%Y-%m-%d");
  if (!made) return value_error("Invalid isoformat string: " + given[0].repr());
  made->kind = Kind::kDate;
  return made->value();
}

Value bound_value(const DateTime& time) {
  return time.value();
}

}  // namespace

Value zone_value(const calendar::Zone& zone, bool pendulum) {
  return Value(std::shared_ptr<const Object>(std::make_shared<ZoneObject>(zone, pendulum)));
}

Result<calendar::Zone> zone_argument(const Value& value) {
  TRY(defined(value));
  if (const auto* held = value.as<ZoneObject>()) return held->zone;
  if (const auto* name = value.string()) {
    auto found = calendar::Zone::find(*name);
    if (!found)
      return raised("InvalidTimezone", "Invalid timezone \"" + *name + "\"", Code::kNotFound);
    return found;
  }
  if (const auto hours = value.number())
    return calendar::Zone::fixed(static_cast<int>(std::clamp(*hours, -23.9, 23.9) * 3600));
  return type_error("a time zone is needed, not " + value.type_name());
}

Value datetime_class() {
  const auto edge = [](int year, int month, int day, int hour, int minute, int micro) {
    return bound_value(
        {Kind::kDateTime, {year, month, day, hour, minute, minute, micro}, std::nullopt, false});
  };
  return class_value(
      "datetime", "datetime", make_datetime,
      {{"now", function("now", now)},
       {"utcnow", function("utcnow", [](const List&, const Named&) { return now({}, {}); })},
       {"today", function("today", [](const List&, const Named&) { return now({}, {}); })},
       {"strptime", function("strptime", strptime)},
       {"fromisoformat", function("fromisoformat", fromisoformat)},
       {"fromtimestamp", function("fromtimestamp", fromtimestamp)},
       {"utcfromtimestamp", function("utcfromtimestamp", fromtimestamp)},
       {"combine", function("combine", combine)},
       {"min", edge(1, 1, 1, 0, 0, 0)},
       {"max", edge(9999, 12, 31, 23, 59, 999999)}});
}

Value date_class() {
  return class_value("datetime", "date", make_date,
                     {{"today", function("today", today_date)},
                      {"fromisoformat", function("fromisoformat", date_fromisoformat)}});
}

Value timedelta_class() {
  return class_value("datetime", "timedelta", make_timedelta, {});
}

}  // namespace tailrace::jinja
