// What a branch leaves out.
#pragma once

#include "jinja/value.h"
#include "tasks/operator.h"

namespace tailrace::tasks {

/// Airflow's way out of a task that skips others is an exception, behind which nothing is returned;
/// an instance of a mapped task goes another.
bool skipping_returns_nothing(const Context& context);

/// Success that skips the direct downstream tasks that `chosen` does not name, and that are not
/// downstream of those either: a task's id, a group's (all of its tasks), a list of them, or None
/// for none. A name of neither is a failure.
Outcome branch_to(const Context& context, const jinja::Value& chosen);

}  // namespace tailrace::tasks
