// Times read by a datetime pattern. What the pattern does not name is 1970-01-01 00:00:00 UTC, and
// a field out of its range, or a day its month has not, makes the text no time.
#include <algorithm>
#include <array>
#include <cctype>

#include "engine/functions/calendar.h"
#include "engine/functions/text_of.h"
#include "engine/functions/time_names.h"
#include "engine/functions/time_pattern.h"

namespace tailrace::engine {

struct TimePattern::Fields {
  std::int64_t year = 1970;
  bool of_era = false;
  bool before_christ = false;
  int month = 1;
  int day = 1;
  int day_of_year = 0;
  int hour = -1;       ///< 0 to 23
  int half_hour = -1;  ///< 0 to 11
  int afternoon = -1;
  int minute = 0;
  int second = 0;
  std::int64_t micros = 0;
  std::optional<std::string_view> zone;

  std::optional<std::int64_t> time() const;
};

std::optional<std::int64_t> TimePattern::Fields::time() const {
  std::int64_t of = year;
  if (of_era) {
    if (year < 1) return std::nullopt;
    of = before_christ ? 1 - year : year;
  }
  if (of < -290'000 || of > 294'247) return std::nullopt;
  std::int64_t days;
  if (day_of_year > 0) {
    if (day_of_year > (is_leap(of) ? 366 : 365)) return std::nullopt;
    days = days_of(of, 1, 1) + day_of_year - 1;
  } else {
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(of, month)) return std::nullopt;
    days = days_of(of, month, day);
  }
  int clock = hour >= 0 ? hour : 0;
  if (hour < 0 && half_hour >= 0) clock = half_hour + (afternoon == 1 ? 12 : 0);
  if (hour < 0 && half_hour < 0 && afternoon == 1) clock = 12;
  if (clock > 23 || minute > 59 || second > 59) return std::nullopt;
  const std::int64_t seconds = days * 86'400 + clock * 3600 + minute * 60 + second;
  std::int64_t offset = 0;
  if (zone) {
    const auto found = parse_zone(*zone, seconds);
    if (!found) return std::nullopt;
    offset = *found;
  }
  return (seconds - offset) * kMicrosPerSecond + micros;
}

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::optional<std::int64_t> take_digits(std::string_view& text, int least, int most) {
  int count = 0;
  std::int64_t value = 0;
  while (count < most && count < static_cast<int>(text.size()) &&
         is_digit(text[static_cast<std::size_t>(count)])) {
    value = value * 10 + (text[static_cast<std::size_t>(count)] - '0');
    ++count;
  }
  if (count < least) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(count));
  return value;
}

bool same_letters(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

bool take_text(std::string_view& text, std::string_view wanted) {
  if (!same_letters(text.substr(0, wanted.size()), wanted)) return false;
  text.remove_prefix(wanted.size());
  return true;
}

/// A number in a range, of `count` digits (one letter: any number of them).
bool take_field(std::string_view& text, int count, bool adjacent, int low, int high, int& field) {
  const auto value = take_digits(text, count, count == 1 && !adjacent ? 9 : count);
  if (!value || *value < low || *value > high) return false;
  field = static_cast<int>(*value);
  return true;
}

bool take_month(std::string_view& text, int count, bool adjacent, int& month) {
  if (count <= 2) return take_field(text, count, adjacent, 1, 12, month);
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    if (!take_text(text, count == 3 ? kMonths[i].substr(0, 3) : kMonths[i])) continue;
    month = static_cast<int>(i) + 1;
    return true;
  }
  return false;
}

bool take_year(std::string_view& text, int count, bool adjacent, std::int64_t& year) {
  if (count == 2) {
    const auto value = take_digits(text, 2, 2);
    if (value) year = 2000 + *value;
    return value.has_value();
  }
  const bool minus = !text.empty() && text[0] == '-';
  const bool plus = !text.empty() && text[0] == '+';
  if (minus || plus) text.remove_prefix(1);
  const auto before = text.size();
  const auto value = take_digits(text, count, adjacent ? count : 9);
  if (!value) return false;
  const auto taken = static_cast<int>(before - text.size());
  // SignStyle.EXCEEDS_PAD: a plus exactly where there are more digits than letters.
  if (count >= 3 && plus != (taken > count) && !minus) return false;
  year = minus ? -*value : *value;
  return true;
}

bool take_zone(std::string_view& text, std::optional<std::string_view>& zone) {
  std::size_t end = 0;
  while (end < text.size() &&
         (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '/' ||
          text[end] == '+' || text[end] == '-' || text[end] == ':' || text[end] == '_'))
    ++end;
  if (end == 0) return false;
  zone = text.substr(0, end);
  text.remove_prefix(end);
  return true;
}

}  // namespace

bool TimePattern::read_piece(const Piece& piece, std::string_view& text, Fields& fields) {
  const int n = piece.count;
  const bool adjacent = piece.adjacent;
  switch (piece.letter) {
    case 0:
      return take_text(text, piece.literal);
    case 'G':
      fields.of_era = true;
      fields.before_christ = take_text(text, n == 4 ? "Before Christ" : "BC");
      return fields.before_christ || take_text(text, n == 4 ? "Anno Domini" : "AD");
    case 'y':
      fields.of_era = true;
      return take_year(text, n, adjacent, fields.year);
    case 'u':
      return take_year(text, n, adjacent, fields.year);
    case 'D':
      return take_field(text, n, adjacent, 1, 366, fields.day_of_year);
    case 'M':
    case 'L':
      return take_month(text, n, adjacent, fields.month);
    case 'd':
      return take_field(text, n, adjacent, 1, 31, fields.day);
    case 'a':
      fields.afternoon = take_text(text, "PM") ? 1 : 0;
      return fields.afternoon == 1 || take_text(text, "AM");
    case 'h': {
      const bool taken = take_field(text, n, adjacent, 1, 12, fields.half_hour);
      fields.half_hour %= 12;
      return taken;
    }
    case 'K':
      return take_field(text, n, adjacent, 0, 11, fields.half_hour);
    case 'k': {
      const bool taken = take_field(text, n, adjacent, 1, 24, fields.hour);
      fields.hour %= 24;
      return taken;
    }
    case 'H':
      return take_field(text, n, adjacent, 0, 23, fields.hour);
    case 'm':
      return take_field(text, n, adjacent, 0, 59, fields.minute);
    case 's':
      return take_field(text, n, adjacent, 0, 59, fields.second);
    case 'S': {
      const auto before = text.size();
      const auto value = take_digits(text, 1, n);
      if (!value) return false;
      std::int64_t micros = *value;
      auto digits = before - text.size();
      for (; digits < 6; ++digits) micros *= 10;
      for (; digits > 6; --digits) micros /= 10;
      fields.micros = micros;
      return true;
    }
    default:
      return take_zone(text, fields.zone);
  }
}

/// Reads up to the end of the section `piece` is in; an optional section that does not fit is
/// passed over.
bool TimePattern::read_pieces(std::size_t& piece, std::string_view& text, Fields& fields) const {
  for (; piece < pieces_.size() && pieces_[piece].letter != ']'; ++piece) {
    if (pieces_[piece].letter != '[') {
      if (!read_piece(pieces_[piece], text, fields)) return false;
      continue;
    }
    std::size_t inner = piece + 1;
    std::string_view rest = text;
    Fields tried = fields;
    if (read_pieces(inner, rest, tried)) {
      text = rest;
      fields = tried;
      piece = inner;
      continue;
    }
    for (int depth = 1; depth > 0 && ++piece < pieces_.size();) {
      if (pieces_[piece].letter == '[') ++depth;
      if (pieces_[piece].letter == ']') --depth;
    }
  }
  return true;
}

std::optional<std::int64_t> TimePattern::read(std::string_view text) const {
  Fields fields;
  std::size_t piece = 0;
  if (!read_pieces(piece, text, fields) || !text.empty()) return std::nullopt;
  return fields.time();
}

}  // namespace tailrace::engine
