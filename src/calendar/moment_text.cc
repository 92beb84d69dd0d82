// isoformat() and strftime(): a moment as text.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>

#include "calendar/civil.h"
#include "calendar/zone.h"

namespace tailrace::calendar {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                   "Friday", "Saturday", "Sunday"};
constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr int kWidestField = 1000;

/// `+02:00`, with seconds where there are any.
std::string offset_text(int east, std::string_view colon) {
  const int size = std::abs(east);
  std::string text =
      fmt::format("{}{:02}{}{:02}", east < 0 ? '-' : '+', size / 3600, colon, size / 60 % 60);
  if (size % 60 != 0) text += fmt::format("{}{:02}", colon, size % 60);
  return text;
}

/// What stands between `%` and its letter, as glibc reads it.
struct Directive {
  char pad = 0;  ///< `_`, `-`, `0`; 0: as the letter has it
  bool upper = false, swap = false;
  int width = -1;
};

/// One call of strftime: appends what each directive says of the moment.
class Formatter {
 public:
  Formatter(const Moment& moment, std::string& out)
      : out_(out), moment_(moment), local_(moment.zone.to_local(moment.instant)) {
    days_ = days_of({local_.year, local_.month, local_.day});
    weekday_ = weekday_of(days_);
    day_of_year_ = static_cast<int>(days_ - days_of({local_.year, 1, 1})) + 1;
    if (local_.hour >= 12) half_ = {"PM", "pm"};
    wall_ = days_ * kSecondsPerDay + local_.hour * 3600 + local_.minute * 60 + local_.second;
    if (moment.zone.is_daylight(moment.instant)) wall_ -= 3600;
  }

  void format(std::string_view text) {
    while (!text.empty()) {
      const std::size_t percent = std::min(text.find('%'), text.size());
      out_ += text.substr(0, percent);
      text.remove_prefix(percent);
      if (text.empty()) break;
      text.remove_prefix(take(text));
    }
  }

 private:
  /// Reads a directive at the beginning of `text` and returns its length.
  std::size_t take(std::string_view text) {
    Directive how;
    std::size_t at = 1;
    for (; at < text.size() && std::string_view("_-0^#").find(text[at]) != std::string_view::npos;
         ++at) {
      if (text[at] == '^') {
        how.upper = true;
      } else if (text[at] == '#') {
        how.swap = true;
      } else {
        how.pad = text[at];
      }
    }
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
      how.width = std::min(std::max(how.width, 0) * 10 + (text[at] - '0'), kWidestField);
    }
    const bool plain = at == 1;
    char modifier = 0;
    if (at < text.size() && (text[at] == 'E' || text[at] == 'O')) modifier = text[at++];
    const char letter = at < text.size() ? text[at] : 0;
    const std::size_t length = std::min(at + 1, text.size());
    if (plain && modifier == 0 && write_pythons(letter)) return length;
    if (is_modified(letter, modifier) && (write_number(letter, how) || write_words(letter, how))) {
      return length;
    }
    words(text.substr(0, length), how);
    return length;
  }

  /// Whether glibc takes a letter after `E` or `O`.
  static bool is_modified(char letter, char modifier) {
    if (modifier == 0 || letter == 0) return letter != 0;
    const std::string_view refused = modifier == 'E' ? "aAbhBDdeFHIklmMjSUVgGWw" : "aADFcxXY";
    return refused.find(letter) == std::string_view::npos;
  }

  /// What Python itself puts in, before it asks the C library.
  bool write_pythons(char letter) {
    switch (letter) {
      case 'f':
        out_ += fmt::format("{:06}", local_.micro);
        return true;
      case 'z':
        out_ += offset_text(moment_.zone.offset_seconds(moment_.instant), "");
        return true;
      case 'Z':
        out_ += moment_.zone.abbreviation(moment_.instant);
        return true;
      default:
        return false;
    }
  }

  void number(std::int64_t value, int digits, char pad, const Directive& how) {
    const char with = how.pad != 0 ? how.pad : pad;
    std::string text = fmt::format("{}", value);
    if (with != '-') {
      const auto width = static_cast<std::size_t>(std::max(digits, how.width));
      if (text.size() < width) {
        text.insert(value < 0 && with != '_' ? 1 : 0, width - text.size(), with == '_' ? ' ' : '0');
      }
    }
    words(text, how);
  }

  bool write_number(char letter, const Directive& how) {
    const int hour12 = local_.hour % 12 == 0 ? 12 : local_.hour % 12;
    const IsoWeek iso = iso_week_of(days_);
    switch (letter) {
      case 'C':
        number(local_.year / 100, 1, '0', how);
        return true;
      case 'd':
        number(local_.day, 2, '0', how);
        return true;
      case 'e':
        number(local_.day, 2, '_', how);
        return true;
      case 'g':
        number(iso.year % 100, 2, '0', how);
        return true;
      case 'G':
        number(iso.year, 1, '0', how);
        return true;
      case 'H':
        number(local_.hour, 2, '0', how);
        return true;
      case 'I':
        number(hour12, 2, '0', how);
        return true;
      case 'j':
        number(day_of_year_, 3, '0', how);
        return true;
      case 'k':
        number(local_.hour, 2, '_', how);
        return true;
      case 'l':
        number(hour12, 2, '_', how);
        return true;
      case 'm':
        number(local_.month, 2, '0', how);
        return true;
      case 'M':
        number(local_.minute, 2, '0', how);
        return true;
      case 's':
        number(wall_, 1, '0', how);
        return true;
      case 'S':
        number(local_.second, 2, '0', how);
        return true;
      case 'u':
        number(weekday_ + 1, 1, '0', how);
        return true;
      case 'U':
        number((day_of_year_ + 6 - (weekday_ + 1) % 7) / 7, 2, '0', how);
        return true;
      case 'V':
        number(iso.week, 2, '0', how);
        return true;
      case 'w':
        number((weekday_ + 1) % 7, 1, '0', how);
        return true;
      case 'W':
        number((day_of_year_ + 6 - weekday_) / 7, 2, '0', how);
        return true;
      case 'y':
        number(local_.year % 100, 2, '0', how);
        return true;
      case 'Y':
        number(local_.year, 1, '0', how);
        return true;
      default:
        return false;
    }
  }

  void words(std::string_view value, const Directive& how) {
    std::string text(value);
    if (how.upper) {
      std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
    }
    const auto width = static_cast<std::size_t>(std::max(how.width, 0));
    if (text.size() < width) text.insert(0, width - text.size(), how.pad == '0' ? '0' : ' ');
    out_ += text;
  }

  /// Another format's text, as one field.
  void nested(std::string_view format_text, const Directive& how) {
    std::string text;
    Formatter(moment_, text).format(format_text);
    words(text, how);
  }

  bool write_words(char letter, Directive how) {
    const std::string_view day = kDays[static_cast<std::size_t>(weekday_)];
    const std::string_view month = kMonths[static_cast<std::size_t>(local_.month - 1)];
    if (how.swap && std::string_view("aAbBh").find(letter) != std::string_view::npos)
      how.upper = true;
    switch (letter) {
      case 'a':
        words(day.substr(0, 3), how);
        return true;
      case 'A':
        words(day, how);
        return true;
      case 'b':
      case 'h':
        words(month.substr(0, 3), how);
        return true;
      case 'B':
        words(month, how);
        return true;
      case 'c':
        nested("%a %b %e %H:%M:%S %Y", how);
        return true;
      case 'D':
      case 'x':
        nested("%m/%d/%y", how);
        return true;
      case 'F':
        nested("%Y-%m-%d", how);
        return true;
      case 'n':
        words("\n", how);
        return true;
      case 'p':
        if (how.swap) how.upper = false;
        words(how.swap ? half_.second : half_.first, how);
        return true;
      case 'P':
        how.upper = false;
        words(half_.second, how);
        return true;
      case 'r':
        nested("%I:%M:%S %p", how);
        return true;
      case 'R':
        nested("%H:%M", how);
        return true;
      case 't':
        words("\t", how);
        return true;
      case 'T':
      case 'X':
        nested("%H:%M:%S", how);
        return true;
      // The C library knows the system's zone alone, which is taken for UTC.
      case 'z': {
        words("+", how);
        number(0, 4, '0', how);
        return true;
      }
      case 'Z':
        if (how.swap) how.upper = false;
        words(how.swap ? "utc" : "UTC", how);
        return true;
      case '%':
        words("%", how);
        return true;
      default:
        return false;
    }
  }

  std::string& out_;
  const Moment& moment_;
  Local local_;
  std::int64_t days_ = 0;
  int weekday_ = 0, day_of_year_ = 1;
  std::pair<std::string_view, std::string_view> half_ = {"AM", "am"};
  std::int64_t wall_ = 0;  ///< the local time in seconds, an hour less in summer: what `%s` gives
};

}  // namespace

std::string isoformat(const Moment& moment) {
  const Local local = moment.zone.to_local(moment.instant);
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", local.year, local.month,
                                 local.day, local.hour, local.minute, local.second);
  if (local.micro != 0) text += fmt::format(".{:06}", local.micro);
  return text + offset_text(moment.zone.offset_seconds(moment.instant), ":");
}

std::string strftime(const Moment& moment, std::string_view format) {
  std::string text;
  Formatter(moment, text).format(format);
  return text;
}

}  // namespace tailrace::calendar
