// Python's dates and times as templates meet them: datetime's (naive or aware), its date and time,
// and pendulum's DateTime, Interval and Duration.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "calendar/zone.h"
#include "jinja/python.h"

namespace tailrace::jinja {

/// One of datetime.datetime, datetime.date, datetime.time; pendulum's twins say so.
struct DateTime {
  enum class Kind { kDateTime, kDate, kTime };
  Kind kind = Kind::kDateTime;
  calendar::Local local;
  std::optional<calendar::Zone> zone;  ///< none: naive
  bool pendulum = false;

  static DateTime of(const calendar::Moment& moment);
  static DateTime at(std::int64_t instant, const calendar::Zone& zone, bool pendulum);
  /// An aware pendulum DateTime is a Moment, all others are objects.
  Value value() const;
  std::int64_t instant() const;  ///< a naive one as if it were UTC
  std::int64_t wall() const;     ///< microseconds of what the wall shows, as if it were UTC
  std::int64_t stamp() const { return instant(); }
  int offset() const;  ///< seconds east; 0 of naive ones
  bool same_time(const DateTime& other) const;
  std::string isoformat(char separator = 'T') const;
  std::string text() const;
  std::string repr() const;
  std::string type_name() const;
  std::string strftime(std::string_view format) const;
  DateTime with_wall(std::int64_t micros) const;  ///< the same zone, another wall time
  int weekday() const { return calendar::weekday(local); }
  int day_of_year() const;
  /// ISO 8601: year and week.
  std::pair<int, int> iso_week() const;
};

/// What the value is when it is one of them.
std::optional<DateTime> time_value(const Value& value);
/// The microseconds of a timedelta, Duration or Interval.
std::optional<std::int64_t> delta_value(const Value& value);
std::string delta_text(TimeDelta delta);
std::string delta_repr(TimeDelta delta);

std::int64_t wall_of(const calendar::Local& local);
calendar::Local local_of(std::int64_t wall);
int days_in_month(int year, int month);
/// A local time of these parts; ValueError in Python's words when there is none.
Result<calendar::Local> checked_local(std::int64_t year, std::int64_t month, std::int64_t day,
                                      std::int64_t hour = 0, std::int64_t minute = 0,
                                      std::int64_t second = 0, std::int64_t micro = 0);
/// Of years 1 to 9999, or OverflowError.
Status check_wall(std::int64_t wall);

/// A datetime.datetime, date or time as a value.
class PlainTime final : public Object {
 public:
  explicit PlainTime(DateTime held) : held(std::move(held)) {}
  const DateTime held;
  std::string type_name() const override { return held.type_name(); }
  std::string text() const override { return held.text(); }
  std::string repr() const override { return held.repr(); }
  Value attribute(std::string_view name) const override;
  std::size_t hash() const override { return std::hash<std::int64_t>()(held.stamp()); }
};

/// pendulum's Duration, and its Interval when it has ends.
class Span final : public Object {
 public:
  int years = 0, months = 0;
  std::int64_t micros = 0;  ///< without the years and months
  std::optional<DateTime> start, end;
  bool absolute = false;
  std::int64_t total() const;
  std::string type_name() const override { return start ? "Interval" : "Duration"; }
  std::string text() const override;
  std::string repr() const override;
  Value attribute(std::string_view name) const override;
  bool truth() const override { return total() != 0; }
  std::size_t hash() const override { return std::hash<std::int64_t>()(total()); }
  std::string words(std::string_view separator) const;
  /// Calendar parts of an Interval (pendulum's precise_diff), or those of a Duration.
  struct Parts {
    int years = 0, months = 0, days = 0, hours = 0, minutes = 0, seconds = 0, micros = 0;
    std::int64_t total_days = 0;
  };
  Parts parts() const;
};
Value interval(const DateTime& start, const DateTime& end, bool absolute);
/// pendulum's diff_for_humans.
std::string difference_for_humans(const Span& span, bool is_now, bool absolute);

/// pendulum's DateTime.add, and timedelta's addition for others.
struct Shift {
  std::int64_t years = 0, months = 0, days = 0;  ///< on the calendar
  std::int64_t micros = 0;                       ///< on the clock
};
Result<DateTime> shifted(const DateTime& time, const Shift& shift);
Result<DateTime> plus(const DateTime& time, const Value& delta, int sign);

/// pendulum's format tokens, in English.
std::string pendulum_format(const DateTime& time, std::string_view format);
/// datetime.strptime.
Result<DateTime> parse_by_format(std::string_view text, std::string_view format);

/// Attributes and methods of dates, times and deltas.
std::optional<Value> time_attribute(const DateTime& time, std::string_view name);
std::optional<Value> date_attribute(const DateTime& time, std::string_view name);
std::optional<Value> pendulum_attribute(const DateTime& time, std::string_view name);
std::optional<Value> delta_attribute(TimeDelta delta, std::string_view name);
/// The classes `datetime`, `date`, `time` and `timedelta` of the module datetime.
Value datetime_class();
Value date_class();
Value timedelta_class();
/// A zone given by name, or taken from a zone object.
Result<calendar::Zone> zone_argument(const Value& value);
Value zone_value(const calendar::Zone& zone, bool pendulum);

}  // namespace tailrace::jinja
