// Airflow's module `macros`: what templates may call beyond Jinja.
#include <algorithm>
#include <array>
#include <cstdio>

#include "jinja/airflow_context.h"
#include "jinja/json.h"
#include "jinja/record.h"
#include "jinja/relative_delta.h"
#include "jinja/texts.h"
#include "jinja/times.h"
#include "jinja/yaml_text.h"

namespace tailrace::jinja {
namespace {

using Named = Object::Named;

/// str() of the day, read by `format`.
Result<DateTime> day_of(const Value& value, const std::string& format) {
  ASSIGN(const std::string text, to_text(value));
  return parse_by_format(text, format);
}

Result<Value> ds_add(const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("ds_add", arguments, named, {"ds", "days"}));
  ASSIGN(const bool moves, to_truth(given[1]));
  if (!moves) {
    ASSIGN(std::string same, to_text(given[0]));
    return Value(std::move(same));
  }
  ASSIGN(const DateTime day, day_of(given[0], "%Y-%m-%d"));
  const auto count = given[1].number();
  if (!count)
    return type_error("unsupported type for timedelta days component: " + given[1].type_name());
  if (!(*count > -4e6 && *count < 4e6)) return raised("OverflowError", "date value out of range");
  ASSIGN(const DateTime moved,
         plus(day, Value(TimeDelta{static_cast<std::int64_t>(*count * 86'400'000'000.0)}), 1));
  return Value(moved.strftime("%Y-%m-%d"));
}

Result<Value> ds_format(const List& arguments, const Named& named) {
  ASSIGN(const auto given,
         bind("ds_format", arguments, named, {"ds", "input_format", "output_format"}));
  for (const Value& each : given) TRY(defined(each));
  ASSIGN(const DateTime day, day_of(given[0], given[1].text()));
  return Value(day.strftime(given[2].text()));
}

std::string padded(int number, std::size_t digits) {
  std::string out = std::to_string(number);
  if (out.size() < digits) out.insert(0, digits - out.size(), '0');
  return out;
}

/// One field of a CLDR pattern, in English; none: a field that is not known here.
std::optional<std::string> cldr_field(const DateTime& time, char letter, std::size_t count) {
  const auto& local = time.local;
  const auto named = [&](const char* directive, std::size_t letters) {
    const std::string name = time.strftime(directive);
    return letters == 4 ? name : name.substr(0, letters == 5 ? 1 : letters == 6 ? 2 : 3);
  };
  const int hour = local.hour % 12 == 0 ? 12 : local.hour % 12;
  switch (letter) {
    case 'y':
      return count == 2 ? padded(local.year % 100, 2) : padded(local.year, count);
    case 'M':
    case 'L':
      return count < 3 ? padded(local.month, count) : named("%B", count);
    case 'd':
      return padded(local.day, count);
    case 'D':
      return padded(time.day_of_year(), count);
    case 'E':
      return named("%A", count < 3 ? 3 : count);
    case 'Q':
      return padded((local.month + 2) / 3, count);
    case 'H':
      return padded(local.hour, count);
    case 'h':
      return padded(hour, count);
    case 'm':
      return padded(local.minute, count);
    case 's':
      return padded(local.second, count);
    case 'a':
      return local.hour < 12 ? "AM" : "PM";
    default:
      return std::nullopt;
  }
}

Result<std::string> cldr_format(const DateTime& time, std::string pattern) {
  constexpr std::pair<std::string_view, std::string_view> kNamed[] = {
      {"short", "M/d/yy, h:mm\u202fa"},
      {"medium", "MMM d, y, h:mm:ss\u202fa"},
      {"long", "MMMM d, y, h:mm:ss\u202fa 'UTC'"},
      {"full", "EEEE, MMMM d, y, h:mm:ss\u202fa 'Coordinated Universal Time'"}};
  for (const auto& [name, meaning] : kNamed)
    if (name == pattern) pattern = std::string(meaning);
  std::string out;
  for (std::size_t i = 0; i < pattern.size();) {
    const char c = pattern[i];
    if (c == '\'') {
      const std::size_t end = pattern.find('\'', i + 1);
      if (end == i + 1) out += '\'';
      out += pattern.substr(i + 1, (end == std::string::npos ? pattern.size() : end) - i - 1);
      i = end == std::string::npos ? pattern.size() : end + 1;
      continue;
    }
    if (!isalpha(static_cast<unsigned char>(c))) {
      out += c;
      ++i;
      continue;
    }
    std::size_t count = 1;
    while (i + count < pattern.size() && pattern[i + count] == c) ++count;
    const auto field = cldr_field(time, c, count);
    if (!field)
      return raised("ValueError", "the field '" + std::string(count, c) + "' is not known here",
                    Code::kUnimplemented);
    out += *field;
    i += count;
  }
  return out;
}

Result<Value> ds_format_locale(const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("ds_format_locale", arguments, named,
                                {"ds", "input_format", "output_format", {"locale", Value()}}));
  for (const Value& each : given) TRY(defined(each));
  ASSIGN(const DateTime day, day_of(given[0], given[1].text()));
  if (given[3].truth() && !given[3].text().starts_with("en"))
    return raised("UnknownLocaleError", "only English is known here", Code::kUnimplemented);
  ASSIGN(std::string made, cldr_format(day, given[2].text()));
  return Value(std::move(made));
}

Result<Value> diff_for_humans(const List& arguments, const Named& named) {
  ASSIGN(const auto given,
         bind("datetime_diff_for_humans", arguments, named, {"dt", {"since", Value()}}));
  TRY(defined(given[0]));
  auto time = time_value(given[0]);
  if (!time) return type_error("a datetime is needed, not " + given[0].type_name());
  time->pendulum = true;
  if (!time->zone) time->zone = calendar::Zone::utc();
  const auto method = pendulum_attribute(*time, "diff_for_humans");
  return call(*method, {given[1]}, {});
}

// --- modules -------------------------------------------------------------------------------------

Value module(const std::string& name, Dict attributes) {
  return Value(std::shared_ptr<const Object>(
      std::make_shared<Record>("module", "<module '" + name + "'>", std::move(attributes))));
}

Value members(const std::string& name,
              std::initializer_list<std::pair<const char*, Body>> functions) {
  Dict out;
  for (const auto& [known, body] : functions) out.set(known, function(known, body));
  return module(name, std::move(out));
}

Result<Value> random_number(const List&, const Named&) {
  if (!budget() || !budget()->random)
    return raised("TemplateRuntimeError", "there is no source of random numbers here",
                  Code::kUnimplemented);
  return Value(budget()->random());
}

Result<Value> uuid4(const List&, const Named&) {
  std::string out;
  for (int i = 0; i < 32; ++i) {
    ASSIGN(const Value number, random_number({}, {}));
    const auto digit = static_cast<unsigned>(*number.real() * 16) & 15;
    if (i == 8 || i == 12 || i == 16 || i == 20) out += '-';
    out += "0123456789abcdef"[i == 12 ? 4 : i == 16 ? (digit & 3) | 8 : digit];
  }
  return Value(std::move(out));
}

Result<Value> now_seconds(const List&, const Named&) {
  if (!budget() || !budget()->clock)
    return raised("TemplateRuntimeError", "there is no clock here", Code::kUnimplemented);
  return Value(static_cast<double>(budget()->clock()) / 1e6);
}

Result<Value> time_strftime(const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("strftime", arguments, named, {"format"}));
  ASSIGN(const Value seconds, now_seconds({}, {}));
  const auto micros = static_cast<std::int64_t>(*seconds.real() * 1e6);
  return Value(DateTime::at(micros, calendar::Zone::utc(), false).strftime(given[0].text()));
}

Result<Value> loads(const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("loads", arguments, named, {"s"}));
  TRY(defined(given[0]));
  if (!given[0].string())
    return type_error("the JSON object must be str, bytes or bytearray, not " +
                      given[0].type_name());
  return load_json(*given[0].string());
}

Result<Value> dumps(const List& arguments, const Named& named) {
  ASSIGN(std::string text, json_dumps(arguments, named));
  return Value(std::move(text));
}

Result<Value> parse_date(const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("parse", arguments, named, {"timestr"}));
  ASSIGN(const std::string text, to_text(given[0]));
  const auto made = calendar::parse_moment(text);
  if (!made)
    return raised("ParserError", "Unknown string format: " + text + " (ISO 8601 is read here)");
  DateTime out = DateTime::of(*made);
  out.pendulum = false;
  const std::size_t clock = text.find_first_of("T ");
  if (clock == std::string::npos || text.find_first_of("+-Z", clock) == std::string::npos)
    out.zone.reset();
  return out.value();
}

Value dateutil() {
  Dict out;
  out.set("parser", members("dateutil.parser", {{"parse", parse_date}}));
  out.set("relativedelta",
          members("dateutil.relativedelta", {{"relativedelta", make_relative_delta}}));
  return module("dateutil", std::move(out));
}

Dict all() {
  Dict out;
  out.set("datetime", datetime_class());
  out.set("timedelta", timedelta_class());
  out.set("dateutil", dateutil());
  out.set("time", members("time", {{"time", now_seconds}, {"strftime", time_strftime}}));
  out.set("uuid", members("uuid", {{"uuid4", uuid4}}));
  out.set("random", function("random", random_number));
  out.set("json", members("json", {{"loads", loads}, {"dumps", dumps}}));
  out.set("yaml", members("airflow.sdk.yaml", {{"dump", yaml_dump}, {"safe_dump", yaml_dump}}));
  out.set("ds_add", function("ds_add", ds_add));
  out.set("ds_format", function("ds_format", ds_format));
  out.set("ds_format_locale", function("ds_format_locale", ds_format_locale));
  out.set("datetime_diff_for_humans", function("datetime_diff_for_humans", diff_for_humans));
  return out;
}

}  // namespace

Value macros_value() {
  static const Value kMacros{std::shared_ptr<const Object>(std::make_shared<Record>(
      "MacrosAccessor", "<MacrosAccessor (dynamic access to macros)>", all()))};
  return kMacros;
}

}  // namespace tailrace::jinja
