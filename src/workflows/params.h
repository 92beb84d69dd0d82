// A DAG's params with a run's conf over them, checked as Airflow checks them when a run is made.
#pragma once

#include "base/result.h"
#include "dags/dag.h"
#include "jinja/value.h"

namespace tailrace::workflows {

/// kInvalidArgument names the param whose value is missing or is not what its JSON Schema says (of
/// draft 2020-12 where `$schema` names no other; formats count). Members of `conf` that are no
/// params are not checked. A mapping in `conf` over one of a param is merged into it.
Status check_params(const dags::Dag& dag, const jinja::Value& conf);

}  // namespace tailrace::workflows
