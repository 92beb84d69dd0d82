// Moving and counting days and months; timestamps from and to numbers and texts.
#include <cmath>

#include "engine/functions/calendar.h"
#include "engine/functions/faults.h"
#include "engine/functions/registry.h"
#include "engine/functions/text_of.h"

namespace tailrace::engine {
namespace {

using Days = std::int32_t;
using Micros = std::int64_t;
using Text = std::string_view;

Result<BoundFunction> bind_parse(const BindCall& call, const Type& result) {
  if (call.args.size() == 2)
    return error(Code::kUnimplemented, call.name + ": formats are not supported yet");
  if (call.args.size() != 1) return wrong_count(call, "[1, 2]");
  const auto id = call.args[0]->id();
  const bool taken =
      id == arrow::Type::DATE32 || id == arrow::Type::TIMESTAMP || id == arrow::Type::STRING;
  if (!taken && !is_void(*call.args[0])) return wrong_argument(call, 0, "STRING");
  return BoundFunction{{taken ? call.args[0] : arrow::utf8()}, result};
}

template <typename T, typename Parse>
Result<Array> parse_text(Call& call, bool quiet, Parse parse) {
  return map_rows<Text>(call, [&](std::int64_t row, Text text) -> std::optional<T> {
    std::optional<T> made = parse(text);
    if (!made && !quiet)
      call.fail(row, faults::malformed(text, "STRING", spark_name(*call.type())));
    return made;
  });
}

Kernel to_timestamp(bool quiet) {
  return [quiet](Call& call) -> Result<Array> {
    const auto id = call.args[0].type().id();
    if (id == arrow::Type::TIMESTAMP)
      return map_rows<Micros>(call, [](auto, Micros micros) { return micros; });
    if (id == arrow::Type::DATE32)
      return map_rows<Days>(call, [](auto, Days days) { return days * kMicrosPerDay; });
    return parse_text<Micros>(
        call, quiet, [&](Text text) { return parse_timestamp(text, call.context.now_us); });
  };
}

Result<Array> to_date(Call& call) {
  const auto id = call.args[0].type().id();
  if (id == arrow::Type::DATE32) return call.args[0].array;
  if (id == arrow::Type::TIMESTAMP)
    return map_rows<Micros>(call, [](auto, Micros us) { return day_of_micros(us); });
  return parse_text<Days>(call, false, parse_date);
}

Kernel shifted(int sign, bool months) {
  return [=](Call& call) {
    return map_rows<Days, Days>(call, [=](auto, Days days, Days by) {
      return months ? add_months_to(days, by) : static_cast<Days>(days + sign * by);
    });
  };
}

Kernel epoch(Micros unit) {
  return [unit](Call& call) {
    return map_rows<std::int64_t>(
        call, [&](std::int64_t row, std::int64_t count) -> std::optional<Micros> {
          Micros made;
          if (!__builtin_mul_overflow(count, unit, &made)) return made;
          call.fail(row, faults::overflow(""));
          return std::nullopt;
        });
  };
}

Kernel since_epoch(Micros unit) {
  return [unit](Call& call) {
    return map_rows<Micros>(call, [unit](auto, Micros micros) { return floor_div(micros, unit); });
  };
}

Result<Array> make_date(Call& call) {
  return map_rows<Days, Days, Days>(
      call, [&](std::int64_t row, Days year, Days month, Days day) -> std::optional<Days> {
        if (month >= 1 && month <= 12 && day >= 1 && day <= days_in_month(year, month))
          return days_of(year, month, day);
        call.fail(row, "[DATETIME_FIELD_OUT_OF_BOUNDS] Invalid date: " + std::to_string(year) +
                           "-" + std::to_string(month) + "-" + std::to_string(day));
        return std::nullopt;
      });
}

}  // namespace

void add_epochs(Functions& out) {
  auto parse = [](Type type) {
    return [type](const BindCall& call) { return bind_parse(call, type); };
  };
  out.push_back({{"to_timestamp", "to_timestamp(text)", "The text as a TIMESTAMP.",
                  "to_timestamp('2020-01-02T03:04:05Z')", "2020-01-02 03:04:05"},
                 {},
                 parse(timestamp_type()),
                 to_timestamp(false)});
  out.push_back({{"try_to_timestamp", "try_to_timestamp(text)",
                  "As to_timestamp, null for other texts.", "try_to_timestamp('x')", "NULL"},
                 {},
                 parse(timestamp_type()),
                 to_timestamp(true)});
  out.push_back(
      {{"to_date", "to_date(text)", "The text as a DATE.", "to_date('2020-01-02')", "2020-01-02"},
       {},
       parse(arrow::date32()),
       to_date});
  out.push_back({{"date_add", "date_add(date, days)", "Days later.",
                  "date_add(DATE'2024-02-28', 2)", "2024-03-01"},
                 {"dateadd"},
                 signature("date, int -> date"),
                 shifted(1, false)});
  out.push_back({{"date_sub", "date_sub(date, days)", "Days earlier.",
                  "date_sub(DATE'2024-03-01', 1)", "2024-02-29"},
                 {},
                 signature("date, int -> date"),
                 shifted(-1, false)});
  out.push_back({{"add_months", "add_months(date, n)", "Months later.",
                  "add_months(DATE'2024-01-31', 1)", "2024-02-29"},
                 {},
                 signature("date, int -> date"),
                 shifted(1, true)});
  out.push_back({{"datediff", "datediff(end, start)", "Days between.",
                  "datediff(DATE'2024-03-01', DATE'2024-02-01')", "29"},
                 {"date_diff"},
                 signature("date, date -> int"),
                 [](Call& call) {
                   return map_rows<Days, Days>(
                       call, [](auto, Days end, Days start) { return end - start; });
                 }});
  out.push_back({{"timestamp_seconds", "timestamp_seconds(n)", "Seconds since 1970 as a TIMESTAMP.",
                  "timestamp_seconds(1577934245)", "2020-01-02 03:04:05"},
                 {},
                 signature("bigint -> timestamp"),
                 epoch(kMicrosPerSecond)});
  out.push_back({{"timestamp_millis", "timestamp_millis(n)", "Milliseconds since 1970.",
                  "timestamp_millis(1500)", "1970-01-01 00:00:01.5"},
                 {},
                 signature("bigint -> timestamp"),
                 epoch(1000)});
  out.push_back({{"timestamp_micros", "timestamp_micros(n)", "Microseconds since 1970.",
                  "timestamp_micros(1)", "1970-01-01 00:00:00.000001"},
                 {},
                 signature("bigint -> timestamp"),
                 epoch(1)});
  out.push_back({{"unix_timestamp", "unix_timestamp(time)", "Seconds since 1970.",
                  "unix_timestamp(TIMESTAMP'2020-01-02 03:04:05')", "1577934245"},
                 {"unix_seconds"},
                 signature("timestamp -> bigint"),
                 since_epoch(kMicrosPerSecond)});
  out.push_back({{"unix_millis", "unix_millis(time)", "Milliseconds since 1970.",
                  "unix_millis(TIMESTAMP'1970-01-01 00:00:01.5')", "1500"},
                 {},
                 signature("timestamp -> bigint"),
                 since_epoch(1000)});
  out.push_back({{"unix_micros", "unix_micros(time)", "Microseconds since 1970.",
                  "unix_micros(TIMESTAMP'1970-01-01 00:00:01.5')", "1500000"},
                 {},
                 signature("timestamp -> bigint"),
                 since_epoch(1)});
  out.push_back({{"make_date", "make_date(y, m, d)", "A date of its parts.",
                  "make_date(2024, 2, 29)", "2024-02-29"},
                 {},
                 signature("int, int, int -> date"),
                 make_date});
}

}  // namespace tailrace::engine
