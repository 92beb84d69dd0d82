// A state is set on instances one by one, as the scheduler takes it.
#include "airflow/marking.h"

#include "airflow/listing.h"
#include "airflow/runs.h"

namespace tailrace::airflow {

Change read_change(Body& body, const std::vector<std::string>& mask) {
  Change change;
  const auto state = body.text("new_state");
  const auto note = body.text("note", kLongestNote);
  change.upstream = body.flag("include_upstream").value_or(false);
  change.downstream = body.flag("include_downstream").value_or(false);
  change.future = body.flag("include_future").value_or(false);
  change.past = body.flag("include_past").value_or(false);
  if (body.is_null("new_state")) body.fault("'new_state' should not be empty", "new_state");
  std::optional<sched::TaskState> to;
  if (state == "success") to = sched::TaskState::kSuccess;
  if (state == "failed") to = sched::TaskState::kFailed;
  if (state == "skipped") to = sched::TaskState::kSkipped;
  if (state && !to)
    body.fault("'" + *state + "' is not one of ['success', 'failed', 'skipped']", "new_state");
  if (is_one_of("new_state", mask)) change.state = to;
  if (is_one_of("note", mask)) change.note = note;
  return change;
}

Answer<std::vector<FoundTask>> instances_to_set(const Call& call, const sched::Run& run,
                                                const Change& change,
                                                const std::set<std::string>& tasks,
                                                std::optional<int> map_index, Catalog& catalog) {
  std::vector<sched::Run> runs{run};
  if ((change.past || change.future) && run.logical_date) {
    ASSIGN(runs, runs_between(call, run.id.dag, change.past ? std::nullopt : run.logical_date,
                              change.future ? std::nullopt : run.logical_date));
  }
  const sched::Plan* plan = catalog.plan(run.id.dag);
  if (plan == nullptr) return refuse(404, "The Dag with ID: `" + run.id.dag + "` was not found");
  std::set<std::string> meant = tasks;
  for (const auto& id : tasks) {
    const int place = plan->find(id);
    if (place < 0) return refuse(404, "Task '" + id + "' not found in Dag '" + run.id.dag + "'");
    const sched::PlanTask& task = (*plan)[place];
    for (int other = 0; other < plan->size(); ++other) {
      const auto at = static_cast<std::size_t>(other);
      if ((change.upstream && task.all_upstream[at]) ||
          (change.downstream && task.all_downstream[at]))
        meant.insert((*plan)[other].task->id);
    }
  }
  return instances_of(call, runs, [&](const sched::TaskInstance& task) {
    return meant.contains(task.id.task) && task.state != change.state &&
           (!map_index || !tasks.contains(task.id.task) || task.id.map_index == *map_index);
  });
}

Answer<void> mark(const Call& call, const Change& change, const std::vector<FoundTask>& found,
                  const std::vector<FoundTask>& noted) {
  if (change.note) {
    for (const auto& one : noted)
      TRY(or_refuse(call.workflows.handle(
          sched::SetNote{.run = one.run->id, .task = one.task.id, .note = *change.note})));
  }
  if (!change.state) return {};
  for (const auto& one : found)
    TRY(or_refuse(
        call.workflows.handle(sched::SetTask{.task = one.task.id, .state = *change.state})));
  return {};
}

}  // namespace tailrace::airflow
