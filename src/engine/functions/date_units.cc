// Times by unit: date_part, timestampadd, timestampdiff, months_between, next_day, dayname,
// monthname, make_timestamp, unix_date, and the wall clocks of zones.
#include <algorithm>
#include <array>
#include <cmath>

#include "engine/functions/calendar.h"
#include "engine/functions/faults.h"
#include "engine/functions/registry.h"
#include "engine/functions/text_of.h"
#include "engine/functions/time_names.h"

namespace tailrace::engine {
namespace {

using Days = std::int32_t;
using Micros = std::int64_t;
using Text = std::string_view;

std::string upper(Text text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::toupper(c); });
  return out;
}

/// Monday is 0.
int weekday(Days days) {
  return static_cast<int>(floor_mod(std::int64_t{days} + 3, 7));
}

enum class Part {
  kYear,
  kYearOfWeek,
  kQuarter,
  kMonth,
  kWeek,
  kDay,
  kDayOfWeek,
  kIsoDayOfWeek,
  kDayOfYear,
  kHour,
  kMinute,
  kSecond,
};

std::optional<Part> part_of(Text name) {
  static constexpr std::pair<Text, Part> kParts[] = {{"YEAR", Part::kYear},
                                                     {"Y", Part::kYear},
                                                     {"YEARS", Part::kYear},
                                                     {"YR", Part::kYear},
                                                     {"YRS", Part::kYear},
                                                     {"YEAROFWEEK", Part::kYearOfWeek},
                                                     {"QUARTER", Part::kQuarter},
                                                     {"QTR", Part::kQuarter},
                                                     {"MONTH", Part::kMonth},
                                                     {"MON", Part::kMonth},
                                                     {"MONS", Part::kMonth},
                                                     {"MONTHS", Part::kMonth},
                                                     {"WEEK", Part::kWeek},
                                                     {"W", Part::kWeek},
                                                     {"WEEKS", Part::kWeek},
                                                     {"DAY", Part::kDay},
                                                     {"D", Part::kDay},
                                                     {"DAYS", Part::kDay},
                                                     {"DAYOFWEEK", Part::kDayOfWeek},
                                                     {"DOW", Part::kDayOfWeek},
                                                     {"DAYOFWEEK_ISO", Part::kIsoDayOfWeek},
                                                     {"DOW_ISO", Part::kIsoDayOfWeek},
                                                     {"DOY", Part::kDayOfYear},
                                                     {"HOUR", Part::kHour},
                                                     {"H", Part::kHour},
                                                     {"HOURS", Part::kHour},
                                                     {"HR", Part::kHour},
                                                     {"HRS", Part::kHour},
                                                     {"MINUTE", Part::kMinute},
                                                     {"M", Part::kMinute},
                                                     {"MIN", Part::kMinute},
                                                     {"MINS", Part::kMinute},
                                                     {"MINUTES", Part::kMinute},
                                                     {"SECOND", Part::kSecond},
                                                     {"S", Part::kSecond},
                                                     {"SEC", Part::kSecond},
                                                     {"SECONDS", Part::kSecond},
                                                     {"SECS", Part::kSecond}};
  const std::string wanted = upper(name);
  for (const auto& [known, part] : kParts) {
    if (wanted == known) return part;
  }
  return std::nullopt;
}

Days iso_year(Days days) {
  return civil_of(days - weekday(days) + 3).year;
}

Days part_value(Part part, Micros micros) {
  const Days days = day_of_micros(micros);
  const Micros of_day = floor_mod(micros, kMicrosPerDay);
  switch (part) {
    case Part::kYear:
      return civil_of(days).year;
    case Part::kYearOfWeek:
      return iso_year(days);
    case Part::kQuarter:
      return (civil_of(days).month + 2) / 3;
    case Part::kMonth:
      return civil_of(days).month;
    case Part::kWeek: {
      const Days thursday = days - weekday(days) + 3;
      return (thursday - days_of(civil_of(thursday).year, 1, 1)) / 7 + 1;
    }
    case Part::kDay:
      return civil_of(days).day;
    case Part::kDayOfWeek:
      return (weekday(days) + 1) % 7 + 1;
    case Part::kIsoDayOfWeek:
      return weekday(days) + 1;
    case Part::kDayOfYear:
      return days - days_of(civil_of(days).year, 1, 1) + 1;
    case Part::kHour:
      return static_cast<Days>(of_day / (3600 * kMicrosPerSecond));
    case Part::kMinute:
      return static_cast<Days>(of_day / (60 * kMicrosPerSecond) % 60);
    case Part::kSecond:
      return static_cast<Days>(of_day / kMicrosPerSecond % 60);
  }
  return 0;
}

Result<BoundFunction> bind_part(const BindCall& call) {
  if (call.args.size() != 2) return wrong_count(call, "2");
  const auto name = constant_text(call.constant(0));
  if (!name)
    return error(Code::kInvalidArgument,
                 "[NON_FOLDABLE_ARGUMENT] The function `" + call.name +
                     "` requires the parameter `field` to be a foldable expression of the type "
                     "\"STRING\", but the actual argument is a non-foldable.");
  const auto part = part_of(*name);
  if (call.args[1]->id() == arrow::Type::DURATION)
    return error(Code::kUnimplemented, call.name + " of an interval is not supported yet");
  if (!implicit_cast(call.args[1], "timestamp")) return wrong_argument(call, 1, "TIMESTAMP");
  if (!part) {
    return error(Code::kInvalidArgument, "[INVALID_EXTRACT_FIELD] Cannot extract `" + *name +
                                             "` from \"" + spark_name(*call.args[1]) + "\".");
  }
  return BoundFunction{{arrow::utf8(), timestamp_type()},
                       *part == Part::kSecond ? arrow::decimal128(8, 6) : arrow::int32()};
}

Result<Array> date_part(Call& call) {
  const Part part = *part_of(Reader<Text>(call.args[0])[0]);
  Call one{call.expr, {call.args[1]}, call.rows, call.context};
  if (part == Part::kSecond) {
    return map_rows<Micros>(one, [](auto, Micros micros) {
      return Decimal128(floor_mod(micros, 60 * kMicrosPerSecond));
    });
  }
  return map_rows<Micros>(one, [part](auto, Micros micros) { return part_value(part, micros); });
}

struct Unit {
  Text name;
  std::int64_t months;
  Micros micros;
};

const Unit* unit_of(Text name) {
  static constexpr Unit kUnits[] = {{"YEAR", 12, 0},
                                    {"QUARTER", 3, 0},
                                    {"MONTH", 1, 0},
                                    {"WEEK", 0, 7 * kMicrosPerDay},
                                    {"DAY", 0, kMicrosPerDay},
                                    {"DAYOFYEAR", 0, kMicrosPerDay},
                                    {"HOUR", 0, 3600 * kMicrosPerSecond},
                                    {"MINUTE", 0, 60 * kMicrosPerSecond},
                                    {"SECOND", 0, kMicrosPerSecond},
                                    {"MILLISECOND", 0, 1000},
                                    {"MICROSECOND", 0, 1}};
  const std::string wanted = upper(name);
  const auto* found = std::ranges::find(kUnits, wanted, &Unit::name);
  return found == std::end(kUnits) ? nullptr : found;
}

Binder by_unit(std::string text) {
  return [bind = signature(std::move(text))](const BindCall& call) -> Result<BoundFunction> {
    ASSIGN(auto bound, bind(call));
    const auto name = constant_text(call.constant(0));
    const bool counted = bound.result->id() != arrow::Type::INT64;
    if (name && unit_of(*name) && (counted || upper(*name) != "DAYOFYEAR")) return bound;
    return error(Code::kInvalidArgument,
                 "[INVALID_PARAMETER_VALUE.DATETIME_UNIT] The value of parameter(s) `unit` in `" +
                     call.name +
                     "` is invalid: expects one of the units without quotes YEAR, "
                     "QUARTER, MONTH, WEEK, DAY, DAYOFYEAR, HOUR, MINUTE, SECOND, MILLISECOND, "
                     "MICROSECOND, but got the string literal '" +
                     name.value_or("") + "'.");
  };
}

std::optional<Micros> moved(Micros from, std::int64_t count, const Unit& unit) {
  std::int64_t by;
  Micros out;
  if (__builtin_mul_overflow(count, unit.months ? unit.months : unit.micros, &by))
    return std::nullopt;
  if (!unit.months)
    return __builtin_add_overflow(from, by, &out) ? std::nullopt : std::optional(out);
  if (std::abs(by) > 12 * 600'000) return std::nullopt;
  const std::int64_t days = add_months_to(day_of_micros(from), by);
  if (__builtin_mul_overflow(days, kMicrosPerDay, &out) ||
      __builtin_add_overflow(out, floor_mod(from, kMicrosPerDay), &out))
    return std::nullopt;
  return out;
}

Result<Array> timestamp_add(Call& call) {
  const Unit unit = *unit_of(Reader<Text>(call.args[0])[0]);
  Call two{call.expr, {call.args[1], call.args[2]}, call.rows, call.context};
  return map_rows<std::int64_t, Micros>(
      two, [&](std::int64_t row, std::int64_t count, Micros from) -> std::optional<Micros> {
        const auto made = moved(from, count, unit);
        if (!made) {
          call.fail(row, "[DATETIME_OVERFLOW] Datetime operation overflow: add " +
                             std::to_string(count) + " " + std::string(unit.name) + ".");
        }
        return made;
      });
}

std::int64_t months_apart(Micros from, Micros to) {
  const CivilDate a = civil_of(day_of_micros(from));
  const CivilDate b = civil_of(day_of_micros(to));
  std::int64_t months = (std::int64_t{b.year} - a.year) * 12 + b.month - a.month;
  const auto rest = [](const CivilDate& date, Micros micros) {
    return std::pair(date.day, floor_mod(micros, kMicrosPerDay));
  };
  if (months > 0 && rest(b, to) < rest(a, from)) --months;
  if (months < 0 && rest(b, to) > rest(a, from)) ++months;
  return months;
}

Result<Array> timestamp_diff(Call& call) {
  const Unit unit = *unit_of(Reader<Text>(call.args[0])[0]);
  Call two{call.expr, {call.args[1], call.args[2]}, call.rows, call.context};
  return map_rows<Micros, Micros>(
      two, [&](std::int64_t row, Micros from, Micros to) -> std::optional<std::int64_t> {
        if (unit.months) return months_apart(from, to) / unit.months;
        Micros apart;
        if (!__builtin_sub_overflow(to, from, &apart)) return apart / unit.micros;
        call.fail(row, faults::overflow(""));
        return std::nullopt;
      });
}

double months_between(Micros one, Micros two, bool rounded) {
  const CivilDate a = civil_of(day_of_micros(one));
  const CivilDate b = civil_of(day_of_micros(two));
  const auto months = static_cast<double>((std::int64_t{a.year} - b.year) * 12 + a.month - b.month);
  const bool a_last = a.day == days_in_month(a.year, a.month);
  const bool b_last = b.day == days_in_month(b.year, b.month);
  if (a.day == b.day || (a_last && b_last)) return months;
  const auto second = [](Micros micros) {
    return floor_mod(micros, kMicrosPerDay) / kMicrosPerSecond;
  };
  const std::int64_t apart = (a.day - b.day) * std::int64_t{86'400} + second(one) - second(two);
  const double made = months + static_cast<double>(apart) / (31.0 * 86'400);
  return rounded ? std::floor(made * 1e8 + 0.5) / 1e8 : made;
}

Result<Array> months_between_rows(Call& call) {
  if (call.args.size() == 2) {
    return map_rows<Micros, Micros>(
        call, [](auto, Micros a, Micros b) { return months_between(a, b, true); });
  }
  return map_rows<Micros, Micros, bool>(
      call, [](auto, Micros a, Micros b, bool rounded) { return months_between(a, b, rounded); });
}

Result<Array> next_day(Call& call) {
  return map_rows<Days, Text>(
      call, [&](std::int64_t row, Days days, Text name) -> std::optional<Days> {
        const std::string wanted = upper(name);
        for (int day = 0; day < 7; ++day) {
          const std::string full = upper(kWeekdays[static_cast<std::size_t>(day)]);
          if (wanted != full && wanted != full.substr(0, 3) && wanted != full.substr(0, 2))
            continue;
          return days + 1 + static_cast<Days>(floor_mod(day - weekday(days) - 1, 7));
        }
        call.fail(
            row, "[ILLEGAL_DAY_OF_WEEK] Illegal input for day of week: " + std::string(name) + ".");
        return std::nullopt;
      });
}

Kernel short_name(bool month) {
  return [month](Call& call) {
    return map_rows<Days>(call, [month](auto, Days days) {
      const auto name = month ? kMonths[static_cast<std::size_t>(civil_of(days).month - 1)]
                              : kWeekdays[static_cast<std::size_t>(weekday(days))];
      return name.substr(0, 3);
    });
  };
}

/// Seconds as DECIMAL(16,6); 60 without a fraction is the next minute.
std::optional<Micros> time_of(Days year, Days month, Days day, Days hour, Days minute,
                              Micros second) {
  if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) return std::nullopt;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return std::nullopt;
  if (second < 0 || second > 60 * kMicrosPerSecond || std::abs(year) > 290'000) return std::nullopt;
  const Micros minutes = (std::int64_t{days_of(year, month, day)} * 24 + hour) * 60 + minute;
  return minutes * 60 * kMicrosPerSecond + second;
}

Kernel make_timestamp(bool quiet) {
  return [quiet](Call& call) -> Result<Array> {
    const Reader<Days> year(call.args[0]), month(call.args[1]), day(call.args[2]),
        hour(call.args[3]), minute(call.args[4]);
    const Reader<Decimal128> second(call.args[5]);
    std::optional<Reader<Text>> zones;
    if (call.args.size() > 6) zones.emplace(call.args[6]);
    Sink<Micros> out(call.type(), call.rows);
    for (std::int64_t row = 0; row < call.rows; ++row) {
      bool null = zones && zones->nulls[row];
      for (std::size_t i = 0; i < 6; ++i) null |= Nulls(call.args[i])[row];
      if (null) {
        out.null(row);
        continue;
      }
      const auto seconds = second[row].ToInteger<std::int64_t>();
      auto made = !seconds.ok()
                      ? std::nullopt
                      : time_of(year[row], month[row], day[row], hour[row], minute[row], *seconds);
      if (made && zones) {
        const auto offset = parse_zone((*zones)[row], floor_div(*made, kMicrosPerSecond));
        made = offset ? std::optional(*made - *offset * kMicrosPerSecond) : std::nullopt;
      }
      if (!made && !quiet) {
        const bool fraction =
            seconds.ok() && *seconds > 60 * kMicrosPerSecond && *seconds < 61 * kMicrosPerSecond;
        call.fail(row, fraction ? "[INVALID_FRACTION_OF_SECOND] Valid range for seconds is [0, "
                                  "60] (inclusive)."
                                : "[DATETIME_FIELD_OUT_OF_BOUNDS] A field of the time is out of "
                                  "its range. Use `try_make_timestamp` to get NULL instead.");
      }
      made ? out.set(row, *made) : out.null(row);
    }
    return out.finish();
  };
}

/// sign 1: a UTC clock shown as the zone's; -1: the zone's clock as UTC.
Kernel zone_clock(int sign) {
  return [sign](Call& call) {
    return map_rows<Micros, Text>(
        call, [&](std::int64_t row, Micros micros, Text zone) -> std::optional<Micros> {
          const std::int64_t seconds = floor_div(micros, kMicrosPerSecond);
          const auto offset = sign > 0 ? zone_offset_at(zone, seconds) : parse_zone(zone, seconds);
          if (offset) return micros + sign * *offset * kMicrosPerSecond;
          call.fail(row, "[INVALID_TIMEZONE] The timezone: " + std::string(zone) +
                             " is invalid. The timezone must be either a region-based zone ID or a "
                             "zone offset.");
          return std::nullopt;
        });
  };
}

}  // namespace

void add_date_units(Functions& out) {
  const auto add = [&](std::string name, std::vector<std::string> aliases, std::string usage,
                       std::string doc, std::string example, std::string result, Binder bind,
                       Kernel run) {
    out.push_back(
        {{std::move(name), std::move(usage), std::move(doc), std::move(example), std::move(result)},
         std::move(aliases),
         std::move(bind),
         std::move(run)});
  };
  add("date_part", {"datepart", "extract"}, "date_part(field, time)",
      "A field of the time: year, week, second …",
      "date_part('second', TIMESTAMP'2020-01-01 10:11:12.5')", "12.500000", bind_part, date_part);
  add("timestampadd", {}, "timestampadd(unit, n, time)", "The time n units later.",
      "timestampadd(MONTH, -1, TIMESTAMP'2022-03-31 00:00:00')", "2022-02-28 00:00:00",
      by_unit("string, bigint, timestamp -> timestamp"), timestamp_add);
  add("timestampdiff", {}, "timestampdiff(unit, start, end)", "Whole units between.",
      "timestampdiff(HOUR, DATE'2024-02-01', DATE'2024-02-02')", "24",
      by_unit("string, timestamp, timestamp -> bigint"), timestamp_diff);
  add("months_between", {}, "months_between(a, b[, rounded])", "Months from b to a.",
      "months_between('1997-02-28 10:30:00', '1996-10-30')", "3.94959677",
      signature("timestamp, timestamp, [boolean] -> double"), months_between_rows);
  add("next_day", {}, "next_day(date, weekday)", "The first such weekday after.",
      "next_day('2015-01-14', 'TU')", "2015-01-20", signature("date, string -> date"), next_day);
  add("dayname", {}, "dayname(date)", "The weekday in three letters.", "dayname(DATE'2008-02-20')",
      "Wed", signature("date -> string"), short_name(false));
  add("monthname", {}, "monthname(date)", "The month in three letters.",
      "monthname(DATE'2008-02-20')", "Feb", signature("date -> string"), short_name(true));
  add(
      "make_timestamp", {}, "make_timestamp(y, m, d, h, min, s[, zone])", "A time of its parts.",
      "make_timestamp(2014, 12, 28, 6, 30, 45.887)", "2014-12-28 06:30:45.887",
      [](const BindCall& call) -> Result<BoundFunction> {
        if (call.args.size() != 6 && call.args.size() != 7) return wrong_count(call, "[6, 7]");
        BoundFunction bound{std::vector<Type>(5, arrow::int32()), timestamp_type()};
        for (std::size_t i = 0; i < 5; ++i) {
          if (!implicit_cast(call.args[i], "int")) return wrong_argument(call, i, "INT");
        }
        if (!implicit_cast(call.args[5], "number")) return wrong_argument(call, 5, "DECIMAL(16,6)");
        bound.args.push_back(arrow::decimal128(16, 6));
        if (call.args.size() == 7) bound.args.push_back(arrow::utf8());
        return bound;
      },
      make_timestamp(false));
  add(
      "try_make_timestamp", {}, "try_make_timestamp(y, m, d, h, min, s[, zone])",
      "As make_timestamp, null for no time.", "try_make_timestamp(2014, 13, 28, 6, 30, 45.887)",
      "NULL", [](const BindCall& call) { return find_function("make_timestamp")->bind(call); },
      make_timestamp(true));
  add("unix_date", {}, "unix_date(date)", "Days since 1970.", "unix_date(DATE'1970-01-02')", "1",
      signature("date -> int"),
      [](Call& call) { return map_rows<Days>(call, [](auto, Days days) { return days; }); });
  add("date_from_unix_date", {}, "date_from_unix_date(n)", "The date n days after 1970-01-01.",
      "date_from_unix_date(1)", "1970-01-02", signature("int -> date"),
      [](Call& call) { return map_rows<Days>(call, [](auto, Days days) { return days; }); });
  add("from_utc_timestamp", {}, "from_utc_timestamp(time, zone)", "The zone's clock at the time.",
      "from_utc_timestamp('2016-08-31', 'Asia/Seoul')", "2016-08-31 09:00:00",
      signature("timestamp, string -> timestamp"), zone_clock(1));
  add("to_utc_timestamp", {}, "to_utc_timestamp(time, zone)", "UTC of the zone's clock.",
      "to_utc_timestamp('2016-08-31', 'Asia/Seoul')", "2016-08-30 15:00:00",
      signature("timestamp, string -> timestamp"), zone_clock(-1));
}

}  // namespace tailrace::engine
