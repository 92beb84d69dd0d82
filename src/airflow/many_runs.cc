// Several runs, or task instances of several runs, changed by one request.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "airflow/bulk.h"
#include "airflow/handlers.h"
#include "airflow/marking.h"
#include "airflow/runs.h"

namespace tailrace::airflow {
namespace {

struct RunKey {
  std::string dag, run;
  auto operator<=>(const RunKey&) const = default;
};

struct RunChange {
  RunKey key;
  std::optional<std::string> state, note;
};

/// BulkDAGRunBody.
Answer<RunChange> run_change(Body body) {
  RunChange change;
  body.required("dag_run_id");
  change.key.run = body.text("dag_run_id").value_or("");
  change.key.dag = body.text("dag_id").value_or("");
  change.state = body.one_of("state", {"queued", "success", "failed"});
  change.note = body.text("note", kLongestNote);
  TRY(body.check());
  return change;
}

Refusal no_key(const Json& entity, const std::string& run) {
  if (entity.is_string())
    return {400,
            "When using wildcard in path, dag_id must be specified in BulkDAGRunBody object, not "
            "as string for dag_run_id: " +
                run};
  return {400,
          "When using wildcard in path, dag_id must be specified in request body for dag_run_id: " +
              run};
}

/// As Python writes a list of pairs.
std::string pairs_text(const std::vector<RunKey>& keys) {
  std::string text;
  for (const RunKey& key : keys)
    text += fmt::format("{}('{}', '{}')", text.empty() ? "" : ", ", key.dag, key.run);
  return "[" + text + "]";
}

/// Those that are there, by their keys; the others, in order, go to `missing`.
Answer<std::map<RunKey, sched::Run>> runs_of(const Call& call,
                                             const std::vector<RunChange>& changes,
                                             std::vector<RunKey>& missing) {
  std::map<RunKey, sched::Run> found;
  std::set<RunKey> none;
  for (const auto& [key, state, note] : changes) {
    ASSIGN(auto run, or_refuse(call.kept().run({key.dag, key.run})));
    if (run)
      found.emplace(key, std::move(*run));
    else
      none.insert(key);
  }
  missing.assign(none.begin(), none.end());
  return found;
}

Answer<void> change_run(const Call& call, const RunChange& change) {
  const sched::RunId id{change.key.dag, change.key.run};
  if (change.state) {
    if (!Catalog(call.workflows).find(id.dag))
      return refuse(404, "Dag with id " + id.dag + " was not found");
    ASSIGN(const auto to, run_state_of(*change.state));
    TRY(or_refuse(call.workflows.handle(sched::SetRun{.run = id, .state = to})));
  }
  if (change.note)
    TRY(or_refuse(
        call.workflows.handle(sched::SetNote{.run = id, .task = {}, .note = *change.note})));
  return {};
}

Answer<void> drop_run(const Call& call, const sched::Run& run) {
  if (run.state == sched::RunState::kRunning)
    return refuse(409, "The DagRun with dag_id: `" + run.id.dag + "` and run_id: `" + run.id.run +
                           "` cannot be deleted in running state");
  return or_refuse(call.workflows.handle(sched::DeleteRun{.run = run.id}));
}

Answer<void> change_runs(const Call& call, const BulkAction& action, Json& result) {
  if (action.what == "create")
    return refuse(405,
                  "Dag Runs bulk create is not supported. Use the trigger Dag Run endpoint "
                  "instead.");
  std::vector<RunChange> changes;
  for (const Json& entity : action.entities) {
    RunChange change;
    if (entity.is_string()) {
      change.key.run = entity.get<std::string>();
    } else {
      ASSIGN(change, run_change(Body(entity)));
    }
    if (change.key.dag.empty()) change.key.dag = call.at(0);
    if (change.key.dag == "~" || change.key.run == "~") {
      note(result, no_key(entity, change.key.run));
      continue;
    }
    const auto same = std::ranges::find(changes, change.key, &RunChange::key);
    if (same != changes.end())
      *same = std::move(change);  // of the same run the last one counts
    else
      changes.push_back(std::move(change));
  }
  const bool drops = action.what == "delete";
  if (drops) std::ranges::sort(changes, {}, &RunChange::key);
  std::vector<RunKey> missing;
  ASSIGN(const auto found, runs_of(call, changes, missing));
  if (action.on_non_existence == "fail" && !missing.empty())
    return refuse(404,
                  "The DagRuns with these identifiers: " + pairs_text(missing) + " were not found");
  for (const RunChange& change : changes) {
    const auto run = found.find(change.key);
    if (run == found.end()) continue;
    const auto done = drops ? drop_run(call, run->second) : change_run(call, change);
    if (done)
      result["success"].push_back(change.key.dag + "." + change.key.run);
    else if (drops)
      note(result, done.error());
    else
      return done;
  }
  return {};
}

struct TaskChange {
  sched::TaskId id;
  bool one = false;  ///< that map index alone; else every instance of the task
  Change change;
};

/// BulkTaskInstanceBody.
Answer<TaskChange> task_change(Body body, const std::vector<std::string>& mask) {
  TaskChange found;
  found.change = read_change(body, mask);
  body.required("task_id");
  found.id.task = body.text("task_id").value_or("");
  const auto index = body.number("map_index");
  found.one = index.has_value();
  found.id.map_index = static_cast<int>(index.value_or(-1));
  found.id.run.dag = body.text("dag_id").value_or("");
  found.id.run.run = body.text("dag_run_id").value_or("");
  TRY(body.check());
  return found;
}

Answer<void> change_task(const Call& call, const TaskChange& wanted, Json& result) {
  const sched::RunId& of = wanted.id.run;
  ASSIGN(const auto run, or_refuse(call.kept().run(of)));
  Catalog catalog(call.workflows);
  const std::optional<int> index = wanted.one ? std::optional(wanted.id.map_index) : std::nullopt;
  ASSIGN(const auto own, instances_of(call, {*run}, [&](const sched::TaskInstance& task) {
           return task.id.task == wanted.id.task && (!index || task.id.map_index == *index);
         }));
  for (const FoundTask& one : own) {
    std::vector<FoundTask> found;
    if (wanted.change.state) {
      ASSIGN(found, instances_to_set(call, *run, wanted.change, {wanted.id.task}, index, catalog));
      if (found.empty()) {
        if (wanted.change.note)
          TRY(mark(call, {.state = {}, .note = wanted.change.note}, {}, {one}));
        return refuse(409, "Task id " + wanted.id.task + " is already in " +
                               std::string(sched::name(*wanted.change.state)) + " state");
      }
    }
    TRY(mark(call, wanted.change, found, {one}));
    result["success"].push_back(
        fmt::format("{}.{}.{}[{}]", of.dag, of.run, wanted.id.task, one.task.id.map_index));
  }
  return {};
}

Answer<bool> is_there(const Call& call, const TaskChange& wanted) {
  ASSIGN(const auto tasks, or_refuse(call.kept().tasks(wanted.id.run)));
  return std::ranges::any_of(tasks, [&](const sched::TaskInstance& task) {
    return task.id.task == wanted.id.task &&
           (!wanted.one || task.id.map_index == wanted.id.map_index);
  });
}

std::string identifier_text(const sched::TaskId& id) {
  return fmt::format("{{'dag_id': '{}', 'dag_run_id': '{}', 'task_id': '{}', 'map_index': {}}}",
                     id.run.dag, id.run.run, id.task, id.map_index);
}

Answer<void> change_tasks(const Call& call, const BulkAction& action, Json& result) {
  if (action.what == "create") return refuse(405, "Task instances bulk create is not supported");
  if (action.what == "delete")
    return refuse(405, "Task instances are not deleted here: clear them, or set their state");
  std::vector<TaskChange> single, whole;
  for (const Json& entity : action.entities) {
    ASSIGN(auto change, task_change(Body(entity), action.mask));
    sched::RunId& run = change.id.run;
    if (run.dag.empty()) run.dag = call.at(0);
    if (run.run.empty()) run.run = call.at(1);
    if (run.dag == "~" || run.run == "~")
      note(result, {400,
                    "When using wildcard in path, dag_id and dag_run_id must be specified in "
                    "request body for task_id: " +
                        change.id.task});
    else
      (change.one ? single : whole).push_back(std::move(change));
  }
  const bool fails = action.on_non_existence == "fail";
  std::string missing;
  std::vector<TaskChange> found;
  for (TaskChange& change : single) {
    ASSIGN(const bool there, is_there(call, change));
    if (there)
      found.push_back(std::move(change));
    else
      missing += (missing.empty() ? "" : ", ") + identifier_text(change.id);
  }
  if (fails && !missing.empty())
    return refuse(404,
                  "The task instances with these identifiers: [" + missing + "] were not found");
  for (const TaskChange& change : found) TRY(change_task(call, change, result));
  for (const TaskChange& change : whole) {
    ASSIGN(const bool there, is_there(call, change));
    if (there)
      TRY(change_task(call, change, result));
    else if (fails)
      return refuse(404, fmt::format("No task instances found for dag_id: {}, run_id: {}, task_id: "
                                     "{}",
                                     change.id.run.dag, change.id.run.run, change.id.task));
  }
  return {};
}

struct Clearing {
  bool dry = true, failed = false, fresh = false, latest = false;
  std::optional<std::string> note;
  std::vector<RunKey> runs;
};

/// The entries of BulkDAGRunClearBody's `dag_runs`, each once.
Answer<std::vector<RunKey>> keys_of(const Call& call, const Json& entries) {
  std::vector<RunKey> keys;
  const std::string& dag = call.at(0);
  for (const Json& entry : entries) {
    ASSIGN(RunChange one, run_change(Body(entry)));
    RunKey& key = one.key;
    if (dag == "~" && (key.dag.empty() || key.dag == "~"))
      return refuse(400,
                    "When the URL dag_id is '~', every entry must provide a concrete dag_id "
                    "(missing on dag_run_id: '" +
                        key.run + "').");
    if (key.dag.empty()) key.dag = dag;
    if (dag != "~" && key.dag != dag)
      return refuse(400,
                    "Entry dag_id '" + key.dag + "' does not match the URL dag_id '" + dag + "'.");
    if (std::ranges::find(keys, key) == keys.end()) keys.push_back(std::move(key));
  }
  return keys;
}

/// BulkDAGRunClearBody; no DAG here has partitions.
Answer<Clearing> clearing_of(const Call& call) {
  ASSIGN(Body body, call.body());
  Clearing wanted;
  wanted.dry = body.flag("dry_run").value_or(true);
  wanted.failed = body.flag("only_failed").value_or(false);
  wanted.fresh = body.flag("only_new").value_or(false);
  if (const auto latest = body.any("run_on_latest_version")) wanted.latest = *latest == true;
  wanted.note = body.text("note", kLongestNote);
  const Json entries = body.any("dag_runs").value_or(Json::array());
  if (wanted.fresh && wanted.failed) body.fault("only_new and only_failed are mutually exclusive");
  if (!entries.is_array()) body.fault("dag_runs should be a list", "dag_runs");
  if (entries.is_array() && entries.empty())
    body.fault(
        "Exactly one of dag_runs (non-empty), partition_key, or a partition date window "
        "(partition_date_start / partition_date_end) must be provided.");
  if (auto fine = body.check(); !fine) return std::unexpected(twice(std::move(fine.error())));
  for (const Json& entry : entries) {
    if (!entry.is_object()) return refuse(422, "dag_runs: objects with a dag_run_id are expected");
  }
  ASSIGN(wanted.runs, keys_of(call, entries));
  return wanted;
}

}  // namespace

Answer<Reply> bulk_dag_runs(Call& call) {
  return bulk(
      call,
      [](const Json& entity, bool) -> Answer<void> {
        TRY(run_change(Body(entity)));
        return {};
      },
      [&](const BulkAction& action, Json& result) {
        if (const auto done = change_runs(call, action, result); !done) note(result, done.error());
      });
}

Answer<Reply> bulk_task_instances(Call& call) {
  return bulk(
      call,
      [](const Json& entity, bool) -> Answer<void> {
        TRY(task_change(Body(entity), {}));
        return {};
      },
      [&](const BulkAction& action, Json& result) {
        if (const auto done = change_tasks(call, action, result); !done) note(result, done.error());
      },
      false);
}

Answer<Reply> clear_dag_runs(Call& call) {
  ASSIGN(const Clearing wanted, clearing_of(call));
  Catalog catalog(call.workflows);
  std::vector<sched::Run> runs;
  for (const RunKey& key : wanted.runs) {
    call.names = {key.dag, key.run};
    ASSIGN(auto run, run_at(call));
    if (!catalog.find(key.dag)) return refuse(404, "Dag with id " + key.dag + " was not found");
    runs.push_back(std::move(run));
  }
  if (wanted.dry) {
    ASSIGN(const auto found, instances_of(call, runs, [&](const sched::TaskInstance& task) {
             return !wanted.fresh && (!wanted.failed || has_failed(task));
           }));
    return Reply(instances_page(call, found, catalog, false));
  }
  Json cleared = Json::array();
  for (const sched::Run& run : runs) {
    // New tasks of a new version have instances as soon as a run has it (only_new finds none).
    if (!wanted.fresh)
      TRY(or_refuse(call.workflows.handle(sched::Clear{.run = run.id,
                                                       .tasks = {},
                                                       .only_failed = wanted.failed,
                                                       .new_version = wanted.latest})));
    if (wanted.note)
      TRY(or_refuse(
          call.workflows.handle(sched::SetNote{.run = run.id, .task = {}, .note = *wanted.note})));
    call.names = {run.id.dag, run.id.run};
    ASSIGN(const auto now, run_at(call));
    cleared.push_back(run_json(now, catalog));
  }
  const auto total = static_cast<std::int64_t>(cleared.size());
  return Reply(cursor_page("dag_runs", std::move(cleared), total, 0,
                           std::max<std::int64_t>(total, 1), call));
}

}  // namespace tailrace::airflow
