// The shapes of Airflow's answers: its pydantic models, field by field in their order.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "airflow/json.h"
#include "dags/dag.h"
#include "metadata/metadata.h"
#include "sched/plan.h"
#include "sched/rows.h"
#include "workflows/workflows.h"

namespace tailrace::airflow {

/// The DAGs as one request sees them.
class Catalog {
 public:
  explicit Catalog(workflows::Workflows& workflows);

  const std::vector<std::shared_ptr<const dags::Dag>>& dags() const { return dags_; }
  /// Null: its file is gone, or never was.
  std::shared_ptr<const dags::Dag> find(std::string_view id) const;
  /// Made ready for scheduling; null where there is no file.
  const sched::Plan* plan(const std::string& id);
  sched::DagRow row(std::string_view id) const;
  std::string display_name(const std::string& id) const;
  const std::string& folder() const { return folder_; }
  calendar::Micros read_at() const { return read_at_; }

 private:
  std::vector<std::shared_ptr<const dags::Dag>> dags_;
  std::vector<sched::DagRow> rows_;
  std::map<std::string, sched::Plan> plans_;
  std::string folder_;
  calendar::Micros read_at_ = 0;
};

/// This machine, and who runs the program.
const std::string& host_name();
const std::string& user_name();

Json dag_json(const dags::Dag& dag, const Catalog& catalog);          ///< DAGResponse
Json dag_version_json(const dags::Dag& dag, const Catalog& catalog);  ///< DagVersionResponse
/// `source` is who declares them, where Airflow says so.
Json params_json(const std::vector<dags::Param>& params, const Json& source);
Json task_json(const dags::Task& task, const dags::Dag& dag, Catalog& catalog);  ///< TaskResponse
Json run_json(const sched::Run& run, const Catalog& catalog);                    ///< DAGRunResponse
/// What is known of an instance's last try beside its row.
struct TryDetails {
  int pid = 0;
  std::optional<metadata::Rendered> rendered = {};
};
/// TaskInstanceResponse; `run` is its run.
Json task_instance_json(const sched::TaskInstance& task, const sched::Run& run,
                        const TryDetails& details, Catalog& catalog);
/// TaskInstanceHistoryResponse of one try.
Json try_json(const metadata::Try& one, const sched::TaskInstance& task, Catalog& catalog);

/// Airflow's class of a task's operator (`BashOperator`, `_PythonDecoratedOperator`) and the name
/// that it shows (`@task`).
std::string operator_class(const dags::Task& task);
std::string operator_name(const dags::Task& task);

/// Airflow's names of states; null is none.
Json state_json(sched::TaskState state);

/// The same for the same asset whatever else there is, as a client keeps it: 31 bits.
std::int64_t asset_id(std::string_view name, std::string_view uri);
std::int64_t asset_id(const dags::Asset& asset);

/// A UUID that is always the same for a text: ids of what has no number here.
std::string uuid_of(std::string_view text);

}  // namespace tailrace::airflow
