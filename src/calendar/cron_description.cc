// Cron::description(): the sentence of Airflow's page, which are cron-descriptor's words in English
// with a clock of 24 hours.
//
// It is made of the expression's text and not of its sets: `*/5` is "every 5 minutes".
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>
#include <optional>

#include "calendar/cron.h"

namespace tailrace::calendar {
namespace {

using Texts = std::vector<std::string>;

constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 6> kNth = {"",      "first",  "second",
                                                  "third", "fourth", "fifth"};

bool has(std::string_view text, std::string_view any_of) {
  return text.find_first_of(any_of) != std::string_view::npos;
}

Texts split(std::string_view text, char separator) {
  Texts parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// `{0}` and `{1}` of a phrase.
std::string filled(std::string_view phrase, std::string_view first, std::string_view second = {}) {
  return replaced(replaced(std::string(phrase), "{0}", first), "{1}", second);
}

/// How the values of one field are put into words.
struct Words {
  std::string_view all;                                   ///< `*`
  std::function<std::string(const std::string&)> item;    ///< one value's name
  std::function<std::string(const std::string&)> single;  ///< the phrase around values
  std::string_view step;                                  ///< around a step
  std::string_view between;                               ///< around a range
  std::string_view every_one = {};                        ///< instead of `step` where that is 1
  std::string_view range = ", {0} through {1}";           ///< around a range in a list
};

/// A text that no phrase fits; the whole expression then has no description.
struct NoWords {};

int number(std::string_view text) {
  if (text.empty() || text.size() > 6 ||
      !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) {
    throw NoWords{};
  }
  return std::stoi(std::string(text));
}

std::string clock(std::string_view hour, std::string_view minute) {
  return fmt::format("{:02}:{:02}", number(hour), number(minute));
}

/// The fields as the phrases want them: names as numbers, steps from the least as `*`, and the
/// like.
struct Parts {
  std::string minute, hour, day, month, weekday;
};

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string without_least(const std::string& text, std::string_view least) {
  return text.starts_with(least) ? replaced(text, least, "*/") : text;
}

/// Sunday is 0, not 7, wherever it is no number of a week and no step.
std::string sunday_first(std::string text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '7' && (i == 0 || !has(text.substr(i - 1, 1), "#/ 0123456789"))) text[i] = '0';
  }
  return text;
}

std::string numbered(std::string text, const auto& names, std::size_t first) {
  text = upper(std::move(text));
  for (std::size_t i = 0; i < names.size(); ++i) {
    text = replaced(text, upper(std::string(names[i].substr(0, 3))), std::to_string(i + first));
  }
  return text;
}

/// `3/2` as `3-12/2`
std::string closed(const std::string& text, int last) {
  if (!has(text, "/") || has(text, "*-,")) return text;
  const Texts parts = split(text, '/');
  return fmt::format("{}-{}/{}", parts[0], last, parts[1]);
}

Parts normalized(const Texts& fields) {
  Parts parts;
  parts.minute = without_least(fields[0], "0/");
  parts.hour = without_least(fields[1], "0/");
  parts.day = without_least(replaced(fields[2], "?", "*"), "1/");
  parts.month = numbered(without_least(fields[3], "1/"), kMonths, 1);
  parts.weekday =
      numbered(sunday_first(without_least(replaced(fields[4], "?", "*"), "1/")), kDays, 0);
  if (has(parts.minute, "*/") && !has(parts.hour, "*-,/")) parts.hour += "-" + parts.hour;
  for (std::string* const part :
       {&parts.minute, &parts.hour, &parts.day, &parts.month, &parts.weekday}) {
    if (*part == "*/1") *part = "*";
  }
  parts.month = closed(parts.month, 12);
  parts.weekday = closed(parts.weekday, 6);
  return parts;
}

std::string between(const std::string& text, std::string_view phrase, const Words& words) {
  const Texts ends = split(text, '-');
  // A range of hours ends with its last minute.
  return filled(phrase, words.item(ends[0]), replaced(words.item(ends[1]), ":00", ":59"));
}

std::string every(const std::string& step, const Words& words) {
  return filled(step == "1" && !words.every_one.empty() ? words.every_one : words.step, step);
}

/// `6-23/2` in a list.
std::string step_in_list(const std::string& text, const Words& words) {
  const Texts parts = split(text, '/');
  std::string phrase = every(parts[1], words);
  if (phrase.starts_with(", ")) phrase.erase(0, 2);
  if (has(parts[0], "-")) {
    phrase += ", " + replaced(between(parts[0], words.range, words), ", ", "");
  } else if (parts[0] != "*") {
    words.item(parts[0]);
    phrase += ", ";
  }
  return phrase;
}

std::string list(const std::string& text, const Words& words) {
  const Texts items = split(text, ',');
  std::string phrase;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const bool last = i == items.size() - 1;
    if (i > 0 && items.size() > 2) phrase += last ? "," : ", ";
    if (i > 0 && last) phrase += " and ";
    if (has(items[i], "/")) {
      phrase += step_in_list(items[i], words);
    } else if (has(items[i], "-")) {
      phrase += replaced(between(items[i], words.range, words), ", ", "");
    } else {
      phrase += words.item(items[i]);
    }
  }
  return filled(words.single(text), phrase);
}

std::string stepped(const std::string& text, const Words& words) {
  const Texts parts = split(text, '/');
  std::string phrase = every(parts[1], words);
  if (has(parts[0], "-")) {
    const std::string range = between(parts[0], words.between, words);
    if (!range.starts_with(", ")) phrase += ", ";
    phrase += range;
  } else if (!has(parts[0], "*,")) {
    const std::string start = filled(words.single(parts[0]), words.item(parts[0]));
    phrase += filled(", starting {0}", replaced(start, ", ", ""));
  }
  return phrase;
}

std::string segment(const std::string& text, const Words& words) {
  if (text == "*") return std::string(words.all);
  if (!has(text, "/-,")) return filled(words.single(text), words.item(text));
  if (has(text, ",")) return list(text, words);
  if (has(text, "/")) return stepped(text, words);
  return between(text, words.between, words);
}

std::function<std::string(const std::string&)> always(std::string_view phrase) {
  return [phrase](const std::string&) { return std::string(phrase); };
}

std::string itself(const std::string& text) {
  return text;
}

std::string minutes(const Parts& parts) {
  const bool hour_range = has(parts.hour, "-") && !has(parts.hour, "/,");
  const auto single = [&](const std::string& text) -> std::string {
    return text == "0" && !hour_range ? "" : "at {0} minutes past the hour";
  };
  return segment(parts.minute, {"every minute", itself, single, "every {0} minutes",
                                "minutes {0} through {1} past the hour"});
}

std::string hours(const Parts& parts) {
  const auto item = [](const std::string& text) { return clock(text, "0"); };
  return segment(parts.hour,
                 {"every hour", item, always("at {0}"), "every {0} hours", "between {0} and {1}"});
}

std::string time_of_day(const Parts& parts) {
  constexpr std::string_view kSpecial = "/-,*";
  if (!has(parts.minute, kSpecial) && !has(parts.hour, kSpecial)) {
    return "At " + clock(parts.hour, parts.minute);
  }
  if (has(parts.minute, "-") && !has(parts.minute, ",") && !has(parts.hour, kSpecial)) {
    const Texts ends = split(parts.minute, '-');
    return filled("Every minute between {0} and {1}", clock(parts.hour, ends[0]),
                  clock(parts.hour, ends[1]));
  }
  if (has(parts.hour, ",") && !has(parts.hour, "-") && !has(parts.minute, kSpecial)) {
    const Texts items = split(parts.hour, ',');
    std::string phrase = "At";
    for (std::size_t i = 0; i < items.size(); ++i) {
      phrase += " " + clock(items[i], parts.minute);
      if (i + 2 < items.size()) phrase += ",";
      if (i + 2 == items.size()) phrase += " and";
    }
    return phrase;
  }
  std::string phrase = minutes(parts);
  const std::string of_hours = hours(parts);
  if (!phrase.empty() && !of_hours.empty()) phrase += ", ";
  return phrase + of_hours;
}

/// The day of `15W` and `W15` at the beginning of a text.
std::optional<int> nearest_weekday(const std::string& text) {
  std::string digits = text.substr(text.starts_with('W') ? 1 : 0).substr(0, 2);
  while (!digits.empty() && (digits.back() < '0' || digits.back() > '9')) digits.pop_back();
  if (digits.empty()) return std::nullopt;
  const bool after = !text.starts_with('W') && text.substr(digits.size()).starts_with('W');
  if (!text.starts_with('W') && !after) return std::nullopt;
  return number(digits);
}

std::string days(const Parts& parts) {
  if (parts.day == "L") return ", on the last day of the month";
  if (const auto day = nearest_weekday(parts.day)) {
    const std::string which =
        *day == 1 ? "first weekday" : fmt::format("weekday nearest day {}", *day);
    return filled(", on the {0} of the month", which);
  }
  if (parts.day == "*" && parts.weekday != "*") return "";
  return segment(parts.day,
                 {", every day", itself, always(", on day {0} of the month"), ", every {0} days",
                  ", between day {0} and {1} of the month", ", every day"});
}

std::string day_name(const std::string& text) {
  std::string day = text;
  if (has(text, "#")) {
    const Texts parts = split(text, '#');
    if (parts.size() != 2) throw NoWords{};
    day = parts[0];
  } else {
    day = replaced(day, "L", "");
  }
  const auto at = static_cast<std::size_t>(number(day));
  if (at >= kDays.size()) throw NoWords{};
  return std::string(kDays[at]);
}

/// A step on single days counts weeks: "every 2 weeks, only on Friday".
std::optional<std::string> weekly(const Parts& parts, const Words& words) {
  const std::size_t slash = parts.weekday.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const std::string base = parts.weekday.substr(0, slash), step = parts.weekday.substr(slash + 1);
  if (step.empty() || has(step, "/-,*#L")) return std::nullopt;
  std::string phrase;
  if (has(base, ",")) {
    phrase = segment(base, words);
  } else if (has(base, "-")) {
    const Texts ends = split(base, '-');
    const int last = number(ends[1]);
    if (number(step) < (last == 0 ? 7 : last) - number(ends[0]) + 1) return std::nullopt;
    phrase =
        last == 6 ? filled(", only on {0}", day_name(ends[0])) : between(base, words.range, words);
  } else {
    return std::nullopt;
  }
  return filled(", every {0} weeks", step) + phrase;
}

std::string weekdays(const Parts& parts) {
  if (parts.weekday == "*") return "";
  const auto single = [&](const std::string& text) -> std::string {
    const std::size_t hash = text.find('#');
    if (hash != std::string::npos) {
      const std::string week = text.substr(hash + 1);
      const bool known = week.size() == 1 && week[0] >= '1' && week[0] <= '5';
      return fmt::format(", on the {} {{0}} of the month",
                         known ? kNth[static_cast<std::size_t>(week[0] - '0')] : "");
    }
    if (has(text, "L")) return ", on the last {0} of the month";
    return parts.day != "*" ? ", or on {0}" : ", only on {0}";
  };
  const Words words{", every day", day_name, single, ", every {0} days of the week",
                    ", {0} through {1}"};
  if (const auto phrase = weekly(parts, words)) return *phrase;
  return segment(parts.weekday, words);
}

std::string months(const Parts& parts) {
  const auto item = [](const std::string& text) {
    const int month = number(text);
    if (month < 1 || month > 12) throw NoWords{};
    return std::string(kMonths[static_cast<std::size_t>(month - 1)]);
  };
  return segment(parts.month,
                 {"", item, always(", only in {0}"), ", every {0} months", ", {0} through {1}"});
}

std::string described(const Texts& fields) {
  const Parts parts = normalized(fields);
  std::string text = time_of_day(parts) + days(parts) + weekdays(parts) + months(parts);
  for (const std::string_view known : {", every minute", ", every hour", ", every day"}) {
    text = replaced(text, known, "");
  }
  if (text.ends_with(", ")) text.resize(text.size() - 2);
  if (text.ends_with(",")) text.pop_back();
  if (text.empty()) throw NoWords{};
  text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

/// Days and weekdays that are both restricted are told one after the other.
std::string described_or(const Texts& fields) {
  if (fields[2] == "*" || fields[4] == "*") return described(fields);
  Texts by_day = fields, by_weekday = fields;
  by_day[4] = by_weekday[2] = "*";
  return described(by_day) + " (or) " + described(by_weekday);
}

}  // namespace

std::string Cron::description() const {
  Texts fields;
  for (std::string& field : split(replaced(expression_, "\t", " "), ' ')) {
    if (!field.empty()) fields.push_back(std::move(field));
  }
  if (fields.size() != 5) return "";
  try {
    return described_or(fields);
  } catch (const NoWords&) {
    return "";
  }
}

}  // namespace tailrace::calendar
