// What a branch leaves out.
#pragma once

#include "jinja/value.h"
#include "tasks/operator.h"

namespace tailrace::tasks {

/// Success that skips the direct downstream tasks that `chosen` does not name: a task's id, a
/// group's (all of its tasks), a list of them, or None for none. A name of neither is a failure.
Outcome branch_to(const Context& context, const jinja::Value& chosen);

}  // namespace tailrace::tasks
