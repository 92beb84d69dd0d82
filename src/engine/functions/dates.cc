// Fields of dates and timestamps, the clock, truncation, tumbling and sliding windows.
#include <arrow/scalar.h>

#include <algorithm>

#include "engine/functions/calendar.h"
#include "engine/functions/registry.h"
#include "engine/functions/text_of.h"

namespace tailrace::engine {
namespace {

using Days = std::int32_t;
using Micros = std::int64_t;
using Text = std::string_view;

Kernel date_field(Days (*field)(Days)) {
  return [field](Call& call) {
    return map_rows<Days>(call, [field](auto, Days days) { return field(days); });
  };
}

Kernel time_field(Micros unit, Micros modulus) {
  return [=](Call& call) {
    return map_rows<Micros>(call, [=](auto, Micros micros) {
      return static_cast<Days>(floor_mod(floor_div(micros, unit), modulus));
    });
  };
}

/// Monday is 0.
int weekday(Days days) {
  return static_cast<int>(floor_mod(std::int64_t{days} + 3, 7));
}

Days iso_week(Days days) {
  const Days thursday = days - weekday(days) + 3;
  return (thursday - days_of(civil_of(thursday).year, 1, 1)) / 7 + 1;
}

Days truncated(Days days, std::string unit) {
  std::ranges::transform(unit, unit.begin(), [](unsigned char c) { return std::toupper(c); });
  const CivilDate date = civil_of(days);
  if (unit == "YEAR" || unit == "YYYY" || unit == "YY") return days_of(date.year, 1, 1);
  if (unit == "QUARTER") return days_of(date.year, (date.month - 1) / 3 * 3 + 1, 1);
  if (unit == "MONTH" || unit == "MM" || unit == "MON") return days_of(date.year, date.month, 1);
  if (unit == "WEEK") return days - weekday(days);
  return INT32_MIN;
}

Result<Array> trunc(Call& call) {
  return map_rows<Days, Text>(call, [](auto, Days days, Text unit) -> std::optional<Days> {
    const Days made = truncated(days, std::string(unit));
    return made == INT32_MIN ? std::nullopt : std::optional(made);
  });
}

std::optional<Micros> truncated_time(Micros micros, Text unit_text) {
  std::string unit(unit_text);
  std::ranges::transform(unit, unit.begin(), [](unsigned char c) { return std::toupper(c); });
  static constexpr std::pair<Text, Micros> kUnits[] = {{"MICROSECOND", 1},
                                                       {"MILLISECOND", 1000},
                                                       {"SECOND", kMicrosPerSecond},
                                                       {"MINUTE", 60 * kMicrosPerSecond},
                                                       {"HOUR", 3600 * kMicrosPerSecond},
                                                       {"DAY", kMicrosPerDay},
                                                       {"DD", kMicrosPerDay}};
  for (const auto& [name, size] : kUnits) {
    if (unit == name) return floor_div(micros, size) * size;
  }
  const Days made = truncated(day_of_micros(micros), unit);
  return made == INT32_MIN ? std::nullopt : std::optional(made * kMicrosPerDay);
}

Result<Array> date_trunc(Call& call) {
  return map_rows<Text, Micros>(
      call, [](auto, Text unit, Micros micros) { return truncated_time(micros, unit); });
}

Kernel clock(bool date) {
  return [date](Call& call) -> Result<Array> {
    if (date) {
      Sink<Days> out(call.type(), call.rows);
      for (std::int64_t row = 0; row < call.rows; ++row)
        out.set(row, day_of_micros(call.context.now_us));
      return out.finish();
    }
    Sink<Micros> out(call.type(), call.rows);
    for (std::int64_t row = 0; row < call.rows; ++row) out.set(row, call.context.now_us);
    return out.finish();
  };
}

/// "1 minute", "interval 10 minutes 30 seconds"; weeks are the longest unit a window may have.
std::optional<Micros> parse_duration(Text text) {
  static constexpr std::pair<Text, Micros> kUnits[] = {{"microsecond", 1},
                                                       {"millisecond", 1000},
                                                       {"second", kMicrosPerSecond},
                                                       {"minute", 60 * kMicrosPerSecond},
                                                       {"hour", 3600 * kMicrosPerSecond},
                                                       {"day", kMicrosPerDay},
                                                       {"week", 7 * kMicrosPerDay}};
  std::vector<std::string> words(1);
  for (const char c : text) {
    if (c != ' ') {
      words.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  if (!words.empty() && words.front() == "interval") words.erase(words.begin());
  if (words.empty() || words.size() % 2 != 0) return std::nullopt;
  Micros total = 0;
  for (std::size_t i = 0; i < words.size(); i += 2) {
    const auto count = parse_integer(words[i]);
    Text unit = words[i + 1];
    if (unit.ends_with('s')) unit.remove_suffix(1);
    const auto* found = std::ranges::find(kUnits, unit, &std::pair<Text, Micros>::first);
    if (!count || found == std::end(kUnits)) return std::nullopt;
    total += *count * found->second;
  }
  return total;
}

std::optional<Micros> window_length(const arrow::Scalar* scalar) {
  if (!scalar || !scalar->is_valid) return std::nullopt;
  if (scalar->type->id() == arrow::Type::DURATION)
    return static_cast<const arrow::DurationScalar*>(scalar)->value;
  const auto text = constant_text(scalar);
  return text ? parse_duration(*text) : std::nullopt;
}

Type window_type() {
  return arrow::struct_(
      {arrow::field("start", timestamp_type()), arrow::field("end", timestamp_type())});
}

Result<BoundFunction> bind_window(const BindCall& call) {
  if (call.args.size() < 2 || call.args.size() > 4) return wrong_count(call, "[2, 4]");
  auto time = implicit_cast(call.args[0], "timestamp");
  if (!time) return wrong_argument(call, 0, "TIMESTAMP");
  BoundFunction bound{{*time}, window_type()};
  for (std::size_t i = 1; i < call.args.size(); ++i) {
    if (!window_length(call.constant(i))) {
      return error(Code::kInvalidArgument, "[DATATYPE_MISMATCH] window: argument " +
                                               std::to_string(i + 1) +
                                               " must be a constant duration, as '10 minutes'");
    }
    bound.args.push_back(call.args[i]);
  }
  const Micros length = *window_length(call.constant(1));
  if (length <= 0)
    return error(Code::kInvalidArgument,
                 "[DATATYPE_MISMATCH] window: the duration must be above 0");
  if (call.args.size() > 2 && *window_length(call.constant(2)) != length) {
    return error(Code::kUnimplemented,
                 "window: sliding windows (slide ≠ duration) are not supported yet");
  }
  return bound;
}

Result<Array> window(Call& call) {
  const Micros length = *window_length(call.expr.args[1]->literal.get());
  const Micros start = call.args.size() > 3 ? *window_length(call.expr.args[3]->literal.get()) : 0;
  const Reader<Micros> times(call.args[0]);
  Sink<Micros> starts(timestamp_type(), call.rows);
  Sink<Micros> ends(timestamp_type(), call.rows);
  Sink<bool> valid(arrow::boolean(), call.rows);
  std::int64_t nulls = 0;
  for (std::int64_t row = 0; row < call.rows; ++row) {
    valid.set(row, !times.nulls[row]);
    if (times.nulls[row]) {
      ++nulls;
      starts.null(row);
      ends.null(row);
      continue;
    }
    const Micros first = times[row] - floor_mod(times[row] - start, length);
    starts.set(row, first);
    ends.set(row, first + length);
  }
  ASSIGN(Array first, starts.finish());
  ASSIGN(Array last, ends.finish());
  ASSIGN(Array bits, valid.finish());
  return std::make_shared<arrow::StructArray>(
      call.type(), call.rows, arrow::ArrayVector{first, last},
      nulls > 0 ? bits->data()->buffers[1] : nullptr, nulls);
}

Result<Array> window_time(Call& call) {
  const auto& windows = static_cast<const arrow::StructArray&>(*call.args[0].array);
  const Value ends{windows.field(1), call.args[0].constant};
  const Reader<Micros> last(ends);
  const Nulls nulls(call.args[0]);
  Sink<Micros> out(call.type(), call.rows);
  for (std::int64_t row = 0; row < call.rows; ++row) {
    nulls[row] ? out.null(row) : out.set(row, last[row] - 1);
  }
  return out.finish();
}

void add_fields(Functions& out) {
  const Binder of_date = signature("date -> int");
  const Binder of_time = signature("timestamp -> int");
  auto add = [&](std::string name, std::vector<std::string> aliases, std::string doc,
                 std::string result, Kernel run) {
    const std::string example = name + "(DATE'2024-02-29')";
    out.push_back({{name, name + "(date)", std::move(doc), example, std::move(result)},
                   std::move(aliases),
                   of_date,
                   std::move(run)});
  };
  add("year", {}, "Year.", "2024", date_field([](Days d) -> Days { return civil_of(d).year; }));
  add("quarter", {}, "Quarter, 1 to 4.", "1",
      date_field([](Days d) -> Days { return (civil_of(d).month + 2) / 3; }));
  add("month", {}, "Month, 1 to 12.", "2",
      date_field([](Days d) -> Days { return civil_of(d).month; }));
  add("day", {"dayofmonth"}, "Day of the month.", "29",
      date_field([](Days d) -> Days { return civil_of(d).day; }));
  add("dayofweek", {}, "1 is Sunday.", "5",
      date_field([](Days d) -> Days { return (weekday(d) + 1) % 7 + 1; }));
  add("weekday", {}, "0 is Monday.", "3", date_field([](Days d) -> Days { return weekday(d); }));
  add("dayofyear", {}, "Day of the year.", "60",
      date_field([](Days d) -> Days { return d - days_of(civil_of(d).year, 1, 1) + 1; }));
  add("weekofyear", {}, "ISO week.", "9", date_field(iso_week));
  out.push_back({{"last_day", "last_day(date)", "The last day of the month.",
                  "last_day(DATE'2024-02-05')", "2024-02-29"},
                 {},
                 signature("date -> date"),
                 date_field([](Days d) -> Days {
                   const CivilDate date = civil_of(d);
                   return days_of(date.year, date.month, days_in_month(date.year, date.month));
                 })});
  out.push_back({{"hour", "hour(time)", "Hour.", "hour(TIMESTAMP'2020-01-01 10:11:12')", "10"},
                 {},
                 of_time,
                 time_field(3600 * kMicrosPerSecond, 24)});
  out.push_back(
      {{"minute", "minute(time)", "Minute.", "minute(TIMESTAMP'2020-01-01 10:11:12')", "11"},
       {},
       of_time,
       time_field(60 * kMicrosPerSecond, 60)});
  out.push_back(
      {{"second", "second(time)", "Second.", "second(TIMESTAMP'2020-01-01 10:11:12')", "12"},
       {},
       of_time,
       time_field(kMicrosPerSecond, 60)});
}

}  // namespace

void add_dates(Functions& out) {
  add_fields(out);
  out.push_back({{"trunc", "trunc(date, unit)", "Start of the year, quarter, month or week.",
                  "trunc(DATE'2024-02-29', 'MM')", "2024-02-01"},
                 {},
                 signature("date, string -> date"),
                 trunc});
  out.push_back({{"date_trunc", "date_trunc(unit, time)", "Start of the unit.",
                  "date_trunc('HOUR', TIMESTAMP'2020-01-01 10:11:12')", "2020-01-01 10:00:00"},
                 {},
                 signature("string, timestamp -> timestamp"),
                 date_trunc});
}

void add_windows(Functions& out) {
  auto none = [](Type type) {
    return [type](const BindCall& call) -> Result<BoundFunction> {
      if (!call.args.empty()) return wrong_count(call, "0");
      return BoundFunction{{}, type};
    };
  };
  out.push_back({{"current_timestamp", "current_timestamp()", "The time of this step.",
                  "current_timestamp() <=> now()", "true"},
                 {"now"},
                 none(timestamp_type()),
                 clock(false)});
  out.push_back({{"current_date", "current_date()", "The day of this step.",
                  "current_date() <=> curdate()", "true"},
                 {"curdate"},
                 none(arrow::date32()),
                 clock(true)});
  out.push_back({{"window", "window(time, duration)", "The tumbling window the time is in.",
                  "window(TIMESTAMP'2020-01-01 10:11:12', '5 minutes')",
                  "{2020-01-01 10:10:00, 2020-01-01 10:15:00}"},
                 {},
                 bind_window,
                 window});
  out.push_back({{"window_time", "window_time(window)", "The last microsecond of a window.",
                  "window_time(window(TIMESTAMP'2020-01-01 10:11:12', '5 minutes'))",
                  "2020-01-01 10:14:59.999999"},
                 {},
                 signature("struct -> timestamp"),
                 window_time});
}

}  // namespace tailrace::engine
