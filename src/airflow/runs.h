// What several handlers need of runs.
#pragma once

#include <vector>

#include "airflow/call.h"
#include "airflow/models.h"

namespace tailrace::airflow {

/// As many rows as a list is put together from where no index orders it.
inline constexpr std::int64_t kMostRows = 1'000'000;

/// The run of dags/{}/dagRuns/{}; 404.
Answer<sched::Run> run_at(const Call& call);
/// All of a DAG whose logical date is in a span, in the order in which they were made.
Answer<std::vector<sched::Run>> runs_between(const Call& call, const std::string& dag,
                                             std::optional<calendar::Micros> from,
                                             std::optional<calendar::Micros> to);
/// The one that has the asset of assets/{} among its tasks' outlets; 404, 409.
Answer<std::string> dag_that_makes(Call& call);
Answer<sched::RunState> run_state_of(const std::string& name);

/// {NAME: rows, "total_entries", and the cursors of the pages before and after where the request
/// has `cursor`}.
Json cursor_page(const std::string& name, Json rows, std::int64_t total, std::int64_t offset,
                 std::int64_t limit, const Call& call);
/// `offset`, or what `cursor` stands for.
Answer<std::int64_t> offset_of(const Call& call, Parameters& parameters);

}  // namespace tailrace::airflow
