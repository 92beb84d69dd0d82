// The arguments that every operator has (BaseOperator's): their names, types and defaults.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "dags/tree.h"

namespace tailrace::dags {

struct TaskFieldSource {
  std::function<const Node*(std::string_view key)> given;  ///< null: neither said nor a default
  Place place;                                             ///< of the task
  std::optional<calendar::Micros> start_date, end_date;    ///< of the DAG
};

/// True for a key that becomes a field of Task.
bool is_task_field(std::string_view key);

/// Every such field, with Airflow's checks of types.
void read_task_fields(const TaskFieldSource& source, Task& task, Findings& findings);

std::optional<TriggerRule> trigger_rule_of(std::string_view name);
std::string_view name(TriggerRule rule);
std::string_view name(WeightRule rule);

}  // namespace tailrace::dags
