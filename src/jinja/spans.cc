// pendulum's Interval and Duration, and the words for how long they are.
#include <algorithm>
#include <cmath>
#include <tuple>

#include "jinja/texts.h"
#include "jinja/times.h"

namespace tailrace::jinja {
namespace {

constexpr std::int64_t kSecond = 1'000'000, kDay = 86'400 * kSecond;

using Parts = Span::Parts;

bool same_zone(const DateTime& a, const DateTime& b) {
  return a.zone && b.zone && a.zone->name() == b.zone->name();
}

/// What pendulum's precise_diff compares: the wall time, or its clock moved to UTC while the month
/// stays.
struct Compared {
  calendar::Local local;
  int clock = 0;  ///< seconds of the day
  auto order() const { return std::tuple(local.year, local.month, local.day, clock, local.micro); }
};

Compared compared(const DateTime& time, bool to_utc) {
  Compared out{time.local, 0};
  calendar::Local& l = out.local;
  if (to_utc) {
    const int east = time.offset();
    l.hour -= east / 3600;
    l.minute -= east % 3600 / 60;
    l.second -= east % 60;
    const auto carry = [](int& part, int& next, int size) {
      if (part < 0)
        part += size, --next;
      else if (part > size)
        part -= size, ++next;
    };
    carry(l.second, l.minute, 60);
    carry(l.minute, l.hour, 60);
    carry(l.hour, l.day, 24);
  }
  out.clock = (l.hour * 60 + l.minute) * 60 + l.second;
  return out;
}

Parts negated(Parts p) {
  return {-p.years, -p.months, -p.days, -p.hours, -p.minutes, -p.seconds, -p.micros, -p.total_days};
}

/// The days that are left of a negative difference, and whether a whole month is in them.
void settle_days(Parts& out, const calendar::Local& a, const calendar::Local& b) {
  if (out.days >= 0) return;
  const int month = b.month == 1 ? 12 : b.month - 1, year = b.month == 1 ? b.year - 1 : b.year;
  const int before = days_in_month(year, month), now = days_in_month(b.year, b.month);
  if (out.days < now - before) {
    out.days += before < a.day ? a.day : before;
  } else if (out.days == now - before) {
    out.days = 0;
    ++out.months;
  } else {
    out.days += before;
  }
  --out.months;
}

/// pendulum's precise_diff, as its compiled extension computes it.
Parts between(const DateTime& first, const DateTime& second) {
  const calendar::Local &f = first.local, &s = second.local;
  const std::int64_t days =
      (wall_of({s.year, s.month, s.day}) - wall_of({f.year, f.month, f.day})) / kDay;
  const bool dates = first.kind == DateTime::Kind::kDate;
  const bool same = same_zone(first, second);
  const auto moves = [&](const DateTime& time) {
    return !dates && ((!same && time.offset() != 0) || days == 0);
  };
  Compared a = compared(first, moves(first)), b = compared(second, moves(second));
  const bool swaps = a.order() > b.order();
  if (swaps) std::swap(a, b);
  Parts out;
  out.total_days = swaps ? -days : days;
  out.years = b.local.year - a.local.year, out.months = b.local.month - a.local.month;
  out.days = b.local.day - a.local.day;
  out.hours = b.local.hour - a.local.hour, out.minutes = b.local.minute - a.local.minute;
  out.seconds = b.local.second - a.local.second, out.micros = b.local.micro - a.local.micro;
  if (out.micros < 0) out.micros += 1000000, --out.seconds;
  if (out.seconds < 0) out.seconds += 60, --out.minutes;
  if (out.minutes < 0) out.minutes += 60, --out.hours;
  if (out.hours < 0) out.hours += 24, --out.days;
  settle_days(out, a.local, b.local);
  if (out.months < 0) out.months += 12, --out.years;
  return swaps ? negated(out) : out;
}

std::string counted(std::int64_t count, std::string_view unit) {
  return std::to_string(count) + " " + std::string(unit) + (std::abs(count) == 1 ? "" : "s");
}

Value number(std::int64_t n) {
  return Value(n);
}

}  // namespace

std::int64_t Span::total() const {
  return micros + (years * 365LL + months * 30LL) * kDay;
}

Span::Parts Span::parts() const {
  if (!start) {
    const std::int64_t seconds = micros / kSecond;
    Parts out;
    out.years = years, out.months = months;
    out.total_days = total() / kDay;
    out.days = static_cast<int>(seconds / 86400);
    out.hours = static_cast<int>(seconds % 86400 / 3600);
    out.minutes = static_cast<int>(seconds % 3600 / 60);
    out.seconds = static_cast<int>(seconds % 60);
    out.micros = static_cast<int>(micros % kSecond);
    return out;
  }
  Parts out = between(*start, *end);
  // These two pendulum takes from the whole length.
  out.seconds = static_cast<int>(micros / kSecond % 60);
  out.micros = static_cast<int>(micros % kSecond);
  return out;
}

std::string Span::words(std::string_view separator) const {
  const Parts p = parts();
  const std::pair<std::int64_t, const char*> counts[] = {
      {p.years, "year"}, {p.months, "month"},   {p.days / 7, "week"},  {p.days % 7, "day"},
      {p.hours, "hour"}, {p.minutes, "minute"}, {p.seconds, "second"},
  };
  std::string out;
  for (const auto& [count, unit] : counts)
    if (count != 0) out += (out.empty() ? "" : std::string(separator)) + counted(count, unit);
  if (!out.empty()) return out;
  if (p.micros == 0) return "0 microseconds";
  const std::string amount = format_value(Value(std::abs(p.micros) / 1e6), ".2f").value_or("");
  return amount + (start ? " second" : " seconds");
}

std::string Span::text() const {
  return start ? repr() : words(" ");
}

std::string Span::repr() const {
  if (start) return "<Interval [" + start->text() + " -> " + end->text() + "]>";
  const Parts p = parts();
  std::string out;
  const std::pair<const char*, std::int64_t> counts[] = {
      {"years", p.years},     {"months", p.months},       {"weeks", p.days / 7},
      {"days", p.days % 7},   {"hours", p.hours},         {"minutes", p.minutes},
      {"seconds", p.seconds}, {"microseconds", p.micros},
  };
  for (const auto& [name, count] : counts)
    if (count != 0 || (std::string_view(name) == "days" && p.days != 0))
      out += (out.empty() ? "" : ", ") + std::string(name) + "=" + std::to_string(count);
  return "Duration(" + out + ")";
}

Value Span::attribute(std::string_view name) const {
  const Parts p = parts();
  const std::int64_t seconds = micros / kSecond;
  if (name == "years") return p.years;
  if (name == "months") return p.months;
  if (name == "weeks") return p.days / 7;
  if (name == "days") return number(start ? seconds / 86400 : (total() / kDay));
  if (name == "remaining_days") return p.days % 7;
  if (name == "hours") return p.hours;
  if (name == "minutes") return p.minutes;
  if (name == "remaining_seconds") return p.seconds;
  if (name == "seconds") return number(seconds % 86400);
  if (name == "microseconds") return number(micros % kSecond);
  if (name == "invert") return total() < 0;
  if (start && name == "start") return start->value();
  if (start && name == "end") return end->value();
  const auto whole = [this](std::int64_t unit) { return total() / kSecond / unit; };
  const double exact = static_cast<double>(total()) / 1e6;
  const std::pair<std::string_view, Value> answers[] = {
      {"in_years", p.years},
      {"in_months", p.years * 12 + p.months},
      {"in_weeks", number((start ? p.total_days : whole(86400)) / 7)},
      {"in_days", number(start ? p.total_days : whole(86400))},
      {"in_hours", number(whole(3600))},
      {"in_minutes", number(whole(60))},
      {"in_seconds", number(whole(1))},
      {"total_seconds", exact},
      {"total_minutes", exact / 60},
      {"total_hours", exact / 3600},
      {"total_days", exact / 86400},
      {"total_weeks", exact / 86400 / 7},
      {"as_timedelta", TimeDelta{total()}},
  };
  for (const auto& [known, answer] : answers)
    if (known == name)
      return function(std::string(name),
                      [answer](const List&, const Named&) -> Result<Value> { return answer; });
  if (name == "in_words")
    return function(
        "in_words", [copy = *this](const List& given, const Named& named) -> Result<Value> {
          ASSIGN(const auto with,
                 bind("in_words", given, named, {{"locale", Value()}, {"separator", " "}}));
          return Value(copy.words(with[1].text()));
        });
  return Undefined{std::string(name),
                   "'pendulum." + std::string(start ? "interval.Interval" : "duration.Duration") +
                       " object' has no attribute " + text_repr(name)};
}

std::string difference_for_humans(const Span& span, bool is_now, bool absolute) {
  Parts p = span.parts();
  const bool future = span.start && span.absolute ? false : span.total() < 0;
  if (span.total() < 0) p = negated(p);
  std::string unit = "second";
  std::int64_t count = p.seconds;
  const int weeks = p.days / 7, days = p.days % 7;
  if (p.years > 0) {
    unit = "year", count = p.years + (p.months > 6 ? 1 : 0);
  } else if (p.months == 11 && p.days > 15) {
    unit = "year", count = 1;
  } else if (p.months > 0) {
    unit = "month", count = p.months + (p.days >= 27 ? 1 : 0);
  } else if (weeks > 0) {
    unit = "week", count = weeks + (days > 3 ? 1 : 0);
  } else if (days > 0) {
    unit = "day", count = days + (p.hours >= 22 ? 1 : 0);
  } else if (p.hours > 0) {
    unit = "hour", count = p.hours;
  } else if (p.minutes > 0) {
    unit = "minute", count = p.minutes;
  }
  const bool few = unit == "second" && count <= 10;
  const std::string time = few ? "a few seconds" : counted(std::max<std::int64_t>(count, 1), unit);
  if (absolute) return time;
  if (is_now) return future ? "in " + time : time + " ago";
  return time + (future ? " after" : " before");
}

}  // namespace tailrace::jinja
