// Dates of arguments, in UTC.
#include "tasks/dates.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace tailrace::tasks {
namespace {

using sched::Micros;

constexpr Micros kSecond = 1'000'000;

/// The arguments of a `datetime.datetime` or `datetime.time` that was kept as it is written.
std::array<std::int64_t, 7> numbers_of(const dags::PythonObject& object,
                                       const std::array<const char*, 7>& names) {
  std::array<std::int64_t, 7> numbers{};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i < object.arguments.size()) numbers[i] = object.arguments[i].index().value_or(0);
    if (const auto* named = object.named.find(std::string_view(names[i])))
      numbers[i] = named->index().value_or(0);
  }
  return numbers;
}

}  // namespace

Result<Micros> moment_argument(const Context& context, std::string_view name) {
  const jinja::Value* value = context.arguments.find(name);
  if (value == nullptr || value->is_none())
    return error(Code::kInvalidArgument, fmt::format("{}: is missing", name));
  if (value->moment() != nullptr) return value->moment()->instant;
  if (value->string() != nullptr) {
    const auto moment = calendar::parse_moment(*value->string());
    if (!moment) return std::unexpected(moment.error().in(name));
    return moment->instant;
  }
  if (const auto* object = value->as<dags::PythonObject>();
      object != nullptr &&
      (object->path == "datetime.datetime" || object->path == "datetime.date")) {
    const auto n =
        numbers_of(*object, {"year", "month", "day", "hour", "minute", "second", "microsecond"});
    return calendar::Zone::utc().to_instant({.year = static_cast<int>(n[0]),
                                             .month = static_cast<int>(n[1]),
                                             .day = static_cast<int>(n[2]),
                                             .hour = static_cast<int>(n[3]),
                                             .minute = static_cast<int>(n[4]),
                                             .second = static_cast<int>(n[5]),
                                             .micro = static_cast<int>(n[6])});
  }
  return error(Code::kInvalidArgument,
               fmt::format("{}: {} is {}, and must be a datetime or its text", name, value->repr(),
                           value->type_name()));
}

Result<std::optional<Micros>> time_of_day_argument(const Context& context, std::string_view name) {
  const jinja::Value* value = context.arguments.find(name);
  if (value == nullptr || value->is_none()) return std::nullopt;
  if (const auto* object = value->as<dags::PythonObject>();
      object != nullptr && object->path == "datetime.time") {
    const auto n = numbers_of(*object, {"hour", "minute", "second", "microsecond", "", "", ""});
    return ((n[0] * 60 + n[1]) * 60 + n[2]) * kSecond + n[3];
  }
  if (value->string() != nullptr) {
    int hour = 0, minute = 0, second = 0, read = 0;
    const int fields = std::sscanf(value->string()->c_str(), "%2d:%2d%n:%2d%n", &hour, &minute,
                                   &read, &second, &read);
    if (fields >= 2 && static_cast<std::size_t>(read) == value->string()->size() && hour < 24 &&
        minute < 60 && second < 60)
      return ((hour * 60 + minute) * 60 + second) * kSecond;
  }
  return std::nullopt;
}

Result<std::set<int>> weekdays_argument(const Context& context) {
  static constexpr std::array<std::string_view, 7> kDays{
      "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"};
  const jinja::Value* value = context.arguments.find(std::string_view("week_day"));
  if (value == nullptr) return error(Code::kInvalidArgument, "week_day: is missing");
  const jinja::List one{*value};
  const jinja::List& all = value->list() != nullptr    ? *value->list()
                           : value->tuple() != nullptr ? value->tuple()->items
                                                       : one;
  std::set<int> days;
  for (const auto& day : all) {
    std::string name = day.text();
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::toupper(c); });
    const auto at = std::ranges::find(kDays, name);
    if (at == kDays.end())
      return error(Code::kInvalidArgument,
                   fmt::format("Invalid Week Day passed: \"{}\"", day.text()));
    days.insert(static_cast<int>(at - kDays.begin()) + 1);
  }
  return days;
}

Micros compared_moment(const Context& context) {
  const auto by_run = bool_argument(context, "use_task_logical_date", false);
  if (by_run && *by_run) return context.run.logical_date.value_or(context.run.run_after);
  return context.clock.now().value * 1000;
}

int iso_weekday(const Context& context) {
  return calendar::weekday(calendar::Zone::utc().to_local(compared_moment(context))) + 1;
}

}  // namespace tailrace::tasks
