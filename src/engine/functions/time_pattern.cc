// The letters of a datetime pattern, and times written by them. Reading is in time_reader.cc.
#include "engine/functions/time_pattern.h"

#include <fmt/format.h>

#include <array>

#include "engine/functions/calendar.h"
#include "engine/functions/time_names.h"

namespace tailrace::engine {
namespace {

constexpr std::string_view kWritten = "GyDMLdQqaEFhKkHmsSVzOXxZ";
constexpr std::string_view kWeekBased = "YWwuec";

std::unexpected<Error> illegal(char letter, std::string_view text) {
  return error(Code::kInvalidArgument,
               std::string("[INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER] Unrecognized datetime "
                           "pattern: ") +
                   std::string(text) + ". Illegal pattern character found in datetime pattern: " +
                   letter + ". Please provide legal character.");
}

std::unexpected<Error> too_long(char letter, std::string_view text) {
  return error(Code::kInvalidArgument,
               std::string("[INVALID_DATETIME_PATTERN.LENGTH] Unrecognized datetime pattern: ") +
                   std::string(text) + ". Too many letters in datetime pattern: " + letter +
                   ". Please reduce pattern length.");
}

/// Letters that only Spark's formatter before 3.0 takes.
std::unexpected<Error> legacy(char letter, std::string_view text) {
  return error(Code::kInvalidArgument,
               std::string("[INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION] "
                           "The datetime pattern '") +
                   std::string(text) + "' has the letter '" + letter +
                   "', which is not taken here.");
}

/// The longest run of a letter Spark takes.
int most_of(char letter) {
  switch (letter) {
    case 'y':
    case 'u':
      return 6;
    case 'D':
    case 'x':
    case 'X':
      return letter == 'D' ? 3 : 5;
    case 'S':
      return 9;
    case 'Z':
      return 5;
    case 'G':
    case 'M':
    case 'L':
    case 'E':
    case 'Q':
    case 'q':
    case 'z':
    case 'O':
      return 4;
    case 'a':
    case 'F':
      return 1;
    default:
      return 2;
  }
}

int twelve_hour(int hour) {
  return hour % 12 == 0 ? 12 : hour % 12;
}

void append_year(std::string& out, std::int64_t year, int count) {
  if (count == 2) return void(out += fmt::format("{:02}", floor_mod(year, 100)));
  if (count >= 4 && std::abs(year) >= (count == 4 ? 10'000 : count == 5 ? 100'000 : 1'000'000))
    out += year < 0 ? "" : "+";
  if (year < 0) out += '-';
  out += fmt::format("{:0{}}", std::abs(year), count);
}

/// UTC as the letters V, z, O, X, x, Z print it.
std::string_view utc_text(char letter, int count) {
  switch (letter) {
    case 'X':
      return "Z";
    case 'x':
      return count == 1 ? "+00" : (count % 2 == 0 ? "+0000" : "+00:00");
    case 'Z':
      return count < 4 ? "+0000" : (count == 4 ? "GMT" : "Z");
    case 'O':
      return "GMT";
    case 'z':
      return count == 4 ? "Coordinated Universal Time" : "UTC";
    default:
      return "UTC";
  }
}

}  // namespace

Result<TimePattern> TimePattern::for_writing(std::string_view text) {
  return parse(text, false);
}
Result<TimePattern> TimePattern::for_reading(std::string_view text) {
  return parse(text, true);
}

Result<TimePattern> TimePattern::parse(std::string_view text, bool reading) {
  TimePattern made;
  bool quoted = false;
  for (const char c : text) {
    quoted ^= c == '\'';
    if (!quoted && kWeekBased.find(c) != std::string_view::npos) return legacy(c, text);
  }
  const auto literal = [&](char c) {
    if (made.pieces_.empty() || made.pieces_.back().letter != 0) made.pieces_.push_back({0, 0, {}});
    made.pieces_.back().literal += c;
  };
  int depth = 0;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter) {
      std::size_t end = i;
      while (end < text.size() && text[end] == c) ++end;
      const int count = static_cast<int>(end - i);
      if (reading && (c == 'Q' || c == 'q')) return illegal(c, text);
      if (reading && c == 'E') return legacy(c, text);
      if (kWritten.find(c) == std::string_view::npos) return illegal(c, text);
      if (reading && c == 'F')
        return error(Code::kUnimplemented, std::string("the pattern letter ") + c +
                                               " in a parsed time is not supported yet");
      if (c == 'y' && count > most_of(c)) return legacy(c, text);
      if (count > most_of(c) || (c == 'V' && count != 2)) return too_long(c, text);
      made.pieces_.push_back({c, count, {}});
      i = end;
    } else if (c == '\'') {
      if (i + 1 < text.size() && text[i + 1] == '\'') {
        literal('\'');
        i += 2;
        continue;
      }
      const auto close = text.find('\'', i + 1);
      if (close == std::string_view::npos) return illegal(c, text);
      for (std::size_t k = i + 1; k < close; ++k) literal(text[k]);
      i = close + 1;
    } else if (c == '[' || c == ']') {
      depth += c == '[' ? 1 : -1;
      if (depth < 0 || depth > 32) return illegal(c, text);
      made.pieces_.push_back({c, 0, {}});
      ++i;
    } else if (c == '{' || c == '}' || c == '#') {
      return illegal(c, text);
    } else {
      literal(c);
      ++i;
    }
  }
  static constexpr std::string_view kNumbers = "yuDMLdhKkHmsS";
  for (std::size_t i = 0; i + 1 < made.pieces_.size(); ++i) {
    const Piece& next = made.pieces_[i + 1];
    const bool number = next.letter && kNumbers.find(next.letter) != std::string_view::npos;
    const bool named = (next.letter == 'M' || next.letter == 'L') && next.count > 2;
    made.pieces_[i].adjacent = number && !named && (next.count > 1 || next.letter == 'S');
  }
  return made;
}

void TimePattern::write(std::string& out, std::int64_t micros) const {
  for (const Piece& piece : pieces_) {
    if (piece.letter == 0) {
      out += piece.literal;
    } else if (piece.letter != '[' && piece.letter != ']') {
      write_piece(out, piece, micros);
    }
  }
}

void TimePattern::write_piece(std::string& out, const Piece& piece, std::int64_t micros) const {
  const std::int32_t days = day_of_micros(micros);
  const CivilDate date = civil_of(days);
  const std::int64_t of_day = floor_mod(micros, kMicrosPerDay);
  const int hour = static_cast<int>(of_day / (3600 * kMicrosPerSecond));
  const int n = piece.count;
  const auto number = [&](std::int64_t value) { out += fmt::format("{:0{}}", value, n); };
  switch (piece.letter) {
    case 'G':
      out += date.year > 0 ? (n == 4 ? "Anno Domini" : "AD") : (n == 4 ? "Before Christ" : "BC");
      return;
    case 'y':
      return append_year(out, date.year > 0 ? date.year : 1 - date.year, n);
    case 'u':
      return append_year(out, date.year, n);
    case 'D':
      return number(days - days_of(date.year, 1, 1) + 1);
    case 'M':
    case 'L':
      if (n <= 2) return number(date.month);
      out += n == 3 ? kMonths[date.month - 1].substr(0, 3) : kMonths[date.month - 1];
      return;
    case 'd':
      return number(date.day);
    case 'Q':
    case 'q': {
      static constexpr std::array<std::string_view, 4> kOrdinals = {"1st", "2nd", "3rd", "4th"};
      const int quarter = (date.month + 2) / 3;
      if (n <= 2) return number(quarter);
      out +=
          n == 3 ? "Q" + std::to_string(quarter) : std::string(kOrdinals[quarter - 1]) + " quarter";
      return;
    }
    case 'a':
      out += hour < 12 ? "AM" : "PM";
      return;
    case 'E': {
      const auto name = kWeekdays[floor_mod(std::int64_t{days} + 3, 7)];
      out += n <= 3 ? name.substr(0, 3) : name;
      return;
    }
    case 'F':
      return number((date.day - 1) % 7 + 1);
    case 'h':
      return number(twelve_hour(hour));
    case 'K':
      return number(hour % 12);
    case 'k':
      return number(hour == 0 ? 24 : hour);
    case 'H':
      return number(hour);
    case 'm':
      return number(of_day / (60 * kMicrosPerSecond) % 60);
    case 's':
      return number(of_day / kMicrosPerSecond % 60);
    case 'S': {
      const auto digits = fmt::format("{:06}000", of_day % kMicrosPerSecond);
      out += std::string_view(digits).substr(0, static_cast<std::size_t>(n));
      return;
    }
    default:
      out += utc_text(piece.letter, n);
  }
}

}  // namespace tailrace::engine
