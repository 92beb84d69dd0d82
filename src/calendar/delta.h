// Spans of time: Python's datetime.timedelta, and dateutil's relativedelta, which moves by months.
#pragma once

#include <optional>
#include <string>

#include "calendar/zone.h"

namespace tailrace::calendar {

/// What a datetime.timedelta or a dateutil relativedelta says; months and years move the calendar,
/// the day of the month at most to the month's last, and then the rest is added.
struct Delta {
  int years = 0, months = 0;
  Micros micros = 0;
  bool relative = false;  ///< it is a relativedelta, which only its text and a month show
  bool operator==(const Delta&) const = default;
};

/// `instant + delta`, in UTC's calendar; none outside of years 1 to 9999.
std::optional<Micros> plus(Micros instant, const Delta& delta);
std::optional<Micros> minus(Micros instant, const Delta& delta);

/// Python's str(): `1 day, 0:05:00`, `-1 day, 23:59:59.500000`; `relativedelta(months=+1)`.
std::string delta_text(const Delta& delta);

}  // namespace tailrace::calendar
