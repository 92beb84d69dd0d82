// Parts of rows that have no column of their own, as text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "calendar/timetable.h"
#include "jinja/value.h"
#include "sched/rows.h"

namespace tailrace::metadata {

/// `[run_after, logical date, start, end]` in microseconds, null where there is none.
std::string to_text(const calendar::RunInfo& info);
Result<calendar::RunInfo> run_info(std::string_view text);

/// JSON lists.
std::string to_text(const std::vector<std::int64_t>& numbers);
std::string to_text(const std::vector<std::string>& words);
Result<std::vector<std::int64_t>> numbers(std::string_view text);
Result<std::vector<std::string>> words(std::string_view text);

/// `[dag, run, task, map index]`.
std::string to_text(const sched::TaskId& task);
Result<sched::TaskId> task_id(std::string_view text);

/// States by their names in sched/rows.h.
Result<sched::RunState> run_state(std::string_view name);
Result<sched::RunType> run_type(std::string_view name);
Result<sched::TaskState> task_state(std::string_view name);

}  // namespace tailrace::metadata
