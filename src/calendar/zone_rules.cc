#include "calendar/zone_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "calendar/civil.h"

namespace tailrace::calendar {
namespace {

/// When in a year a rule of POSIX TZ changes the offset: `M3.5.0/2`, `J60`, `59/-1`.
struct YearlyChange {
  char kind = 'M';  ///< M month.week.day, J day of 365, N day from 0 of 365 or 366
  int month = 1, week = 1, day = 0;
  int seconds = 7200;  ///< since midnight, local time before the change; may be negative

  /// Seconds since a local 1970-01-01.
  std::int64_t wall(int year) const {
    std::int64_t days = days_of({year, 1, 1});
    if (kind == 'J') {
      days += day - 1 + (is_leap(year) && day >= 60 ? 1 : 0);
    } else if (kind == 'N') {
      days += day;
    } else {
      const std::int64_t first = days_of({year, month, 1});
      const int sunday_based = (weekday_of(first) + 1) % 7;
      int date = (day - sunday_based + 7) % 7 + 7 * (week - 1);
      if (date >= days_in_month(year, month)) date -= 7;
      days = first + date;
    }
    return days * kSecondsPerDay + seconds;
  }
};

/// A POSIX TZ text, `CET-1CEST,M3.5.0,M10.5.0/3`.
struct Rule {
  Offset standard;
  std::optional<Offset> daylight;
  YearlyChange begin, end;
};

/// Reads a TZ text from its beginning; each take_ says whether its part is there.
class RuleReader {
 public:
  explicit RuleReader(std::string_view text) : text_(text) {}

  std::optional<Rule> read() {
    Rule rule;
    if (!take_offset(rule.standard, std::nullopt)) return std::nullopt;
    if (text_.empty()) return rule;
    rule.daylight.emplace();
    if (!take_offset(*rule.daylight, rule.standard.east + 3600)) return std::nullopt;
    rule.daylight->daylight = true;
    if (!take_change(rule.begin) || !take_change(rule.end) || !text_.empty()) return std::nullopt;
    return rule;
  }

 private:
  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }

  bool take_number(int& number) {
    number = 0;
    bool any = false;
    while (!text_.empty() && text_.front() >= '0' && text_.front() <= '9' && number < 100'000) {
      number = number * 10 + (text_.front() - '0');
      text_.remove_prefix(1);
      any = true;
    }
    return any;
  }

  /// `[+-]h[h][:mm[:ss]]`
  bool take_time(int& seconds) {
    const bool negative = take('-');
    if (!negative) take('+');
    int hours = 0, minutes = 0, rest = 0;
    if (!take_number(hours)) return false;
    if (take(':') && !take_number(minutes)) return false;
    if (take(':') && !take_number(rest)) return false;
    seconds = (hours * 60 + minutes) * 60 + rest;
    if (negative) seconds = -seconds;
    return true;
  }

  /// A name, in `<>` or of letters, and seconds west of Greenwich.
  bool take_offset(Offset& offset, std::optional<int> otherwise_east) {
    const bool quoted = take('<');
    std::size_t length = 0;
    while (length < text_.size() &&
           (quoted ? text_[length] != '>'
                   : std::isalpha(static_cast<unsigned char>(text_[length])) != 0)) {
      ++length;
    }
    offset.abbreviation = text_.substr(0, length);
    text_.remove_prefix(length);
    if (offset.abbreviation.empty() || (quoted && !take('>'))) return false;
    if (otherwise_east && (text_.empty() || text_.front() == ',')) {
      offset.east = *otherwise_east;
      return true;
    }
    int west = 0;
    if (!take_time(west)) return false;
    offset.east = -west;
    return true;
  }

  bool take_change(YearlyChange& change) {
    if (!take(',')) return false;
    if (take('M')) {
      if (!take_number(change.month) || !take('.') || !take_number(change.week) || !take('.') ||
          !take_number(change.day) || change.month < 1 || change.month > 12 || change.week < 1 ||
          change.week > 5 || change.day > 6) {
        return false;
      }
    } else {
      change.kind = take('J') ? 'J' : 'N';
      if (!take_number(change.day) || change.day > 365) return false;
    }
    return !take('/') || take_time(change.seconds);
  }

  std::string_view text_;
};

}  // namespace

/// Reads the blocks of a TZif file into rules.
class TzifReader {
 public:
  TzifReader(std::string name, std::string_view bytes)
      : rules_(std::move(name), Offset{}), bytes_(bytes) {}

  Result<ZoneRules> read() {
    if (!take_header()) return broken();
    wide_ = version_ >= '2';
    if (wide_) {
      if (!skip(block_size(4)) || !take_header()) return broken();
    }
    if (!take_block()) return broken();
    if (wide_ && !take_footer()) return broken();
    fill_walls();
    return std::move(rules_);
  }

 private:
  std::unexpected<Error> broken() const {
    return error(Code::kDataLoss, fmt::format("zone {}: not a TZif file", rules_.name_));
  }

  bool skip(std::size_t count) {
    if (count > bytes_.size()) return false;
    bytes_.remove_prefix(count);
    return true;
  }

  std::int64_t number(std::size_t at, std::size_t width) const {
    std::uint64_t value = (static_cast<unsigned char>(bytes_[at]) & 0x80) != 0 ? ~0ULL : 0;
    for (std::size_t i = 0; i < width; ++i) {
      value = value << 8 | static_cast<unsigned char>(bytes_[at + i]);
    }
    return static_cast<std::int64_t>(value);
  }

  bool take_header() {
    if (bytes_.size() < 44 || !bytes_.starts_with("TZif")) return false;
    version_ = bytes_[4];
    for (std::size_t i = 0; i < 6; ++i) {
      counts_[i] = number(20 + 4 * i, 4);
      if (counts_[i] < 0 || counts_[i] > 1'000'000) return false;
    }
    return skip(44);
  }

  std::size_t block_size(std::size_t width) const {
    const auto& [utc, standard, leaps, times, types, chars] = counts_;
    return static_cast<std::size_t>(times) * (width + 1) + static_cast<std::size_t>(types) * 6 +
           static_cast<std::size_t>(chars) + static_cast<std::size_t>(leaps) * (width + 4) +
           static_cast<std::size_t>(standard + utc);
  }

  bool take_block() {
    const std::size_t width = wide_ ? 8 : 4;
    const std::size_t size = block_size(width);
    const auto times = static_cast<std::size_t>(counts_[kTimes]);
    const auto types = static_cast<std::size_t>(counts_[kTypes]);
    if (size > bytes_.size() || types == 0 || types > 256) return false;
    const std::size_t type_at = times * (width + 1);
    const std::size_t names_at = type_at + types * 6;
    const std::string_view names =
        bytes_.substr(names_at, static_cast<std::size_t>(counts_[kChars]));
    rules_.offsets_.clear();
    for (std::size_t i = 0; i < types; ++i) {
      const std::size_t at = type_at + i * 6;
      const auto name = static_cast<unsigned char>(bytes_[at + 5]);
      if (name >= names.size()) return false;
      const std::string_view rest = names.substr(name);
      rules_.offsets_.push_back({static_cast<int>(number(at, 4)), bytes_[at + 4] != 0,
                                 std::string(rest.substr(0, rest.find('\0')))});
    }
    for (std::size_t i = 0; i < times; ++i) {
      const auto type = static_cast<unsigned char>(bytes_[times * width + i]);
      const std::int64_t begin = number(i * width, width);
      if (type >= types || (i > 0 && begin <= rules_.begins_.back())) return false;
      rules_.begins_.push_back(begin);
      rules_.after_.push_back(type);
    }
    return skip(size);
  }

  bool take_footer() {
    if (!bytes_.starts_with('\n')) return false;
    const std::size_t end = bytes_.find('\n', 1);
    if (end == std::string_view::npos) return false;
    const std::string_view text = bytes_.substr(1, end - 1);
    if (text.empty()) return true;
    const auto rule = RuleReader(text).read();
    if (!rule) return false;
    extend(*rule);
    return true;
  }

  std::uint16_t index_of(const Offset& offset) {
    const auto found = std::ranges::find(rules_.offsets_, offset);
    if (found == rules_.offsets_.end()) {
      rules_.offsets_.push_back(offset);
      return static_cast<std::uint16_t>(rules_.offsets_.size() - 1);
    }
    return static_cast<std::uint16_t>(found - rules_.offsets_.begin());
  }

  void extend(const Rule& rule) {
    const std::uint16_t standard = index_of(rule.standard);
    if (!rule.daylight) {
      if (rules_.begins_.empty()) rules_.first_ = standard;
      return;
    }
    const std::uint16_t daylight = index_of(*rule.daylight);
    const std::int64_t last =
        rules_.begins_.empty() ? days_of({1900, 1, 1}) * kSecondsPerDay : rules_.begins_.back();
    const int from = date_of(floor_div(last, kSecondsPerDay)).year;
    struct Change {
      std::int64_t at;
      std::uint16_t to;
    };
    std::vector<Change> changes;
    for (int year = from; year <= from + 402; ++year) {
      changes.push_back({rule.begin.wall(year) - rule.standard.east, daylight});
      changes.push_back({rule.end.wall(year) - rule.daylight->east, standard});
    }
    // Where one season ends as the next begins, the later of the two in the list is the one begun.
    std::ranges::stable_sort(changes, {}, [&](const Change& change) {
      return std::pair(change.at, change.to == daylight);
    });
    for (const Change& change : changes) {
      if (change.at <= last) continue;
      rules_.begins_.push_back(change.at);
      rules_.after_.push_back(change.to);
    }
    rules_.cycle_begin_ = days_of({from + 402, 1, 1}) * kSecondsPerDay;
  }

  /// The local times from which each transition's offset holds (zone_rules.h, at_wall).
  void fill_walls() {
    int before = rules_.offsets_[rules_.first_].east;
    for (std::size_t i = 0; i < rules_.begins_.size(); ++i) {
      const int after = rules_.offsets_[rules_.after_[i]].east;
      rules_.walls_[0].push_back(rules_.begins_[i] + std::max(before, after));
      rules_.walls_[1].push_back(rules_.begins_[i] + after);
      before = after;
    }
  }

  enum Count : std::size_t { kTimes = 3, kTypes = 4, kChars = 5 };

  ZoneRules rules_;
  std::string_view bytes_;
  char version_ = 0;
  bool wide_ = false;
  std::array<std::int64_t, 6> counts_{};  ///< in the header's order
};

ZoneRules::ZoneRules(std::string name, Offset offset)
    : name_(std::move(name)), offsets_{std::move(offset)} {}

Result<ZoneRules> ZoneRules::read(std::string name, std::string_view tzif) {
  return TzifReader(std::move(name), tzif).read();
}

namespace {

/// Index of the last of `begins` at or before `time`, plus one.
std::size_t count_until(const std::vector<std::int64_t>& begins, std::int64_t time) {
  return static_cast<std::size_t>(std::ranges::upper_bound(begins, time) - begins.begin());
}

std::int64_t within_cycle(std::int64_t time, std::int64_t cycle_begin) {
  if (time < cycle_begin) return time;
  return time - ((time - cycle_begin) / kSecondsPer400Years + 1) * kSecondsPer400Years;
}

}  // namespace

const Offset& ZoneRules::at(std::int64_t instant) const {
  const std::size_t count = count_until(begins_, within_cycle(instant, cycle_begin_));
  return offsets_[count == 0 ? first_ : after_[count - 1]];
}

const Offset& ZoneRules::at_wall(std::int64_t wall, int fold) const {
  const std::size_t count =
      count_until(walls_[fold != 0 ? 1 : 0], within_cycle(wall, cycle_begin_));
  return offsets_[count == 0 ? first_ : after_[count - 1]];
}

}  // namespace tailrace::calendar
