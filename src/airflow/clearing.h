// Task instances of runs, chosen and listed: for clears, their dry runs and collections.
#pragma once

#include <functional>
#include <vector>

#include "airflow/call.h"
#include "airflow/models.h"

namespace tailrace::airflow {

struct FoundTask {
  sched::TaskInstance task;
  std::shared_ptr<const sched::Run> run;
};

/// Instances that `wanted` takes, run by run, in the order of their DAG's file and map index.
Answer<std::vector<FoundTask>> instances_of(
    const Call& call, const std::vector<sched::Run>& runs,
    const std::function<bool(const sched::TaskInstance&)>& wanted);

/// failed or upstream_failed: what only_failed means.
bool has_failed(const sched::TaskInstance& task);

/// TaskInstanceCollectionResponse of all of them; `cursors`: with the members of a paged list.
Json instances_page(const Call& call, const std::vector<FoundTask>& found, Catalog& catalog,
                    bool cursors);
/// One with the process of its try.
Json instance_json(const Call& call, const FoundTask& found, Catalog& catalog);

}  // namespace tailrace::airflow
