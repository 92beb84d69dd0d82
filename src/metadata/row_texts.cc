// JSON of parts of rows, names of states.
#include "metadata/row_texts.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

namespace tailrace::metadata {
namespace {

using nlohmann::json;

json to_json(const std::optional<std::int64_t>& value) {
  return value ? json(*value) : json();
}

std::optional<std::int64_t> number_or_none(const json& value) {
  if (value.is_null()) return std::nullopt;
  return value.get<std::int64_t>();
}

Result<json> parsed(std::string_view text) {
  auto value = json::parse(text, nullptr, false);
  if (!value.is_array())
    return error(Code::kDataLoss, fmt::format("not one of our rows: {}", text.substr(0, 80)));
  return value;
}

template <typename T>
Result<std::vector<T>> list_of(std::string_view text) {
  ASSIGN(const json value, parsed(text));
  return value.get<std::vector<T>>();
}

template <typename State>
Result<State> by_name(std::string_view name, State last) {
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    if (sched::name(static_cast<State>(i)) == name) return static_cast<State>(i);
  }
  return error(Code::kDataLoss, fmt::format("no state is called {}", name));
}

}  // namespace

std::string to_text(const calendar::RunInfo& info) {
  std::optional<std::int64_t> start, end;
  if (info.interval) {
    start = info.interval->start;
    end = info.interval->end;
  }
  return json::array({info.run_after, to_json(info.logical_date), to_json(start), to_json(end)})
      .dump();
}

Result<calendar::RunInfo> run_info(std::string_view text) {
  ASSIGN(const json value, parsed(text));
  if (value.size() != 4) return error(Code::kDataLoss, "not a run's times");
  calendar::RunInfo info{.run_after = value[0].get<std::int64_t>(),
                         .logical_date = number_or_none(value[1]),
                         .interval = std::nullopt};
  if (!value[2].is_null())
    info.interval = {value[2].get<std::int64_t>(), value[3].get<std::int64_t>()};
  return info;
}

std::string to_text(const std::vector<std::int64_t>& numbers) {
  return json(numbers).dump();
}
std::string to_text(const std::vector<std::string>& words) {
  return json(words).dump();
}
Result<std::vector<std::int64_t>> numbers(std::string_view text) {
  return list_of<std::int64_t>(text);
}
Result<std::vector<std::string>> words(std::string_view text) {
  return list_of<std::string>(text);
}

std::string to_text(const sched::TaskId& task) {
  return json::array({task.run.dag, task.run.run, task.task, task.map_index}).dump();
}

Result<sched::TaskId> task_id(std::string_view text) {
  ASSIGN(const json value, parsed(text));
  if (value.size() != 4) return error(Code::kDataLoss, "not a task's id");
  return sched::TaskId{.run = {value[0].get<std::string>(), value[1].get<std::string>()},
                       .task = value[2].get<std::string>(),
                       .map_index = value[3].get<int>()};
}

Result<sched::RunState> run_state(std::string_view name) {
  return by_name(name, sched::RunState::kFailed);
}
Result<sched::RunType> run_type(std::string_view name) {
  return by_name(name, sched::RunType::kAssetMaterialization);
}
Result<sched::TaskState> task_state(std::string_view name) {
  return by_name(name, sched::TaskState::kRemoved);
}

}  // namespace tailrace::metadata
