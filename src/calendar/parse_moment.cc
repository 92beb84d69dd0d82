// parse_moment(): ISO 8601 as pendulum.parse reads it, and the few other forms it takes.
//
//   moment   = date [ ("T" | " ") time [ zone ] ]
//   extended = YYYY "-" ( MM [ "-" DD ] | DDD | "W" ww [ "-" D ] ), its time HH [ ":" MM [ ":" SS
//   [fraction] ] ] basic    = YYYY [ MMDD | DDD | "W" ww [ D ] ], its time HH [ MM [ SS [fraction]
//   ] ] fraction = ("." | ",") digit*, of which six count zone     = "Z" | ("+" | "-") HH [ ":" ] [
//   MM ] else: YYYY [ sep MM sep DD ] [ " " ] H ":" M [ ":" S ] [ fraction ], where sep is "/", ":"
//   or nothing
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "calendar/civil.h"
#include "calendar/zone.h"

namespace tailrace::calendar {
namespace {

struct Parsed {
  Local local;
  bool has_zone = false;
  int east = 0;
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// A text that is taken from its beginning; `ok` is lost at the first thing that does not fit.
class Text {
 public:
  explicit Text(std::string_view text) : rest_(text) {}

  bool ok() const { return ok_; }
  bool empty() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }
  void fail() { ok_ = false; }

  bool take(std::string_view any_of) {
    if (rest_.empty() || any_of.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::size_t digits() const {
    return static_cast<std::size_t>(std::ranges::find_if_not(rest_, is_digit) - rest_.begin());
  }

  /// A number of `least` to `most` digits.
  int number(std::size_t least, std::size_t most) {
    const std::size_t count = std::min(digits(), most);
    if (count < least) ok_ = false;
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value * 10 + (rest_[i] - '0');
    rest_.remove_prefix(count);
    return value;
  }
  int number(std::size_t count) { return number(count, count); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

void set_date(Local& local, std::int64_t days) {
  const Date date = date_of(days);
  local.year = date.year;
  local.month = date.month;
  local.day = date.day;
}

void set_day_of_year(Text& text, Local& local, int day) {
  if (day < 1 || day > (is_leap(local.year) ? 366 : 365)) text.fail();
  set_date(local, days_of({local.year, 1, 1}) + day - 1);
}

void set_week(Text& text, Local& local, int week, int weekday) {
  const bool long_year = iso_week_of(days_of({local.year, 12, 28})).week == 53;
  if (week > (long_year ? 53 : 52) || weekday > 7) text.fail();
  const std::int64_t fourth = days_of({local.year, 1, 4});
  set_date(local, fourth - weekday_of(fourth) + (week - 1) * 7 + weekday - 1);
}

void take_extended_date(Text& text, Local& local) {
  if (text.take("W")) {
    const int week = text.number(2);
    set_week(text, local, week, text.take("-") ? text.number(1) : 1);
  } else if (text.digits() == 3) {
    set_day_of_year(text, local, text.number(3));
  } else {
    local.month = text.number(2);
    local.day = text.take("-") ? text.number(2) : 1;
  }
}

void take_basic_date(Text& text, Local& local) {
  if (text.take("W")) {
    const int week = text.number(2);
    set_week(text, local, week, text.digits() > 0 ? text.number(1) : 1);
  } else if (text.digits() == 3) {
    set_day_of_year(text, local, text.number(3));
  } else if (text.digits() > 0) {
    local.month = text.number(2);
    local.day = text.number(2);
  }
}

/// `.5` is half a second; digits after the sixth are dropped.
void take_fraction(Text& text, Local& local, std::string_view points, std::size_t most) {
  if (!text.take(points)) return;
  const std::size_t count = text.digits();
  if (count == 0 || count > most) text.fail();
  int micro = text.number(0, 6);
  for (std::size_t i = count; i < 6; ++i) micro *= 10;
  text.number(0, std::max<std::size_t>(count, 6) - 6);
  local.micro = micro;
}

void take_time(Text& text, Local& local, bool extended) {
  local.hour = text.number(2);
  const bool colon = text.take(":");
  if (!colon && (extended || text.digits() == 0)) return;
  local.minute = text.number(2);
  if (extended ? !text.take(":") : colon || text.digits() == 0) return;
  local.second = text.number(2);
  take_fraction(text, local, ".,", 1000);
}

void take_zone(Text& text, Parsed& parsed) {
  if (text.empty()) return;
  parsed.has_zone = true;
  if (text.take("Z")) return;
  const bool west = text.take("-");
  if (!west && !text.take("+")) text.fail();
  parsed.east = text.number(2) * 3600;
  text.take(":");
  if (!text.empty()) parsed.east += text.number(2) * 60;
  if (parsed.east >= kSecondsPerDay) text.fail();
  if (west) parsed.east = -parsed.east;
}

bool is_time(const Local& local) {
  return local.year >= 1 && local.month >= 1 && local.month <= 12 && local.day >= 1 &&
         local.day <= days_in_month(local.year, local.month) && local.hour < 24 &&
         local.minute < 60 && local.second < 60;
}

std::optional<Parsed> parse_iso(std::string_view written) {
  Text text(written);
  Parsed parsed;
  parsed.local.year = text.number(4);
  const bool extended = text.take("-");
  if (extended) {
    take_extended_date(text, parsed.local);
  } else {
    take_basic_date(text, parsed.local);
  }
  if (!text.empty()) {
    if (written.size() - text.rest().size() == 4 || !text.take("T ")) return std::nullopt;
    take_time(text, parsed.local, extended);
    take_zone(text, parsed);
  }
  if (!text.ok() || !text.empty() || !is_time(parsed.local)) return std::nullopt;
  return parsed;
}

/// Sets `fits` where the text has this form, with values that may be none of a time.
std::optional<Parsed> parse_common(std::string_view written, bool with_month, bool& fits) {
  Text text(written);
  Parsed parsed;
  Local& local = parsed.local;
  local.year = text.number(4);
  if (with_month) {
    text.take("/:");
    local.month = text.number(2);
    text.take("/:");
    local.day = text.number(2);
  }
  if (!text.empty()) {
    text.take(" ");
    local.hour = text.number(1, 2);
    if (!text.take(":")) text.fail();
    local.minute = text.number(1, 2);
    if (text.take(":")) local.second = text.number(1, 2);
    take_fraction(text, local, ".,|", 9);
  }
  fits = text.ok() && text.empty();
  if (!fits || !is_time(local)) return std::nullopt;
  return parsed;
}

}  // namespace

Result<Moment> parse_moment(std::string_view text, const Zone& zone) {
  auto parsed = parse_iso(text);
  bool fits = false;
  if (!parsed) parsed = parse_common(text, true, fits);
  if (!parsed && !fits) parsed = parse_common(text, false, fits);
  if (!parsed) {
    return error(Code::kInvalidArgument,
                 fmt::format("\"{}\" is no time: write 2026-01-31T12:30:00+01:00", text));
  }
  // As pendulum reads a local time that comes twice: the later one.
  parsed->local.fold = 1;
  Zone in = zone;
  if (parsed->has_zone) in = parsed->east == 0 ? Zone::utc() : Zone::fixed(parsed->east);
  return Moment{in.to_instant(parsed->local), in};
}

}  // namespace tailrace::calendar
