// One try of a task: its arguments expanded and rendered, its operator run, its value kept.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "dags/dag.h"
#include "metadata/metadata.h"
#include "rt/clock.h"
#include "sched/rows.h"
#include "sched/scheduler.h"
#include "tasks/operator.h"
#include "workflows/callbacks.h"

namespace tailrace::workflows {

/// What every try of a project shares.
struct Workshop {
  std::string folder, dags_folder, mark, python = "python3";
  tasks::Limits limits = {};
  metadata::Metadata& metadata;
  tasks::ProjectAccess& project;
  rt::Clock& clock;
  std::map<std::string, std::string> connections, variables;  ///< of the project's settings
  std::function<Result<sched::RunId>(sched::Trigger)> trigger;
};

/// A try as the scheduler's rows have it.
struct Attempt {
  sched::TaskId id;
  int try_number = 1;
  std::shared_ptr<const dags::Dag> dag;
  sched::Run run;
  sched::TaskInstance instance;
  std::vector<sched::AssetEvent> triggering;  ///< what the run consumed
};

/// Runs it to its end; what the scheduler is told. Its return value is an XCom by then.
tasks::Outcome run_attempt(const Workshop& workshop, const Attempt& attempt, tasks::TaskLog& log,
                           std::stop_token stop, const std::function<void(int pid)>& started);

/// Calls a callback of a run or of a deadline, as of the attempt's task, whose names its context
/// has. The result is in the log.
void run_callback(const Workshop& workshop, const Attempt& attempt, const jinja::Value& callback,
                  const Occasion& occasion, tasks::TaskLog& log, std::stop_token stop);

/// What the scheduler is told of it.
sched::Finished finished(const Attempt& attempt, const tasks::Outcome& outcome);

}  // namespace tailrace::workflows
