// Time zones: an instant to its local time and back, with the gaps and folds of daylight saving.
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

/// An IANA zone (`Europe/Berlin`), `UTC`, or a fixed offset (`+02:00`). Cheap to copy; zones of the
/// system's database live as long as the program.
class Zone {
 public:
  static Zone utc();
  static Zone fixed(int seconds_east);
  /// kNotFound names the nearest zone.
  static Result<Zone> find(std::string_view name);

  std::string_view name() const;
  Local to_local(Micros instant) const;
  /// A local time in a gap is read with the offset before the gap (pendulum and PEP 495, fold 0).
  Micros to_instant(const Local& local) const;
  int offset_seconds(Micros instant) const;
  bool operator==(const Zone&) const;

 private:
  const void* zone_ = nullptr;  ///< null: UTC and `east_`
  int east_ = 0;
  std::string name_ = "UTC";
};

/// An instant that remembers its zone: Python's aware datetime.
struct Moment {
  Micros instant = 0;
  Zone zone = Zone::utc();
};

/// ISO 8601 as `datetime.isoformat()`: `2026-01-02T03:04:05.000006+00:00`, without a fraction of 0.
std::string isoformat(const Moment& moment);
/// What `pendulum.parse` takes of ISO 8601 (dates, weeks, ordinals, times, offsets); without an
/// offset it is in `zone`.
Result<Moment> parse_moment(std::string_view text, const Zone& zone = Zone::utc());
/// glibc's and Python's strftime directives, in the C locale.
std::string strftime(const Moment& moment, std::string_view format);

}  // namespace tailrace::calendar
