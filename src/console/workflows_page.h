// What the page shows of a project's workflows, one question a view; what it does to them it does
// by Airflow's REST API.
//
//   GET /api/workflows?search&tag&which&offset&limit   DAGs by name, each with its newest runs
//   GET /api/workflows/DAG?state&type&offset&limit     its tasks, and runs with each task's state
//   GET /api/workflows/DAG/runs/RUN                    each instance: tries, what keeps it waiting
//
// The shapes are spec/console-api.yml's. An answer has a strong ETag, and is not sent again (304)
// to whom has it: a page may ask every second.
#pragma once

#include "net/http_server.h"
#include "workflows/workflows.h"

namespace tailrace::console {

/// `workflows`: null where the project has none (404).
net::Response workflows_response(workflows::Workflows* workflows, const net::Request& request);

}  // namespace tailrace::console
