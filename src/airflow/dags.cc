// DAGs as their files have them, with what is kept beside: paused, the next run.
#include <algorithm>

#include "airflow/handlers.h"
#include "airflow/models.h"

namespace tailrace::airflow {
namespace {

using DagPtr = std::shared_ptr<const dags::Dag>;

struct Found {
  DagPtr dag;
  sched::DagRow row;
};

std::vector<Found> all_dags(Call& call) {
  std::vector<Found> found;
  const auto rows = call.workflows.rows();
  for (const auto& dag : call.workflows.dags()) {
    const auto row = std::ranges::find(rows, dag->id, &sched::DagRow::id);
    if (row != rows.end()) found.push_back({dag, *row});
  }
  return found;
}

Answer<Found> dag_at(Call& call) {
  for (auto& one : all_dags(call)) {
    if (one.dag->id == call.at(0)) return std::move(one);
  }
  return refuse(404, "The Dag with ID: `" + call.at(0) + "` was not found");
}

}  // namespace

Answer<Reply> list_dags(Call& call) {
  Parameters parameters = call.parameters();
  const auto limit = parameters.limit(), offset = parameters.offset();
  TRY(parameters.check());
  const auto found = all_dags(call);
  Json list = Json::array();
  for (std::size_t i = static_cast<std::size_t>(offset);
       i < found.size() && list.size() < static_cast<std::size_t>(limit); ++i)
    list.push_back(dag_json(*found[i].dag, found[i].row, call.workflows));
  return Reply(Json{{"dags", std::move(list)}, {"total_entries", found.size()}});
}

Answer<Reply> get_dag(Call& call) {
  ASSIGN(const auto found, dag_at(call));
  return Reply(dag_json(*found.dag, found.row, call.workflows));
}

Answer<Reply> dag_details(Call& call) {
  ASSIGN(const auto found, dag_at(call));
  return Reply(dag_json(*found.dag, found.row, call.workflows));
}

}  // namespace tailrace::airflow
