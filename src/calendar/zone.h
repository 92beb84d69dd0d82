// Time zones: an instant to its local time and back, with the gaps and folds of daylight saving,
// and times as text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tailrace::calendar {

/// Microseconds since 1970-01-01 UTC (Python's datetime has no finer time).
using Micros = std::int64_t;

/// What a clock on the wall shows, in the proleptic Gregorian calendar; years 1 to 9999.
struct Local {
  int year = 1970;
  int month = 1, day = 1;  ///< from 1
  int hour = 0, minute = 0, second = 0, micro = 0;
  int fold = 0;  ///< PEP 495: 1 is the later of two equal local times
  bool operator==(const Local&) const = default;
};

/// 0 is Monday.
int weekday(const Local& local);

class ZoneRules;

/// An IANA zone (`Europe/Berlin`), `UTC`, or a fixed offset (`+02:00`). Cheap to copy: a pointer to
/// rules that live as long as the program.
class Zone {
 public:
  Zone() : Zone(utc()) {}
  static Zone utc();
  static Zone fixed(int seconds_east);
  /// Of the system's database ($TZDIR or /usr/share/zoneinfo), of any thread; a zone is read once.
  /// kNotFound names the nearest zone.
  static Result<Zone> find(std::string_view name);
  /// Of a TZif file's bytes, for tests that know their zones.
  static Result<Zone> read(std::string_view name, std::string_view tzif);

  std::string_view name() const;
  Local to_local(Micros instant) const;
  /// A local time in a gap is read with the offset before the gap, so it moves on by as much as the
  /// clocks did (pendulum; PEP 495 with fold 0). Where clocks were put back, `fold` decides.
  Micros to_instant(const Local& local) const;
  int offset_seconds(Micros instant) const;
  bool is_daylight(Micros instant) const;
  /// `CEST`, `+0530`.
  std::string_view abbreviation(Micros instant) const;
  bool operator==(const Zone&) const = default;

 private:
  explicit Zone(const ZoneRules* rules) : rules_(rules) {}
  const ZoneRules* rules_;
};

/// An instant that remembers its zone: Python's aware datetime.
struct Moment {
  Micros instant = 0;
  Zone zone = Zone::utc();
};

/// ISO 8601 as `datetime.isoformat()`: `2026-01-02T03:04:05.000006+00:00`, without a fraction of 0.
std::string isoformat(const Moment& moment);
/// What `pendulum.parse` takes of ISO 8601 (dates, weeks, ordinals, times, offsets); without an
/// offset it is in `zone`. A time without a date, an interval and a duration are kInvalidArgument.
Result<Moment> parse_moment(std::string_view text, const Zone& zone = Zone::utc());
/// glibc's and Python's strftime directives, in the C locale on a system whose own zone is UTC,
/// which
/// `%s` and a `%Z` or `%z` with flags show.
std::string strftime(const Moment& moment, std::string_view format);

}  // namespace tailrace::calendar
