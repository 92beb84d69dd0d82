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

/// A text, or an Error where no phrase fits; the whole expression then has no description.
using Phrase = Result<std::string>;

/// How the values of one field are put into words.
struct Words {
  std::string_view all;                                   ///< `*`
  std::function<Phrase(const std::string&)> item;         ///< one value's name
  std::function<std::string(const std::string&)> single;  ///< the phrase around values
  std::string_view step;                                  ///< around a step
  std::string_view between;                               ///< around a range
  std::string_view every_one = {};                        ///< instead of `step` where that is 1
  std::string_view range = ", {0} through {1}";           ///< around a range in a list
};

std::unexpected<Error> no_words() {
  return error(Code::kNotFound, "no words");
}

Result<int> number(std::string_view text) {
  if (text.empty() || text.size() > 6 ||
      !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) {
    return no_words();
  }
  return std::stoi(std::string(text));
}

Phrase clock(std::string_view hour, std::string_view minute) {
  ASSIGN(const int hours, number(hour));
  ASSIGN(const int minutes, number(minute));
  return fmt::format("{:02}:{:02}", hours, minutes);
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

Phrase between(const std::string& text, std::string_view phrase, const Words& words) {
  const Texts ends = split(text, '-');
  ASSIGN(const std::string first, words.item(ends[0]));
  ASSIGN(const std::string last, words.item(ends[1]));
  // A range of hours ends with its last minute.
  return filled(phrase, first, replaced(last, ":00", ":59"));
}

std::string every(const std::string& step, const Words& words) {
  return filled(step == "1" && !words.every_one.empty() ? words.every_one : words.step, step);
}

/// `6-23/2` in a list.
Phrase step_in_list(const std::string& text, const Words& words) {
  const Texts parts = split(text, '/');
  std::string phrase = every(parts[1], words);
  if (phrase.starts_with(", ")) phrase.erase(0, 2);
  if (has(parts[0], "-")) {
    ASSIGN(const std::string range, between(parts[0], words.range, words));
    phrase += ", " + replaced(range, ", ", "");
  } else if (parts[0] != "*") {
    TRY(words.item(parts[0]));
    phrase += ", ";
  }
  return phrase;
}

Phrase listed(const std::string& text, const Words& words) {
  if (has(text, "/")) return step_in_list(text, words);
  if (!has(text, "-")) return words.item(text);
  ASSIGN(const std::string range, between(text, words.range, words));
  return replaced(range, ", ", "");
}

Phrase list(const std::string& text, const Words& words) {
  const Texts items = split(text, ',');
  std::string phrase;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const bool last = i == items.size() - 1;
    if (i > 0 && items.size() > 2) phrase += last ? "," : ", ";
    if (i > 0 && last) phrase += " and ";
    ASSIGN(const std::string item, listed(items[i], words));
    phrase += item;
  }
  return filled(words.single(text), phrase);
}

Phrase stepped(const std::string& text, const Words& words) {
  const Texts parts = split(text, '/');
  std::string phrase = every(parts[1], words);
  if (has(parts[0], "-")) {
    ASSIGN(const std::string range, between(parts[0], words.between, words));
    return phrase + (range.starts_with(", ") ? "" : ", ") + range;
  }
  if (!has(parts[0], "*,")) {
    ASSIGN(const std::string item, words.item(parts[0]));
    const std::string start = replaced(filled(words.single(parts[0]), item), ", ", "");
    phrase += filled(", starting {0}", start);
  }
  return phrase;
}

Phrase segment(const std::string& text, const Words& words) {
  if (text == "*") return std::string(words.all);
  if (has(text, ",")) return list(text, words);
  if (has(text, "/")) return stepped(text, words);
  if (has(text, "-")) return between(text, words.between, words);
  ASSIGN(const std::string item, words.item(text));
  return filled(words.single(text), item);
}

std::function<std::string(const std::string&)> always(std::string_view phrase) {
  return [phrase](const std::string&) { return std::string(phrase); };
}

Phrase itself(const std::string& text) {
  return text;
}

Phrase minutes(const Parts& parts) {
  const bool hour_range = has(parts.hour, "-") && !has(parts.hour, "/,");
  const auto single = [&](const std::string& text) -> std::string {
    return text == "0" && !hour_range ? "" : "at {0} minutes past the hour";
  };
  return segment(parts.minute, {"every minute", itself, single, "every {0} minutes",
                                "minutes {0} through {1} past the hour"});
}

Phrase hours(const Parts& parts) {
  const auto item = [](const std::string& text) { return clock(text, "0"); };
  return segment(parts.hour,
                 {"every hour", item, always("at {0}"), "every {0} hours", "between {0} and {1}"});
}

/// `30 6,14,16`
Phrase hour_list(const Parts& parts) {
  const Texts items = split(parts.hour, ',');
  std::string phrase = "At";
  for (std::size_t i = 0; i < items.size(); ++i) {
    ASSIGN(const std::string time, clock(items[i], parts.minute));
    phrase += " " + time;
    if (i + 2 < items.size()) phrase += ",";
    if (i + 2 == items.size()) phrase += " and";
  }
  return phrase;
}

Phrase time_of_day(const Parts& parts) {
  constexpr std::string_view kSpecial = "/-,*";
  const bool one_minute = !has(parts.minute, kSpecial), one_hour = !has(parts.hour, kSpecial);
  if (one_minute && one_hour) {
    ASSIGN(const std::string time, clock(parts.hour, parts.minute));
    return "At " + time;
  }
  if (has(parts.minute, "-") && !has(parts.minute, ",") && one_hour) {
    const Texts ends = split(parts.minute, '-');
    ASSIGN(const std::string first, clock(parts.hour, ends[0]));
    ASSIGN(const std::string last, clock(parts.hour, ends[1]));
    return filled("Every minute between {0} and {1}", first, last);
  }
  if (has(parts.hour, ",") && !has(parts.hour, "-") && one_minute) return hour_list(parts);
  ASSIGN(const std::string of_minutes, minutes(parts));
  ASSIGN(const std::string of_hours, hours(parts));
  return of_minutes + (of_minutes.empty() || of_hours.empty() ? "" : ", ") + of_hours;
}

/// The day of `15W` and `W15` at the beginning of a text.
std::optional<int> nearest_weekday(const std::string& text) {
  const bool before = text.starts_with('W');
  std::string digits = text.substr(before ? 1 : 0).substr(0, 2);
  while (!digits.empty() && !number(digits)) digits.pop_back();
  if (digits.empty() || (!before && !text.substr(digits.size()).starts_with('W'))) {
    return std::nullopt;
  }
  return *number(digits);
}

Phrase days(const Parts& parts) {
  if (parts.day == "L") return ", on the last day of the month";
  if (const auto day = nearest_weekday(parts.day)) {
    return *day == 1 ? ", on the first weekday of the month"
                     : fmt::format(", on the weekday nearest day {} of the month", *day);
  }
  if (parts.day == "*" && parts.weekday != "*") return "";
  return segment(parts.day,
                 {", every day", itself, always(", on day {0} of the month"), ", every {0} days",
                  ", between day {0} and {1} of the month", ", every day"});
}

Phrase day_name(const std::string& text) {
  std::string day = replaced(text, "L", "");
  if (has(text, "#")) {
    const Texts parts = split(text, '#');
    if (parts.size() != 2) return no_words();
    day = parts[0];
  }
  ASSIGN(const int at, number(day));
  if (at >= static_cast<int>(kDays.size())) return no_words();
  return std::string(kDays[static_cast<std::size_t>(at)]);
}

/// The weekdays of a step that counts weeks, "every 2 weeks, only on Friday": of a list, or of a
/// range that the step leaves; empty where it counts days.
Phrase days_of_weeks(const std::string& base, const std::string& step, const Words& words) {
  if (has(base, ",")) return segment(base, words);
  if (!has(base, "-")) return "";
  const Texts ends = split(base, '-');
  ASSIGN(const int first, number(ends[0]));
  ASSIGN(const int last, number(ends[1]));
  ASSIGN(const int days_apart, number(step));
  if (days_apart < (last == 0 ? 7 : last) - first + 1) return "";
  if (last != 6) return between(base, words.range, words);
  ASSIGN(const std::string name, day_name(ends[0]));
  return filled(", only on {0}", name);
}

Phrase weekdays(const Parts& parts) {
  if (parts.weekday == "*") return "";
  const auto single = [&](const std::string& text) -> std::string {
    const std::size_t hash = text.find('#');
    if (hash != std::string::npos) {
      const auto week = number(text.substr(hash + 1));
      const bool known = week && *week < static_cast<int>(kNth.size());
      return fmt::format(", on the {} {{0}} of the month",
                         known ? kNth[static_cast<std::size_t>(*week)] : "");
    }
    if (has(text, "L")) return ", on the last {0} of the month";
    return parts.day != "*" ? ", or on {0}" : ", only on {0}";
  };
  const Words words{", every day", day_name, single, ", every {0} days of the week",
                    ", {0} through {1}"};
  const std::size_t slash = parts.weekday.find('/');
  const std::string step = slash == std::string::npos ? "" : parts.weekday.substr(slash + 1);
  if (number(step)) {
    ASSIGN(const std::string phrase, days_of_weeks(parts.weekday.substr(0, slash), step, words));
    if (!phrase.empty()) return filled(", every {0} weeks", step) + phrase;
  }
  return segment(parts.weekday, words);
}

Phrase months(const Parts& parts) {
  const auto item = [](const std::string& text) -> Phrase {
    ASSIGN(const int month, number(text));
    if (month < 1 || month > 12) return no_words();
    return std::string(kMonths[static_cast<std::size_t>(month - 1)]);
  };
  return segment(parts.month,
                 {"", item, always(", only in {0}"), ", every {0} months", ", {0} through {1}"});
}

Phrase described(const Texts& fields) {
  const Parts parts = normalized(fields);
  ASSIGN(std::string text, time_of_day(parts));
  ASSIGN(const std::string of_days, days(parts));
  ASSIGN(const std::string of_weekdays, weekdays(parts));
  ASSIGN(const std::string of_months, months(parts));
  text += of_days + of_weekdays + of_months;
  for (const std::string_view known : {", every minute", ", every hour", ", every day"}) {
    text = replaced(text, known, "");
  }
  if (text.ends_with(", ")) text.resize(text.size() - 2);
  if (text.ends_with(",")) text.pop_back();
  if (text.empty()) return no_words();
  text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

/// Days and weekdays that are both restricted are told one after the other.
Phrase described_or(const Texts& fields) {
  if (fields[2] == "*" || fields[4] == "*") return described(fields);
  Texts by_day = fields, by_weekday = fields;
  by_day[4] = by_weekday[2] = "*";
  ASSIGN(const std::string of_days, described(by_day));
  ASSIGN(const std::string of_weekdays, described(by_weekday));
  return of_days + " (or) " + of_weekdays;
}

}  // namespace

std::string Cron::description() const {
  Texts fields;
  for (std::string& field : split(replaced(expression_, "\t", " "), ' ')) {
    if (!field.empty()) fields.push_back(std::move(field));
  }
  if (fields.size() != 5) return "";
  return described_or(fields).value_or("");
}

}  // namespace tailrace::calendar
