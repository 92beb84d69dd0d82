// Which instances a clear takes, and clearing them.
#include "airflow/clearing.h"

#include <algorithm>
#include <set>

#include "airflow/handlers.h"
#include "airflow/runs.h"

namespace tailrace::airflow {
namespace {

constexpr std::size_t kLongestNote = 1000;

/// What POST clearTaskInstances asks for.
struct Wanted {
  bool dry = true, only_failed = true, only_running = false;
  bool upstream = false, downstream = false, future = false, past = false, latest = false;
  bool prevent_running = false, reset_runs = true;
  std::optional<calendar::Micros> start, end;
  std::optional<std::string> run, note;
  bool names_tasks = false;
  std::set<std::string> tasks;                   ///< whole tasks
  std::map<std::string, std::set<int>> indexes;  ///< of tasks that are not meant whole
};

Answer<void> read_task_ids(Body& body, Wanted& wanted) {
  const auto given = body.any("task_ids");
  if (!given) return {};
  wanted.names_tasks = true;
  if (given->is_array() && given->empty())
    body.fault("task_ids list should have at least 1 element.");
  if (!given->is_array()) {
    body.fault("task_ids should be a list");
    return {};
  }
  for (const Json& one : *given) {
    const bool pair =
        one.is_array() && one.size() == 2 && one[0].is_string() && one[1].is_number_integer();
    if (one.is_string())
      wanted.tasks.insert(one.get<std::string>());
    else if (pair)
      wanted.indexes[one[0].get<std::string>()].insert(one[1].get<int>());
    else
      body.fault("task_ids: a task's id or [id, map index] is expected");
  }
  return {};
}

Answer<Wanted> wanted_of(Body body) {
  Wanted wanted;
  wanted.dry = body.flag("dry_run").value_or(true);
  wanted.start = body.time("start_date", true);
  wanted.end = body.time("end_date", true);
  wanted.only_failed = body.flag("only_failed").value_or(true);
  wanted.only_running = body.flag("only_running").value_or(false);
  wanted.reset_runs = body.flag("reset_dag_runs").value_or(true);
  TRY(read_task_ids(body, wanted));
  wanted.run = body.text("dag_run_id");
  wanted.upstream = body.flag("include_upstream").value_or(false);
  wanted.downstream = body.flag("include_downstream").value_or(false);
  wanted.future = body.flag("include_future").value_or(false);
  wanted.past = body.flag("include_past").value_or(false);
  if (const auto latest = body.any("run_on_latest_version")) wanted.latest = *latest == true;
  wanted.prevent_running = body.flag("prevent_running_task").value_or(false);
  wanted.note = body.text("note", kLongestNote);
  if (wanted.only_failed && wanted.only_running && body.has("only_failed"))
    body.fault("only_failed and only_running both are set to True");
  if (wanted.start && wanted.end && *wanted.start > *wanted.end)
    body.fault("end_date is sooner than start_date");
  if (wanted.start && wanted.end && wanted.run)
    body.fault("Exactly one of dag_run_id or (start_date and end_date) must be provided");
  else if (wanted.start && wanted.run)
    body.fault("Exactly one of dag_run_id or start_date must be provided");
  else if (wanted.end && wanted.run)
    body.fault("Exactly one of dag_run_id or end_date must be provided");
  TRY(body.check());
  return wanted;
}

/// Adds what comes along upstream and downstream of the tasks named.
void add_relatives(Wanted& wanted, const sched::Plan& plan) {
  if (!wanted.upstream && !wanted.downstream) return;
  std::vector<int> named;
  for (const auto& id : wanted.tasks)
    if (const int task = plan.find(id); task >= 0) named.push_back(task);
  for (const auto& [id, indexes] : wanted.indexes)
    if (const int task = plan.find(id); task >= 0) named.push_back(task);
  const auto along = plan.subset(named, wanted.upstream, wanted.downstream);
  for (int task = 0; task < plan.size(); ++task) {
    const std::string& id = plan[task].task->id;
    if (along[static_cast<std::size_t>(task)] && !wanted.indexes.contains(id))
      wanted.tasks.insert(id);
  }
}

bool takes(const Wanted& wanted, const sched::TaskInstance& task) {
  if (task.state == sched::TaskState::kRemoved) return false;
  if (wanted.only_failed && !has_failed(task)) return false;
  if (wanted.only_running && task.state != sched::TaskState::kRunning) return false;
  if (!wanted.names_tasks || wanted.tasks.contains(task.id.task)) return true;
  const auto indexes = wanted.indexes.find(task.id.task);
  return indexes != wanted.indexes.end() && indexes->second.contains(task.id.map_index);
}

Answer<std::vector<sched::Run>> runs_of(const Call& call, const Wanted& wanted) {
  const std::string& dag = call.at(0);
  if (!wanted.run) return runs_between(call, dag, wanted.start, wanted.end);
  ASSIGN(auto run, or_refuse(call.kept().run({dag, *wanted.run})));
  if (!run) return refuse(404, "Dag Run id " + *wanted.run + " not found in dag " + dag);
  if (!wanted.past && !wanted.future) return std::vector<sched::Run>{std::move(*run)};
  if (!run->logical_date)
    return refuse(400,
                  "Cannot use include_past or include_future with no logical_date(e.g. manually or "
                  "asset-triggered).");
  return runs_between(call, dag, wanted.past ? std::nullopt : run->logical_date,
                      wanted.future ? std::nullopt : run->logical_date);
}

/// Clears the instances, a run's at once.
Answer<void> clear(Call& call, const Wanted& wanted, const std::vector<FoundTask>& found) {
  for (std::size_t from = 0; from < found.size();) {
    sched::Clear event{.run = found[from].run->id, .tasks = {}, .new_version = wanted.latest};
    std::size_t end = from;
    for (; end < found.size() && found[end].run == found[from].run; ++end) {
      const sched::TaskId& id = found[end].task.id;
      if (event.map_indexes[id.task].empty()) event.tasks.push_back(id.task);
      event.map_indexes[id.task].insert(id.map_index);
    }
    TRY(or_refuse(call.workflows.handle(event)));
    for (; wanted.note && from < end; ++from)
      TRY(or_refuse(call.workflows.handle(
          sched::SetNote{.run = event.run, .task = found[from].task.id, .note = *wanted.note})));
    from = end;
  }
  return {};
}

}  // namespace

bool has_failed(const sched::TaskInstance& task) {
  return task.state == sched::TaskState::kFailed || task.state == sched::TaskState::kUpstreamFailed;
}

Answer<std::vector<FoundTask>> instances_of(
    const Call& call, const std::vector<sched::Run>& runs,
    const std::function<bool(const sched::TaskInstance&)>& wanted) {
  std::vector<FoundTask> found;
  std::map<std::string, std::map<std::string, std::size_t>> places;
  for (const auto& dag : call.workflows.dags()) {
    auto& of = places[dag->id];
    for (std::size_t i = 0; i < dag->tasks.size(); ++i) of[dag->tasks[i].id] = i;
  }
  for (const auto& one : runs) {
    const auto run = std::make_shared<const sched::Run>(one);
    ASSIGN(auto tasks, or_refuse(call.kept().tasks(run->id)));
    std::erase_if(tasks, [&](const sched::TaskInstance& task) { return !wanted(task); });
    auto& of = places[run->id.dag];
    const auto place = [&](const sched::TaskInstance& task) {
      const auto at = of.find(task.id.task);
      return std::pair(at == of.end() ? SIZE_MAX : at->second, task.id.map_index);
    };
    std::ranges::stable_sort(tasks, {}, place);
    for (auto& task : tasks) found.push_back({std::move(task), run});
  }
  return found;
}

Json instance_json(const Call& call, const FoundTask& found, Catalog& catalog) {
  TryDetails details;
  if (const auto tries = call.kept().tries(found.task.id)) {
    for (const auto& one : *tries)
      if (one.number == found.task.try_number) details.pid = one.pid;
  }
  if (auto rendered = call.kept().rendered(found.task.id)) details.rendered = std::move(*rendered);
  return task_instance_json(found.task, *found.run, details, catalog);
}

Json instances_page(const Call& call, const std::vector<FoundTask>& found, Catalog& catalog,
                    bool cursors) {
  Json list = Json::array();
  for (const auto& one : found) list.push_back(instance_json(call, one, catalog));
  Json page = {{"task_instances", std::move(list)}, {"total_entries", found.size()}};
  if (cursors) {
    for (const char* name : {"total_entries_limit", "next_cursor", "previous_cursor"})
      page[name] = nullptr;
  }
  return page;
}

Answer<Reply> clear_task_instances(Call& call) {
  ASSIGN(Body body, call.body());
  ASSIGN(Wanted wanted, wanted_of(std::move(body)));
  Catalog catalog(call.workflows);
  const sched::Plan* plan = catalog.plan(call.at(0));
  if (plan == nullptr) return refuse(404, "The Dag with ID: `" + call.at(0) + "` was not found");
  ASSIGN(const auto runs, runs_of(call, wanted));
  if (wanted.names_tasks) add_relatives(wanted, *plan);
  ASSIGN(auto found,
         instances_of(call, runs, [&](const auto& task) { return takes(wanted, task); }));
  if (!wanted.dry) {
    const bool runs_now = std::ranges::any_of(
        found, [](const FoundTask& one) { return one.task.state == sched::TaskState::kRunning; });
    if (wanted.prevent_running && runs_now)
      return refuse(409,
                    "AirflowClearRunningTaskException: Disable 'prevent_running_task' to proceed, "
                    "or wait until the task is not running, queued, or scheduled state.");
    TRY(clear(call, wanted, found));
    for (auto& one : found) {
      ASSIGN(const auto tasks, or_refuse(call.kept().tasks(one.task.id.run)));
      const auto at = std::ranges::find(tasks, one.task.id, &sched::TaskInstance::id);
      if (at != tasks.end()) one.task = *at;
    }
  }
  return Reply(instances_page(call, found, catalog, true));
}

}  // namespace tailrace::airflow
