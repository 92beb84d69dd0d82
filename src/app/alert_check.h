// Alert rules against a project that does not run: every hop, expectation, workflow and query that
// they name.
#pragma once

#include <string>
#include <vector>

#include "alerts/settings.h"
#include "pipeline/graph.h"
#include "pipeline/project.h"

namespace tailrace::app {

/// kInvalidArgument: the rule's place, what is not there, and the nearest that is. `dags`: ids of
/// the project's.
Status check_alerts(const alerts::Settings& settings, const pipeline::Project& project,
                    const pipeline::Graph& graph, std::vector<std::string> dags);

}  // namespace tailrace::app
