#include "calendar/cron_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace tailrace::calendar {
namespace {

enum Index : std::size_t { kMinute, kHour, kDay, kMonth, kWeekday, kSecond, kYear };

struct FieldKind {
  std::string_view name, takes;
  int least, most;
};

constexpr std::array<FieldKind, 7> kKinds = {{
    {"minutes", "0-59", 0, 59},
    {"hours", "0-23", 0, 23},
    {"days of the month", "1-31, L, or a day and W", 1, 31},
    {"months", "1-12 or jan-dec", 1, 12},
    {"days of the week", "0-7 or sun-sat, # and the week, or L and a day", 0, 6},
    {"seconds", "0-59", 0, 59},
    {"years", "1970-2099", 1970, 2099},
}};

constexpr std::array<std::string_view, 12> kMonthNames = {"jan", "feb", "mar", "apr", "may", "jun",
                                                          "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kDayNames = {"sun", "mon", "tue", "wed",
                                                       "thu", "fri", "sat"};
constexpr int kTooLarge = 1'000'000;

std::vector<std::string_view> split(std::string_view text, auto&& is_separator, bool keep_empty) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && !is_separator(text[i])) continue;
    if (keep_empty || i > begin) parts.push_back(text.substr(begin, i - begin));
    begin = i + 1;
  }
  return parts;
}

std::optional<int> whole_number(std::string_view text) {
  if (text.empty() || !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) {
    return std::nullopt;
  }
  int number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc() ? std::min(number, kTooLarge) : kTooLarge;
}

/// One field's items, gathered.
struct Values {
  std::vector<int> list;
  bool star = false, last = false;
  int nearest_weekday = 0;
  std::array<std::uint8_t, 7> nth{};
  std::uint8_t nth_days = 0;
};

class FieldReader {
 public:
  FieldReader(std::size_t index, std::string_view text, Values& values)
      : index_(index), kind_(kKinds[index]), text_(text), values_(values) {}

  Status read() {
    if (text_ == "?" && (index_ == kDay || index_ == kWeekday)) {
      values_.star = true;
      return {};
    }
    const auto items = split(
        text_, [](char c) { return c == ','; }, true);
    for (const std::string_view item : items) {
      if (index_ == kDay && take_nearest_weekday(item)) {
        if (items.size() > 1 || values_.nearest_weekday > 31 || values_.nearest_weekday < 1) {
          return refused(item);
        }
        continue;
      }
      TRY(read_item(item));
    }
    return {};
  }

 private:
  std::unexpected<Error> refused(std::string_view item) const {
    return error(Code::kInvalidArgument, fmt::format("cron: \"{}\" in {} \"{}\": they take {}",
                                                     item, kind_.name, text_, kind_.takes));
  }

  /// A number or a name; a weekday's 7 is Sunday.
  std::optional<int> value_of(std::string_view text) const {
    std::optional<int> value = whole_number(text);
    if (!value && index_ == kMonth) value = name_of(text, kMonthNames, 1);
    if (!value && index_ == kWeekday) value = name_of(text, kDayNames, 0);
    if (value == 7 && index_ == kWeekday) value = 0;
    return value;
  }

  static std::optional<int> name_of(std::string_view text, const auto& names, int first) {
    const auto found = std::ranges::find(names, text);
    if (found == names.end()) return std::nullopt;
    return static_cast<int>(found - names.begin()) + first;
  }

  /// `15w`, `w15`
  bool take_nearest_weekday(std::string_view item) {
    if (item.size() < 2) return false;
    std::string_view digits;
    if (item.front() == 'w') digits = item.substr(1);
    if (item.back() == 'w') digits = item.substr(0, item.size() - 1);
    const auto day = whole_number(digits);
    if (day) values_.nearest_weekday = *day;
    return day.has_value();
  }

  Status read_item(std::string_view item) {
    if (index_ == kWeekday) {
      const std::size_t hash = item.rfind('#');
      if (hash != std::string_view::npos) return read_nth(item, hash);
      if (item.size() > 1 && item.front() == 'l' && whole_number(item.substr(1))) {
        const auto day = value_of(item.substr(1));
        if (*day > kind_.most) return refused(item);
        add_nth(*day, 0);
        return {};
      }
    }
    if (item == "*") {
      values_.star = true;
      return {};
    }
    if (index_ == kDay && item == "l") {
      values_.last = true;
      return {};
    }
    return read_range(item, item, [&](int value) { values_.list.push_back(value); });
  }

  /// `fri#2`, `mon-wed#1`, `5#3`
  Status read_nth(std::string_view item, std::size_t hash) {
    const auto week = whole_number(item.substr(hash + 1));
    const std::string_view days = item.substr(0, hash);
    // A range in front of # is one of names.
    const bool numbers = days.find_first_of("0123456789") != std::string_view::npos;
    if (!week || *week < 1 || *week > 5 || days.find('/') != std::string_view::npos ||
        (numbers && !whole_number(days))) {
      return refused(item);
    }
    return read_range(item, days, [&](int value) { add_nth(value, *week); });
  }

  void add_nth(int day, int week) {
    values_.list.push_back(day);
    values_.nth[static_cast<std::size_t>(day)] |= static_cast<std::uint8_t>(1U << week);
    values_.nth_days |= static_cast<std::uint8_t>(1U << day);
  }

  /// A value, or a range with or without a step.
  Status read_range(std::string_view item, std::string_view text, auto&& add) {
    const std::size_t slash = text.find('/');
    const std::string_view range = text.substr(0, slash);
    const std::size_t dash = range.find('-');
    const bool stepped = slash != std::string_view::npos;
    int step = 1;
    if (stepped) {
      const auto number = whole_number(text.substr(slash + 1));
      if (!number || *number == 0) return refused(item);
      step = *number;
    }
    std::optional<int> low, high;
    bool open = false;  // `5/10`: from 5 to the end
    if (range == "*" && stepped) {
      low = kind_.least;
      high = kind_.most;
    } else if (dash == std::string_view::npos) {
      low = value_of(range);
      high = stepped ? std::optional(kind_.most) : low;
      open = true;
    } else {
      low = value_of(range.substr(0, dash));
      const std::string_view end = range.substr(dash + 1);
      high = index_ == kDay && end == "l" ? std::optional(31) : value_of(end);
    }
    if (!low || !high || std::max(*low, *high) > kind_.most) return refused(item);
    for (const int value : expand(*low, *high, step, open)) {
      if (value < kind_.least) return refused(item);
      add(value);
    }
    return {};
  }

  /// Ranges as croniter walks them, wrapping ones with their steps carried over.
  std::vector<int> expand(int low, int high, int step, bool open) const {
    std::vector<int> values;
    if (low == high && open) return {low};
    if (low == high) {
      low = kind_.least;
      high = kind_.most;
    }
    if (low <= high) {
      for (int value = low; value <= high; value += step) values.push_back(value);
      return values;
    }
    for (int value = low; value <= kind_.most; value += step) values.push_back(value);
    const int past_last = kind_.most - values.back();
    const int size = kind_.most - kind_.least + 1;
    const bool over_end = values.back() - kind_.least + step > size && past_last < step;
    for (int value = kind_.least + (over_end ? step - past_last : 0); value <= high;
         value += step) {
      values.push_back(value);
    }
    return values;
  }

  std::size_t index_;
  const FieldKind& kind_;
  std::string_view text_;
  Values& values_;
};

/// Bit n for the value least + n.
template <typename Bits>
Bits bits_of(const Values& values, int base) {
  Bits bits{};
  for (const int value : values.list) bits |= Bits{1} << static_cast<unsigned>(value - base);
  return bits;
}

std::size_t distinct(const Values& values) {
  std::vector<int> list = values.list;
  std::ranges::sort(list);
  return static_cast<std::size_t>(std::ranges::unique(list).begin() - list.begin()) +
         (values.star ? 1 : 0) + (values.last ? 1 : 0);
}

/// Every value of a field is `*`; of days and weekdays only where the other's text has a `*`.
bool means_all(std::size_t index, const Values& values,
               const std::vector<std::string_view>& texts) {
  const auto count = static_cast<std::size_t>(kKinds[index].most - kKinds[index].least + 1);
  if (distinct(values) != count) return false;
  if (index == kDay) return texts[kWeekday].find('*') != std::string_view::npos;
  if (index == kWeekday) return texts[kDay].find('*') != std::string_view::npos;
  return true;
}

/// A `#` beside plain weekdays is refused, unless these are all seven.
Status check_nth(const Values& weekdays) {
  const auto plain =
      static_cast<std::uint8_t>(bits_of<std::uint8_t>(weekdays, 0) & ~weekdays.nth_days);
  if (weekdays.nth_days == 0 || plain == 0 || distinct(weekdays) == 7) return {};
  return error(Code::kInvalidArgument,
               "cron: days of the week with # (or L) beside days without: write one kind of them");
}

template <typename Bits>
Bits all_or(const Values& values, int base, Bits all) {
  return values.star ? all : bits_of<Bits>(values, base);
}

}  // namespace

Result<CronFields> read_cron_fields(std::string_view expression) {
  const auto texts = split(
      expression, [](unsigned char c) { return std::isspace(c) != 0; }, false);
  if (texts.size() < 5 || texts.size() > 7) {
    return error(
        Code::kInvalidArgument,
        fmt::format(
            "cron: \"{}\" has {} fields: they are minutes, hours, days of the month, months, "
            "days of the week, and after them seconds and years if wanted",
            expression, texts.size()));
  }
  std::array<Values, 7> values;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    TRY(FieldReader(i, texts[i], values[i]).read());
    if (means_all(i, values[i], texts)) {
      values[i].list.clear();
      values[i].star = true;
      values[i].last = false;
    }
  }
  TRY(check_nth(values[kWeekday]));
  CronFields fields;
  fields.minutes = all_or(values[kMinute], 0, (std::uint64_t{1} << 60) - 1);
  fields.hours = all_or(values[kHour], 0, (std::uint32_t{1} << 24) - 1);
  fields.days = all_or(values[kDay], 0, ~std::uint32_t{1});
  fields.months = all_or(values[kMonth], 0, std::uint32_t{0x1FFE});
  fields.weekdays = all_or(values[kWeekday], 0, std::uint8_t{0x7F});
  fields.days_star = values[kDay].star;
  fields.weekdays_star = values[kWeekday].star;
  fields.last_day = values[kDay].last;
  fields.nearest_weekday = values[kDay].nearest_weekday;
  fields.nth_weekday = values[kWeekday].nth;
  fields.any_nth = values[kWeekday].nth_days != 0;
  fields.every_hour = values[kHour].star && values[kHour].list.empty();
  if (texts.size() > kSecond) {
    fields.has_seconds = true;
    fields.seconds = all_or(values[kSecond], 0, (std::uint64_t{1} << 60) - 1);
  }
  if (texts.size() > kYear) {
    fields.any_year = values[kYear].star;
    for (const int year : values[kYear].list)
      fields.years.set(static_cast<std::size_t>(year - 1970));
  }
  return fields;
}

}  // namespace tailrace::calendar
