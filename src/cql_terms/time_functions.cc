// now and its kin, uuid, conversions between times, floor.
#include <fmt/format.h>

#include "base/bytes.h"
#include "cql_terms/native.h"
#include "cql_terms/times.h"

namespace tailrace::cql_terms {

using cql_types::invalid;
using cql_types::Kind;
using cql_types::native_type;

namespace {

Function function_of(std::string name, std::vector<Kind> arguments, Kind result) {
  Function function;
  function.name = std::move(name);
  for (const Kind kind : arguments) function.arguments.push_back(native_type(kind));
  function.result = native_type(result);
  return function;
}

Function now_as(std::string name, Kind kind) {
  auto function = function_of(std::move(name), {}, kind);
  function.pure = false;
  function.scalar = [kind](std::span<const Part>, const Bindings& bindings) -> Outcome<Made> {
    const auto ms = bindings.now_us / 1'000;
    if (kind == Kind::kTimeuuid) {
      if (!bindings.timeuuids) return invalid("now() has no source of timeuuids here");
      return bindings.timeuuids->next(ms);
    }
    if (kind != Kind::kTime) return time_bytes(kind, ms);
    constexpr std::int64_t kDayUs = 86'400'000'000;
    std::string out;
    append_be(out, (bindings.now_us % kDayUs + kDayUs) % kDayUs * 1'000);
    return out;
  };
  return function;
}

Function uuid() {
  auto function = function_of("uuid", {}, Kind::kUuid);
  function.pure = false;
  function.scalar = [](std::span<const Part>, const Bindings& bindings) -> Outcome<Made> {
    if (!bindings.random) return invalid("uuid() has no source of random numbers here");
    std::string bytes;
    append_be(bytes, bindings.random());
    append_be(bytes, bindings.random());
    bytes[6] = static_cast<char>((bytes[6] & 0x0F) | 0x40);
    bytes[8] = static_cast<char>((bytes[8] & 0x3F) | 0x80);
    return bytes;
  };
  return function;
}

using OfMs = std::string (*)(std::int64_t);

Function converted(std::string name, Kind from, Kind to, OfMs convert) {
  auto function = function_of(std::move(name), {from}, to);
  function.monotonic = to != Kind::kTimeuuid;
  function.scalar = [=](std::span<const Part> values, const Bindings&) -> Outcome<Made> {
    const auto ms = unix_ms(from, values[0]);
    if (!ms) return std::nullopt;
    return convert(*ms);
  };
  return function;
}

std::string to_date(std::int64_t ms) {
  return time_bytes(Kind::kDate, ms);
}
std::string to_timestamp(std::int64_t ms) {
  return time_bytes(Kind::kTimestamp, ms);
}

Outcome<Made> floor_time(Kind kind, std::span<const Part> values) {
  const auto time = unix_ms(kind, values[0]);
  const auto duration = values[1] ? cql_types::read_duration(*values[1]) : std::nullopt;
  const bool dated = kind == Kind::kDate;
  const auto start = values.size() < 3 ? std::optional<std::int64_t>(0)
                                       : unix_ms(dated ? Kind::kDate : Kind::kTimestamp, values[2]);
  if (!time || !duration || !start) return std::nullopt;
  if (dated && duration->nanoseconds != 0)
    return invalid(
        fmt::format("The floor on date values cannot be computed for the {} duration as "
                    "precision is below 1 day",
                    cql_types::duration_text(*duration)));
  if (duration->nanoseconds % 1'000'000 != 0)
    return invalid(
        fmt::format("The floor cannot be computed for the {} duration as precision is "
                    "below 1 millisecond",
                    cql_types::duration_text(*duration)));
  ASSIGN(const auto floor, floor_ms(*time, *duration, *start));
  return time_bytes(dated ? Kind::kDate : Kind::kTimestamp, floor);
}

Function floor_function(Kind kind, bool with_start) {
  const Kind result = kind == Kind::kDate ? Kind::kDate : Kind::kTimestamp;
  auto function = function_of("floor", {kind, Kind::kDuration}, result);
  if (with_start) function.arguments.push_back(native_type(result));
  function.monotonic = true;
  function.scalar = [kind](std::span<const Part> values, const Bindings&) {
    return floor_time(kind, values);
  };
  return function;
}

Function floor_time_of_day() {
  auto function = function_of("floor", {Kind::kTime, Kind::kDuration}, Kind::kTime);
  function.monotonic = true;
  function.scalar = [](std::span<const Part> values, const Bindings&) -> Outcome<Made> {
    const auto duration = values[1] ? cql_types::read_duration(*values[1]) : std::nullopt;
    if (!values[0] || values[0]->size() != 8 || !duration) return std::nullopt;
    ASSIGN(const auto floor, floor_of_day(load_be<std::int64_t>(values[0]->data()), *duration));
    std::string out;
    append_be(out, floor);
    return out;
  };
  return function;
}

}  // namespace

void add_time_functions(NativeFunctions& functions) {
  functions.add(now_as("now", Kind::kTimeuuid));
  functions.add(now_as("current_timeuuid", Kind::kTimeuuid), "currenttimeuuid");
  functions.add(now_as("current_timestamp", Kind::kTimestamp), "currenttimestamp");
  functions.add(now_as("current_date", Kind::kDate), "currentdate");
  functions.add(now_as("current_time", Kind::kTime), "currenttime");
  functions.add(uuid());
  functions.add(
      converted("min_timeuuid", Kind::kTimestamp, Kind::kTimeuuid, cql_types::min_timeuuid),
      "mintimeuuid");
  functions.add(
      converted("max_timeuuid", Kind::kTimestamp, Kind::kTimeuuid, cql_types::max_timeuuid),
      "maxtimeuuid");
  for (const Kind from : {Kind::kTimeuuid, Kind::kTimestamp, Kind::kDate}) {
    if (from != Kind::kDate)
      functions.add(converted("to_date", from, Kind::kDate, to_date), "todate");
    if (from != Kind::kTimestamp)
      functions.add(converted("to_timestamp", from, Kind::kTimestamp, to_timestamp), "totimestamp");
    functions.add(converted("to_unix_timestamp", from, Kind::kBigint, to_timestamp),
                  "tounixtimestamp");
    functions.add(floor_function(from, false));
    functions.add(floor_function(from, true));
  }
  functions.add(floor_time_of_day());
}

}  // namespace tailrace::cql_terms
