// The shapes of Airflow's answers: its pydantic models, field by field in their order.
#pragma once

#include "airflow/json.h"
#include "dags/dag.h"
#include "sched/rows.h"
#include "workflows/workflows.h"

namespace tailrace::airflow {

/// DAGResponse.
Json dag_json(const dags::Dag& dag, const sched::DagRow& row,
              const workflows::Workflows& workflows);
/// DagVersionResponse of the DAG's present version.
Json dag_version_json(const dags::Dag& dag, const workflows::Workflows& workflows);

/// A UUID that is always the same for a text: ids of what has no number here.
std::string uuid_of(std::string_view text);

/// `text` or the id it stands for where nothing else is given.
std::string display_name(const dags::Dag& dag);

}  // namespace tailrace::airflow
