// Whether the assets that workflows wait for are there.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dags/dag.h"
#include "dags/read.h"
#include "pipeline/graph.h"
#include "pipeline/project.h"

namespace tailrace::app {

/// tailrace://tables/TABLE of no table, and URIs of ours that name nothing, are fatal;
/// tailrace://topics/TOPIC of no topic of the project is not: a client may make it.
std::vector<dags::Finding> check_assets(const pipeline::Project& project,
                                        const pipeline::Graph& graph,
                                        const std::vector<std::shared_ptr<const dags::Dag>>& dags);

}  // namespace tailrace::app
