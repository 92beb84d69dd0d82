// When a failed try is tried again.
#pragma once

#include <optional>
#include <string_view>

#include "dags/dag.h"
#include "sched/rows.h"

namespace tailrace::sched {

/// From the end of the failed try to the next: the task's delay, or with exponential backoff
/// Airflow's, whose jitter is a hash of the task instance and so is the same on both.
Micros retry_delay(const dags::Task& task, std::string_view dag_id,
                   std::optional<Micros> logical_date, int try_number);

}  // namespace tailrace::sched
