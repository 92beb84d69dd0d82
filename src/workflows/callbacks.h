// Callbacks of tasks, runs and deadlines: functions and notifiers of the DAG's author, called in a
// process of Python, and Airflow's notifiers of Slack and SMTP, which are embedded.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "jinja/value.h"
#include "tasks/operator.h"

namespace tailrace::workflows {

/// Why one is called. Texts are for its context, by Airflow's names.
struct Occasion {
  std::string_view name;                      ///< "on_failure_callback"
  std::optional<std::string> exception = {};  ///< of a task that failed
  std::optional<std::string> reason = {};     ///< of a run: "task_failure", "success", …
  std::optional<std::string> deadline = {};   ///< the name of one that has passed
  bool is_mail = false;                       ///< of `email`, not of a callback
};

/// Calls it, unless it is None. What goes wrong is a line of the context's log, and nothing else:
/// as in Airflow, a callback changes no state.
void call_back(tasks::Context& context, const jinja::Value& callback, const Occasion& occasion);

/// Airflow's mail to the task's `email` about a try that failed, by the connection smtp_default;
/// what goes wrong is a line of the log.
void send_mail(tasks::Context& context, const Occasion& occasion);

}  // namespace tailrace::workflows
