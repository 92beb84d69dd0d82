#include "jinja/times.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "jinja/methods.h"
#include "jinja/texts.h"

namespace tailrace::jinja {
namespace {

constexpr std::int64_t kSecond = 1'000'000, kDay = 86'400 * kSecond;

std::int64_t days_of(int year, int month, int day) {
  // Days since 1970-01-01 in the proleptic Gregorian calendar.
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t of_era = y - era * 400;
  const std::int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

bool is_leap(int year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

std::string padded(std::int64_t number, std::size_t digits) {
  std::string out = std::to_string(std::abs(number));
  if (out.size() < digits) out.insert(0, digits - out.size(), '0');
  return out;
}

std::string offset_text(int seconds) {
  const int size = std::abs(seconds);
  std::string out =
      (seconds < 0 ? "-" : "+") + padded(size / 3600, 2) + ":" + padded(size / 60 % 60, 2);
  return size % 60 ? out + ":" + padded(size % 60, 2) : out;
}

std::string clock_text(const calendar::Local& local) {
  std::string out =
      padded(local.hour, 2) + ":" + padded(local.minute, 2) + ":" + padded(local.second, 2);
  return local.micro ? out + "." + padded(local.micro, 6) : out;
}

std::string zone_repr(const calendar::Zone& zone, bool pendulum) {
  const std::string name(zone.name());
  const bool fixed = name.starts_with('+') || name.starts_with('-');
  if (pendulum && fixed)
    return "FixedTimezone(" + std::to_string(zone.offset_seconds(0)) + ", name=\"" + name + "\")";
  if (pendulum) return "Timezone('" + name + "')";
  if (name == "UTC") return "datetime.timezone.utc";
  if (!fixed) return "zoneinfo.ZoneInfo(key='" + name + "')";
  return "datetime.timezone(" + delta_repr({zone.offset_seconds(0) * kSecond}) + ")";
}

}  // namespace

std::int64_t wall_of(const calendar::Local& local) {
  return days_of(local.year, local.month, local.day) * kDay +
         ((local.hour * 60LL + local.minute) * 60 + local.second) * kSecond + local.micro;
}

calendar::Local local_of(std::int64_t wall) {
  return calendar::Zone::utc().to_local(wall);
}

int days_in_month(int year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

Status check_wall(std::int64_t wall) {
  static const std::int64_t kFirst = days_of(1, 1, 1) * kDay;
  static const std::int64_t kEnd = days_of(10000, 1, 1) * kDay;
  if (wall >= kFirst && wall < kEnd) return {};
  return raised("OverflowError", "date value out of range");
}

Result<calendar::Local> checked_local(std::int64_t year, std::int64_t month, std::int64_t day,
                                      std::int64_t hour, std::int64_t minute, std::int64_t second,
                                      std::int64_t micro) {
  if (year < 1 || year > 9999)
    return value_error("year " + std::to_string(year) + " is out of range");
  if (month < 1 || month > 12) return value_error("month must be in 1..12");
  if (day < 1 || day > days_in_month(static_cast<int>(year), static_cast<int>(month)))
    return value_error("day is out of range for month");
  if (hour < 0 || hour > 23) return value_error("hour must be in 0..23");
  if (minute < 0 || minute > 59) return value_error("minute must be in 0..59");
  if (second < 0 || second > 59) return value_error("second must be in 0..59");
  if (micro < 0 || micro > 999999) return value_error("microsecond must be in 0..999999");
  calendar::Local local;
  local.year = static_cast<int>(year), local.month = static_cast<int>(month);
  local.day = static_cast<int>(day), local.hour = static_cast<int>(hour);
  local.minute = static_cast<int>(minute), local.second = static_cast<int>(second);
  local.micro = static_cast<int>(micro);
  return local;
}

// --- DateTime ------------------------------------------------------------------------------------

DateTime DateTime::of(const calendar::Moment& moment) {
  return at(moment.instant, moment.zone, true);
}

DateTime DateTime::at(std::int64_t instant, const calendar::Zone& zone, bool pendulum) {
  return {Kind::kDateTime, zone.to_local(instant), zone, pendulum};
}

Value DateTime::value() const {
  if (kind == Kind::kDateTime && pendulum && zone) return calendar::Moment{instant(), *zone};
  return Value(std::shared_ptr<const Object>(std::make_shared<PlainTime>(*this)));
}

std::int64_t DateTime::wall() const {
  return wall_of(local);
}

std::int64_t DateTime::instant() const {
  return zone && kind == Kind::kDateTime ? zone->to_instant(local) : wall();
}

int DateTime::offset() const {
  return zone && kind == Kind::kDateTime ? zone->offset_seconds(instant()) : 0;
}

bool DateTime::same_time(const DateTime& other) const {
  return kind == other.kind && zone.has_value() == other.zone.has_value() &&
         instant() == other.instant();
}

std::string DateTime::isoformat(char separator) const {
  const std::string date =
      padded(local.year, 4) + "-" + padded(local.month, 2) + "-" + padded(local.day, 2);
  if (kind == Kind::kDate) return date;
  const std::string clock =
      clock_text(local) + (zone && kind == Kind::kDateTime ? offset_text(offset()) : "");
  return kind == Kind::kTime ? clock : date + separator + clock;
}

std::string DateTime::text() const {
  return isoformat(' ');
}

std::string DateTime::type_name() const {
  if (kind == Kind::kDate) return pendulum ? "Date" : "date";
  if (kind == Kind::kTime) return pendulum ? "Time" : "time";
  return pendulum ? "DateTime" : "datetime";
}

std::string DateTime::repr() const {
  const auto part = [](int number) { return ", " + std::to_string(number); };
  std::string out = (pendulum ? "" : "datetime.") + type_name() + "(";
  if (kind != Kind::kTime) {
    out += std::to_string(local.year) + part(local.month) + part(local.day);
    if (kind == Kind::kDate) return out + ")";
    out += part(local.hour) + part(local.minute);
  } else {
    out += std::to_string(local.hour) + part(local.minute);
  }
  if (pendulum || local.second || local.micro) out += part(local.second);
  if (local.micro) out += part(local.micro);
  if (zone) out += ", tzinfo=" + zone_repr(*zone, pendulum);
  if (!pendulum && local.fold) out += ", fold=1";
  return out + ")";
}

std::string DateTime::strftime(std::string_view format) const {
  std::string plain;
  if (!zone) {
    // A naive time has nothing to say for its zone.
    for (std::size_t i = 0; i < format.size(); ++i) {
      if (format[i] == '%' && i + 1 < format.size()) {
        if (format[i + 1] != 'z' && format[i + 1] != 'Z') plain += format.substr(i, 2);
        ++i;
      } else {
        plain += format[i];
      }
    }
    format = plain;
  }
  return calendar::strftime({instant(), zone.value_or(calendar::Zone::utc())}, format);
}

DateTime DateTime::with_wall(std::int64_t micros) const {
  DateTime out = *this;
  const int fold = local.fold;
  out.local = local_of(micros);
  out.local.fold = kind == Kind::kDateTime ? fold : 0;
  return out;
}

int DateTime::day_of_year() const {
  return static_cast<int>(days_of(local.year, local.month, local.day) - days_of(local.year, 1, 1)) +
         1;
}

std::pair<int, int> DateTime::iso_week() const {
  const auto weeks_in = [](int year) {
    calendar::Local first{};
    first.year = year, first.month = 1, first.day = 1;
    const int day = calendar::weekday(first);
    return day == 3 || (day == 2 && is_leap(year)) ? 53 : 52;
  };
  const int week = (day_of_year() - weekday() + 9) / 7;
  if (week < 1) return {local.year - 1, weeks_in(local.year - 1)};
  if (week > weeks_in(local.year)) return {local.year + 1, 1};
  return {local.year, week};
}

std::optional<DateTime> time_value(const Value& value) {
  if (const auto* moment = value.moment()) return DateTime::of(*moment);
  if (const auto* plain = value.as<PlainTime>()) return plain->held;
  return std::nullopt;
}

std::optional<std::int64_t> delta_value(const Value& value) {
  if (const auto* delta = value.delta()) return delta->micros;
  if (const auto* span = value.as<Span>()) return span->total();
  return std::nullopt;
}

namespace {

/// A timedelta's days, seconds and microseconds: only the days may be negative.
struct DeltaParts {
  std::int64_t days, seconds, micros;
};

DeltaParts parts_of(TimeDelta delta) {
  std::int64_t days = delta.micros / kDay, rest = delta.micros % kDay;
  if (rest < 0) rest += kDay, --days;
  return {days, rest / kSecond, rest % kSecond};
}

}  // namespace

std::string delta_text(TimeDelta delta) {
  const auto [days, seconds, micros] = parts_of(delta);
  std::string out;
  if (days != 0) out = std::to_string(days) + (std::abs(days) == 1 ? " day, " : " days, ");
  out += std::to_string(seconds / 3600) + ":" + padded(seconds / 60 % 60, 2) + ":" +
         padded(seconds % 60, 2);
  return micros ? out + "." + padded(micros, 6) : out;
}

std::string delta_repr(TimeDelta delta) {
  const auto [days, seconds, micros] = parts_of(delta);
  std::string parts;
  for (const auto& [name, count] :
       {std::pair{"days", days}, std::pair{"seconds", seconds}, std::pair{"microseconds", micros}})
    if (count != 0)
      parts += (parts.empty() ? "" : ", ") + std::string(name) + "=" + std::to_string(count);
  return "datetime.timedelta(" + (parts.empty() ? "0" : parts) + ")";
}

Value PlainTime::attribute(std::string_view name) const {
  if (auto found = own_attribute(held.value(), name)) return *found;
  return Undefined{std::string(name)};
}

// --- arithmetic ----------------------------------------------------------------------------------

namespace {

/// pendulum's convert of a wall time: a time in a gap moves on with fold 1 and back with fold 0.
std::int64_t settled(const calendar::Local& local, const calendar::Zone& zone) {
  const std::int64_t instant = zone.to_instant(local);
  const std::int64_t shown = wall_of(zone.to_local(instant)), wall = wall_of(local);
  return shown > wall && local.fold == 0 ? instant - (shown - wall) : instant;
}

}  // namespace

Result<DateTime> shifted(const DateTime& time, const Shift& shift) {
  const auto bounded = [](std::int64_t n) { return std::abs(n) < 4'000'000; };
  if (!bounded(shift.years) || !bounded(shift.months) || !bounded(shift.days) ||
      std::abs(shift.micros) > 400'000'000 * kSecond * 1000)
    return raised("OverflowError", "date value out of range");
  const bool calendar_units = shift.years != 0 || shift.months != 0 || shift.days != 0;
  const std::int64_t months = shift.years * 12 + shift.months;
  std::int64_t wall = calendar_units || !time.zone ? time.wall() : time.instant();
  if (months != 0) {
    calendar::Local local = time.local;
    const std::int64_t all = local.year * 12LL + local.month - 1 + months;
    const std::int64_t year = all >= 0 ? all / 12 : (all - 11) / 12;
    if (year < 1 || year > 9999)
      return value_error("year " + std::to_string(year) + " is out of range");
    local.year = static_cast<int>(year);
    local.month = static_cast<int>(all - year * 12) + 1;
    local.day = std::min(local.day, days_in_month(local.year, local.month));
    wall = wall_of(local);
  }
  wall += shift.days * kDay + shift.micros;
  TRY(check_wall(wall));
  if (time.kind == DateTime::Kind::kDate || !time.zone) return time.with_wall(wall);
  if (!calendar_units) return DateTime::at(wall, *time.zone, time.pendulum);
  calendar::Local local = local_of(wall);
  local.fold = 1;
  return DateTime::at(settled(local, *time.zone), *time.zone, time.pendulum);
}

Result<DateTime> plus(const DateTime& time, const Value& delta, int sign) {
  const std::int64_t micros = *delta_value(delta) * sign;
  const auto* span = delta.as<Span>();
  if (time.kind == DateTime::Kind::kDate) {
    const auto days = parts_of({*delta_value(delta)}).days;
    return shifted(time, {0, 0, days * sign, 0});
  }
  if (time.pendulum && span && span->start) {
    const Span::Parts parts = span->parts();
    if (sign > 0)
      return shifted(time, {parts.years, parts.months, parts.days,
                            ((parts.hours * 60LL + parts.minutes) * 60 + parts.seconds) * kSecond +
                                parts.micros});
    return shifted(time, {-parts.years, -parts.months, 0, micros});
  }
  if (time.pendulum && span) {
    if (sign > 0) {
      const std::int64_t days = span->micros / kDay;
      return shifted(time, {span->years, span->months, days, span->micros - days * kDay});
    }
    return shifted(time, {-span->years, -span->months, 0, -span->micros});
  }
  if (time.pendulum) return shifted(time, {0, 0, 0, micros});
  // datetime's own arithmetic is on the wall clock.
  TRY(check_wall(time.wall()));
  std::int64_t wall = 0;
  if (__builtin_add_overflow(time.wall(), micros, &wall))
    return raised("OverflowError", "date value out of range");
  TRY(check_wall(wall));
  DateTime out = time.with_wall(wall);
  out.local.fold = 0;
  return out;
}

Value interval(const DateTime& start, const DateTime& end, bool absolute) {
  auto made = std::make_shared<Span>();
  made->start = start;
  made->end = end;
  if (absolute && start.instant() > end.instant()) std::swap(made->start, made->end);
  made->absolute = absolute;
  made->micros = made->end->instant() - made->start->instant();
  return Value(std::shared_ptr<const Object>(std::move(made)));
}

}  // namespace tailrace::jinja
