// What `tailrace dags` does with the program that runs on the project, an action a function: each
// prints, and says why not.
#pragma once

#include "app/commands.h"
#include "base/result.h"

namespace tailrace::app {

Status run_dag(const DagsOptions& options);
Status list_runs(const DagsOptions& options);
Status clear_tasks(const DagsOptions& options);
Status pause_dag(const DagsOptions& options, bool paused);
Status print_log(const DagsOptions& options);
Status backfill_dag(const DagsOptions& options);

}  // namespace tailrace::app
