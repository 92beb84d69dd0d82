// Times to text by pendulum's tokens, and from text by datetime.strptime.
#include <algorithm>
#include <array>
#include <charconv>

#include "jinja/texts.h"
#include "jinja/times.h"

namespace tailrace::jinja {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                   "Friday", "Saturday", "Sunday"};

std::string padded(std::int64_t number, std::size_t digits) {
  std::string out = std::to_string(number);
  if (out.size() < digits) out.insert(0, digits - out.size(), '0');
  return out;
}

std::string ordinal(int number) {
  const int tens = number % 100, ones = number % 10;
  const bool teen = tens >= 11 && tens <= 13;
  const char* end = teen || ones == 0 || ones > 3 ? "th"
                    : ones == 1                   ? "st"
                    : ones == 2                   ? "nd"
                                                  : "rd";
  return std::to_string(number) + end;
}

/// pendulum's tokens, longest first among those that begin alike.
constexpr std::string_view kTokens[] = {
    "Mo",       "MMMM",    "MMM",    "MM",    "M",     "Do",   "DDDo", "DDDD", "DDD",  "DD",
    "D",        "dddd",    "ddd",    "dd",    "do",    "d",    "eo",   "e",    "EEEE", "EEE",
    "EE",       "E",       "wo",     "w",     "Wo",    "W",    "Qo",   "Q",    "YYYY", "YY",
    "Y",        "ggggg",   "gggg",   "gg",    "GGGGG", "GGGG", "GG",   "a",    "A",    "hh",
    "h",        "HH",      "H",      "kk",    "k",     "mm",   "m",    "ss",   "s",    "SSSSSSSSS",
    "SSSSSSSS", "SSSSSSS", "SSSSSS", "SSSSS", "SSSS",  "SSS",  "SS",   "S",    "x",    "X",
    "zz",       "z",       "ZZ",     "Z",     "LTS",   "LT",   "LLLL", "LLL",  "LL",   "L"};

std::string offset_token(const DateTime& time, bool colon) {
  if (!time.zone) return "";
  const int minutes = time.offset() / 60, size = std::abs(minutes);
  return (minutes >= 0 ? "+" : "-") + padded(size / 60, 2) + (colon ? ":" : "") +
         padded(size % 60, 2);
}

std::string date_token(const DateTime& time, std::string_view token) {
  const auto& local = time.local;
  const int weekday = time.weekday(), quarter = (local.month + 2) / 3;
  const std::string_view month = kMonths[static_cast<std::size_t>(local.month - 1)];
  const std::string_view day = kDays[static_cast<std::size_t>(weekday)];
  if (token == "YYYY" || token == "Y") return std::to_string(local.year);
  if (token == "YY")
    return std::to_string(local.year)
        .substr(std::min<std::size_t>(2, std::to_string(local.year).size()));
  if (token == "Q") return std::to_string(quarter);
  if (token == "Qo") return ordinal(quarter);
  if (token == "MMMM") return std::string(month);
  if (token == "MMM") return std::string(month.substr(0, 3));
  if (token == "MM") return padded(local.month, 2);
  if (token == "M") return std::to_string(local.month);
  if (token == "Mo") return ordinal(local.month);
  if (token == "DDDD") return padded(time.day_of_year(), 3);
  if (token == "DDD") return std::to_string(time.day_of_year());
  if (token == "DDDo") return ordinal(time.day_of_year());
  if (token == "DD") return padded(local.day, 2);
  if (token == "D") return std::to_string(local.day);
  if (token == "Do") return ordinal(local.day);
  if (token == "dddd") return std::string(day);
  if (token == "ddd") return std::string(day.substr(0, 3));
  if (token == "dd") return std::string(day.substr(0, 2));
  if (token == "d") return std::to_string((weekday + 1) % 7);
  if (token == "do") return ordinal((weekday + 1) % 7);
  if (token == "e") return std::to_string((weekday + 1) % 7);
  if (token == "eo") return ordinal((weekday + 1) % 7 + 1);
  if (token == "E") return std::to_string(weekday + 1);
  if (token == "wo") return ordinal(time.iso_week().second);
  return std::string(token);
}

std::string clock_token(const DateTime& time, std::string_view token) {
  const auto& local = time.local;
  const int hour = local.hour % 12 == 0 ? 12 : local.hour % 12;
  if (token == "HH") return padded(local.hour, 2);
  if (token == "H") return std::to_string(local.hour);
  if (token == "hh") return padded(hour, 2);
  if (token == "h") return std::to_string(hour);
  if (token == "mm") return padded(local.minute, 2);
  if (token == "m") return std::to_string(local.minute);
  if (token == "ss") return padded(local.second, 2);
  if (token == "s") return std::to_string(local.second);
  if (token == "A") return local.hour >= 12 ? "PM" : "AM";
  if (token.front() == 'S' && token.size() <= 6)
    return padded(local.micro, 6).substr(0, token.size());
  const std::int64_t stamp = time.instant() - local.micro;
  if (token == "X") return std::to_string(stamp / 1'000'000);
  if (token == "x") return std::to_string(stamp / 1000 + local.micro / 1000);
  if (token == "ZZ" || token == "Z") return offset_token(time, token == "Z");
  if (token == "z") return time.zone ? std::string(time.zone->name()) : "";
  if (token == "zz") return time.zone ? std::string(time.zone->abbreviation(time.instant())) : "";
  return date_token(time, token);
}

std::string token_text(const DateTime& time, std::string_view token) {
  constexpr std::pair<std::string_view, std::string_view> kLong[] = {
      {"LTS", "h:mm:ss A"},
      {"LT", "h:mm A"},
      {"L", "MM/DD/YYYY"},
      {"LL", "MMMM D, YYYY"},
      {"LLL", "MMMM D, YYYY h:mm A"},
      {"LLLL", "dddd, MMMM D, YYYY h:mm A"}};
  for (const auto& [known, format] : kLong)
    if (known == token) return pendulum_format(time, format);
  return clock_token(time, token);
}

}  // namespace

std::string pendulum_format(const DateTime& time, std::string_view format) {
  std::string out;
  while (!format.empty()) {
    if (format[0] == '[') {
      // [text] stands for itself; text with another `[` in it does not match.
      const std::size_t end = format.find(']');
      const bool nested = end != std::string_view::npos &&
                          format.substr(1, end - 1).find('[') != std::string_view::npos;
      if (end != std::string_view::npos && !nested) {
        const std::string_view inside = format.substr(1, end - 1);
        out += inside;
        format.remove_prefix(end + 1);
        continue;
      }
    }
    if (format[0] == '\\' && format.size() > 1) {
      const std::string_view next = first_character(format.substr(1));
      out += next;
      format.remove_prefix(1 + next.size());
      continue;
    }
    const auto* found =
        std::ranges::find_if(kTokens, [&](auto token) { return format.starts_with(token); });
    if (found != std::end(kTokens)) {
      out += token_text(time, *found);
      format.remove_prefix(found->size());
    } else {
      const std::string_view plain = first_character(format);
      out += plain;
      format.remove_prefix(plain.size());
    }
  }
  return out;
}

// --- strptime ------------------------------------------------------------------------------------

namespace {

class Parser {
 public:
  Parser(std::string_view text, std::string_view format)
      : text_(text), all_(text), format_(format) {}

  Result<DateTime> run() {
    for (std::size_t i = 0; i < format_.size(); ++i) {
      const char c = format_[i];
      if (is_space(c)) {
        while (!text_.empty() && is_space(text_[0])) text_.remove_prefix(1);
      } else if (c != '%') {
        if (text_.empty() || (text_[0] | 0x20) != (c | 0x20)) return mismatch();
        text_.remove_prefix(1);
      } else {
        if (++i == format_.size()) return value_error("stray % in format " + text_repr(format_));
        TRY(directive(format_[i]));
      }
    }
    if (!text_.empty()) return value_error("unconverted data remains: " + std::string(text_));
    return made();
  }

 private:
  std::unexpected<Error> mismatch() const {
    return value_error("time data " + text_repr(all_) + " does not match format " +
                       text_repr(format_));
  }

  Status number(std::size_t most, std::int64_t low, std::int64_t high, std::int64_t& into) {
    std::size_t n = 0;
    while (n < most && n < text_.size() && text_[n] >= '0' && text_[n] <= '9') ++n;
    // As a regular expression does: fewer digits when the longer number is too large.
    for (; n > 0; --n) {
      std::from_chars(text_.data(), text_.data() + n, into);
      if (into >= low && into <= high) break;
    }
    if (n == 0) return mismatch();
    text_.remove_prefix(n);
    return {};
  }

  template <std::size_t kCount>
  Status name(const std::array<std::string_view, kCount>& names, bool brief, std::int64_t& into) {
    const std::string low = lower(text_.substr(0, 12));
    for (std::size_t i = 0; i < kCount; ++i) {
      const std::string each = lower(brief ? names[i].substr(0, 3) : names[i]);
      if (!low.starts_with(each)) continue;
      into = static_cast<std::int64_t>(i);
      text_.remove_prefix(each.size());
      return {};
    }
    return mismatch();
  }

  Status directive(char c) {
    switch (c) {
      case 'Y':
        if (text_.size() < 4) return mismatch();
        TRY(number(4, 0, 9999, year_));
        return {};
      case 'm':
        return number(2, 1, 12, month_);
      case 'd':
        return number(2, 1, 31, day_);
      case 'H':
        return number(2, 0, 23, hour_);
      case 'I':
        return number(2, 1, 12, hour12_);
      case 'M':
        return number(2, 0, 59, minute_);
      case 'S':
        return number(2, 0, 61, second_);
      case 'j':
        return number(3, 1, 366, of_year_);
      case 'y':
        TRY(number(2, 0, 99, year_));
        year_ += year_ < 69 ? 2000 : 1900;
        return {};
      case 'b':
      case 'B': {
        TRY(name(kMonths, c == 'b', month_));
        ++month_;
        return {};
      }
      case 'a':
      case 'A': {
        std::int64_t ignored = 0;
        return name(kDays, c == 'a', ignored);
      }
      case 'p': {
        constexpr std::array<std::string_view, 2> kHalves = {"AM", "PM"};
        return name(kHalves, false, half_);
      }
      case 'f': {
        const std::size_t before = text_.size();
        TRY(number(6, 0, 999999, micro_));
        for (std::size_t n = before - text_.size(); n < 6; ++n) micro_ *= 10;
        return {};
      }
      case 'z':
        return offset();
      case 'Z':
        for (const std::string_view known : {"UTC", "GMT"})
          if (lower(text_.substr(0, 3)) == lower(known)) {
            text_.remove_prefix(3);
            return {};
          }
        return mismatch();
      case '%':
        if (!text_.starts_with('%')) return mismatch();
        text_.remove_prefix(1);
        return {};
      default:
        return value_error("'" + std::string(1, c) + "' is a bad directive in format " +
                           text_repr(format_));
    }
  }

  Status offset() {
    if (text_.starts_with('Z')) {
      text_.remove_prefix(1);
      zone_ = calendar::Zone::utc();
      return {};
    }
    if (!text_.starts_with('+') && !text_.starts_with('-')) return mismatch();
    const int sign = text_[0] == '-' ? -1 : 1;
    text_.remove_prefix(1);
    std::int64_t hours = 0, minutes = 0, seconds = 0;
    TRY(number(2, 0, 99, hours));
    if (text_.starts_with(':')) text_.remove_prefix(1);
    TRY(number(2, 0, 59, minutes));
    if (text_.starts_with(':')) {
      text_.remove_prefix(1);
      TRY(number(2, 0, 59, seconds));
    }
    const auto east = sign * static_cast<int>((hours * 60 + minutes) * 60 + seconds);
    zone_ = east == 0 ? calendar::Zone::utc() : calendar::Zone::fixed(east);
    return {};
  }

  Result<DateTime> made() {
    if (hour12_ >= 0) hour_ = hour12_ % 12 + (half_ == 1 ? 12 : 0);
    if (of_year_ > 0) {
      ASSIGN(const auto first, checked_local(year_, 1, 1));
      const auto local = local_of(wall_of(first) + (of_year_ - 1) * 86'400'000'000);
      month_ = local.month, day_ = local.day, year_ = local.year;
    }
    ASSIGN(auto local, checked_local(year_, month_, day_, hour_, minute_, second_, micro_));
    return DateTime{DateTime::Kind::kDateTime, local, zone_, false};
  }

  std::string_view text_, all_, format_;
  std::int64_t year_ = 1900, month_ = 1, day_ = 1, hour_ = 0, hour12_ = -1, minute_ = 0,
               second_ = 0, micro_ = 0, half_ = 0, of_year_ = 0;
  std::optional<calendar::Zone> zone_;
};

}  // namespace

Result<DateTime> parse_by_format(std::string_view text, std::string_view format) {
  return Parser(text, format).run();
}

}  // namespace tailrace::jinja
