// The process of a task: its environment, its limits, and why it was ended.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tasks/operator.h"
#include "tasks/process.h"

namespace tailrace::tasks {

/// What a task's process gets: PATH, HOME, LANG and the like of ours (nothing else of our
/// environment), AIRFLOW_CTX_… of the try, and the mark by which a killed program's processes are
/// found.
std::map<std::string, std::string> task_environment(const Context& context);

/// What a Bash task asks for: `env` instead of ours, or beside it with append_env.
Result<std::map<std::string, std::string>> environment_of(const Context& context);

/// In the project's folder, within its limits: those of the context, or the memory that the task's
/// `resources: {ram: MB}` says.
Result<Command> task_command(const Context& context, std::vector<std::string> arguments,
                             std::map<std::string, std::string> environment);

/// Why we ended it; none: it ended by itself.
std::optional<std::string> why_ended(const Context& context, const Ended& ended);

}  // namespace tailrace::tasks
