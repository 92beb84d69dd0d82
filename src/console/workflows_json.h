// Workflows as JSON; the shapes are spec/console-api.yml's.
#pragma once

#include <string>
#include <vector>

#include "workflows/workflows.h"

namespace tailrace::console {

/// A DAG of a list.
struct ListedDag {
  std::shared_ptr<const dags::Dag> dag;
  sched::DagRow row;
  std::vector<sched::Run> runs;  ///< the newest first
};
struct DagList {
  std::vector<ListedDag> dags;
  std::int64_t total = 0;
  std::vector<std::string> tags;
};
std::string dag_list_json(const DagList& list);

struct GridColumn {
  sched::Run run;
  std::vector<sched::TaskInstance> tasks;
};
struct DagGrid {
  ListedDag dag;
  std::vector<GridColumn> columns;  ///< the newest first
  std::int64_t total = 0;
};
std::string dag_grid_json(const DagGrid& grid);

struct RunDetail {
  workflows::Workflows::View view;
  std::vector<std::vector<metadata::Try>> tries;  ///< of each task of the view
};
std::string run_detail_json(const RunDetail& detail);

/// `(a & b) | c`: of assets' URIs.
std::string expression_of(const dags::AssetCondition& condition);

}  // namespace tailrace::console
