// Moving and counting days and months; timestamps from and to numbers.
#include <cmath>
#include <limits>

#include "engine/functions/calendar.h"
#include "engine/functions/faults.h"
#include "engine/functions/registry.h"

namespace tailrace::engine {
namespace {

using Days = std::int32_t;
using Micros = std::int64_t;

constexpr std::int64_t kMostMonths = 5'800'000 * std::int64_t{12};  ///< of which days are an int

Kernel shifted(int sign, bool months) {
  return [=](Call& call) {
    return map_rows<Days, Days>(
        call, [=, &call](std::int64_t row, Days days, Days by) -> std::optional<Days> {
          if (!months) return static_cast<Days>(days + sign * by);
          if (std::abs(std::int64_t{by}) <= kMostMonths) return add_months_to(days, by);
          call.fail(row, faults::overflow(""));
          return std::nullopt;
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

/// timestamp_seconds of a fraction: null where it is no number, the last time where it is too
/// large.
Result<Array> seconds(Call& call) {
  if (is_integral(call.args[0].type())) return epoch(kMicrosPerSecond)(call);
  return map_rows<double>(call, [](auto, double count) -> std::optional<Micros> {
    if (!std::isfinite(count)) return std::nullopt;
    const double micros = count * static_cast<double>(kMicrosPerSecond);
    if (micros >= 0x1p63) return std::numeric_limits<Micros>::max();
    if (micros < -0x1p63) return std::numeric_limits<Micros>::min();
    return static_cast<Micros>(micros);
  });
}

/// Whole numbers are exact; others are counted as DOUBLE.
Result<BoundFunction> bind_seconds(const BindCall& call) {
  if (call.args.size() != 1) return wrong_count(call, "1");
  auto type = implicit_cast(call.args[0], "number");
  if (!type) return wrong_argument(call, 0, "NUMERIC");
  return BoundFunction{{is_integral(**type) ? arrow::int64() : arrow::float64()}, timestamp_type()};
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
                 bind_seconds,
                 seconds});
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
  out.push_back({{"unix_seconds", "unix_seconds(time)", "Seconds since 1970.",
                  "unix_seconds(TIMESTAMP'2020-01-02 03:04:05')", "1577934245"},
                 {},
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
