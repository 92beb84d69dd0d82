// Task instances: listed, looked at, their tries, why they wait, their states set by people.
#include <algorithm>
#include <charconv>

#include "airflow/clearing.h"
#include "airflow/handlers.h"
#include "airflow/listing.h"
#include "airflow/marking.h"
#include "airflow/runs.h"

namespace tailrace::airflow {
namespace {

const Sorting kSorting{.allowed = {"id", "state", "duration", "start_date", "end_date", "map_index",
                                   "try_number", "logical_date", "run_after", "data_interval_start",
                                   "data_interval_end", "rendered_map_index", "operator"},
                       .members = {{"id", " id"}, {"rendered_map_index", "map_index"}}};

/// A whole number of the path; 422.
Answer<int> number_at(const Call& call, std::size_t place, const std::string& name) {
  const std::string& text = call.at(place);
  int number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed == std::errc() && end == text.data() + text.size() && !text.empty()) return number;
  Faults faults;
  faults.add("int_parsing", "path", name,
             "Input should be a valid integer, unable to parse string as an integer", text);
  return std::unexpected(faults.check().error());
}

Answer<FoundTask> find_task(const Call& call, int map_index, const std::string& missing) {
  ASSIGN(auto run, or_refuse(call.kept().run({call.at(0), call.at(1)})));
  if (!run) return refuse(404, missing);
  ASSIGN(const auto tasks, or_refuse(call.kept().tasks(run->id)));
  const sched::TaskId id{run->id, call.at(2), map_index};
  const auto at = std::ranges::find(tasks, id, &sched::TaskInstance::id);
  if (at == tasks.end()) return refuse(404, missing);
  return FoundTask{*at, std::make_shared<const sched::Run>(std::move(*run))};
}

std::string names_of(const Call& call) {
  return "dag_id: `" + call.at(0) + "`, run_id: `" + call.at(1) + "`";
}

std::string no_instance(const Call& call, int map_index) {
  return "The Task Instance with " + names_of(call) + ", task_id: `" + call.at(2) +
         "` and map_index: `" + std::to_string(map_index) + "` was not found";
}

/// What the lists of task instances are asked for, of a query or a body.
struct TaskQuery {
  std::vector<std::string> runs, tasks, states, pools, queues, operators, tries, indexes;
  std::string task_pattern, task_prefix, run_pattern, run_prefix, dag_pattern, dag_prefix, group;
  Range run_after, logical_date, start_date, end_date, duration;
  std::vector<std::string> order_by;

  bool fits(const sched::TaskInstance& task) const {
    const std::string& id = task.id.task;
    return is_one_of(state_json(task.state), states) && is_one_of(id, tasks) &&
           is_one_of(task.id.map_index, indexes) && is_one_of(task.try_number, tries) &&
           (task_pattern.empty() || matches_pattern(id, task_pattern)) &&
           id.starts_with(task_prefix) && (group.empty() || id.starts_with(group + "."));
  }
  bool fits(const sched::Run& run) const {
    return is_one_of(run.id.run, runs) &&
           (run_pattern.empty() || matches_pattern(run.id.run, run_pattern)) &&
           run.id.run.starts_with(run_prefix) &&
           (dag_pattern.empty() || matches_pattern(run.id.dag, dag_pattern)) &&
           run.id.dag.starts_with(dag_prefix) && run_after.holds(time_json(run.run_after)) &&
           logical_date.holds(time_json(run.logical_date));
  }
  bool fits(const Json& row) const {
    return start_date.holds(row["start_date"]) && end_date.holds(row["end_date"]) &&
           duration.holds(row["duration"]) && is_one_of(row["pool"], pools) &&
           is_one_of(row["queue"], queues) && is_one_of(row["operator"], operators);
  }
};

TaskQuery query_of(Parameters& parameters) {
  return {.runs = {},
          .tasks = parameters.texts("task_id"),
          .states = parameters.texts("state"),
          .pools = parameters.texts("pool"),
          .queues = parameters.texts("queue"),
          .operators = parameters.texts("operator"),
          .tries = parameters.texts("try_number"),
          .indexes = parameters.texts("map_index"),
          .task_pattern = parameters.text("task_display_name_pattern"),
          .task_prefix = parameters.text("task_display_name_prefix_pattern"),
          .run_pattern = parameters.text("run_id_pattern"),
          .run_prefix = parameters.text("run_id_prefix_pattern"),
          .dag_pattern = parameters.text("dag_id_pattern"),
          .dag_prefix = parameters.text("dag_id_prefix_pattern"),
          .group = parameters.text("task_group_id"),
          .run_after = time_range(parameters, "run_after"),
          .logical_date = time_range(parameters, "logical_date"),
          .start_date = time_range(parameters, "start_date"),
          .end_date = time_range(parameters, "end_date"),
          .duration = number_range(parameters, "duration"),
          .order_by = parameters.texts("order_by")};
}

struct TaskRows {
  Json rows = Json::array();
  std::int64_t total = 0;
};

/// The page of instances of these runs.
Answer<TaskRows> find_rows(Call& call, std::vector<sched::Run> runs, const TaskQuery& query,
                           std::int64_t offset, std::int64_t limit) {
  std::erase_if(runs, [&](const sched::Run& run) { return !query.fits(run); });
  ASSIGN(const auto found, instances_of(call, runs, [&](const sched::TaskInstance& task) {
           return query.fits(task);
         }));
  Catalog catalog(call.workflows);
  std::vector<Json> rows;
  for (std::size_t i = 0; i < found.size(); ++i) {
    Json row = task_instance_json(found[i].task, *found[i].run, {}, catalog);
    if (!query.fits(row)) continue;
    row[" id"] = i;
    rows.push_back(std::move(row));
  }
  TRY(sort(rows, query.order_by.empty() ? std::vector<std::string>{"map_index"} : query.order_by,
           kSorting));
  Json cut = page("rows", std::move(rows), offset, limit);
  TaskRows done{.rows = Json::array(), .total = cut["total_entries"]};
  for (const Json& row : cut["rows"])
    done.rows.push_back(instance_json(call, found[row[" id"].get<std::size_t>()], catalog));
  return done;
}

Answer<std::vector<sched::Run>> runs_meant(const Call& call) {
  const std::string &dag = call.at(0), &run = call.at(1);
  if (run != "~") {
    if (dag == "~") return refuse(400, "dag_id is required when dag_run_id is specified");
    ASSIGN(auto found, or_refuse(call.kept().run({dag, run})));
    if (!found)
      return refuse(404,
                    "DagRun with dag_id: `" + dag + "` and run_id: `" + run + "` was not found");
    return std::vector<sched::Run>{std::move(*found)};
  }
  if (dag != "~" && !Catalog(call.workflows).find(dag))
    return refuse(404, "The Dag with ID: `" + dag + "` was not found");
  return runs_between(call, dag == "~" ? "" : dag, std::nullopt, std::nullopt);
}

/// Every try that is over, and the one that is now.
std::vector<metadata::Try> tries_of(const sched::TaskInstance& task,
                                    std::vector<metadata::Try> tries) {
  const bool there = std::ranges::any_of(
      tries, [&](const metadata::Try& one) { return one.number == task.try_number; });
  if (!there && task.state != sched::TaskState::kUpForRetry)
    tries.push_back({.task = task.id,
                     .number = task.try_number,
                     .state = task.state,
                     .started_at = task.started_at,
                     .ended_at = task.ended_at,
                     .pid = 0,
                     .why = {}});
  for (auto& one : tries) {
    if (one.number == task.try_number && task.state != sched::TaskState::kUpForRetry)
      one.state = task.state;
  }
  return tries;
}

Answer<Reply> tries_reply(Call& call, int map_index) {
  ASSIGN(const auto found, find_task(call, map_index, no_instance(call, map_index)));
  ASSIGN(auto tries, or_refuse(call.kept().tries(found.task.id)));
  Catalog catalog(call.workflows);
  Json list = Json::array();
  for (const auto& one : tries_of(found.task, std::move(tries)))
    list.push_back(try_json(one, found.task, catalog));
  const auto total = list.size();
  return Reply(Json{{"task_instances", std::move(list)}, {"total_entries", total}});
}

Answer<Reply> try_reply(Call& call, int map_index, int number) {
  const std::string missing = "The Task Instance with " + names_of(call) + ", task_id: `" +
                              call.at(2) + "`, try_number: `" + std::to_string(number) +
                              "` and map_index: `" + std::to_string(map_index) + "` was not found";
  ASSIGN(const auto found, find_task(call, map_index, missing));
  ASSIGN(auto tries, or_refuse(call.kept().tries(found.task.id)));
  Catalog catalog(call.workflows);
  for (const auto& one : tries_of(found.task, std::move(tries))) {
    if (one.number == number) return Reply(try_json(one, found.task, catalog));
  }
  return refuse(404, missing);
}

Answer<Reply> dependencies_reply(Call& call, int map_index) {
  ASSIGN(const auto found,
         find_task(call, map_index,
                   "The Task Instance with " + names_of(call) + ", task_id: `" + call.at(2) +
                       "` and map_index: `" + std::to_string(map_index) + "` was not found"));
  Json list = Json::array();
  const auto state = found.task.state;
  if (state == sched::TaskState::kNone || state == sched::TaskState::kScheduled) {
    ASSIGN(const auto view, or_refuse(call.workflows.view(found.run->id)));
    for (std::size_t i = 0; i < view.tasks.size(); ++i) {
      if (view.tasks[i].id != found.task.id) continue;
      for (const auto& why : view.waits[i])
        list.push_back({{"name", "Task Instance State"}, {"reason", why}});
    }
  }
  return Reply(Json{{"dependencies", std::move(list)}});
}

Answer<Change> change_of(const Call& call) {
  ASSIGN(Body body, call.body());
  const Change change = read_change(body, call.parameters().texts("update_mask"));
  TRY(body.check());
  return change;
}

Answer<std::vector<FoundTask>> again(const Call& call, std::vector<FoundTask> found) {
  for (auto& one : found) {
    ASSIGN(const auto tasks, or_refuse(call.kept().tasks(one.task.id.run)));
    const auto at = std::ranges::find(tasks, one.task.id, &sched::TaskInstance::id);
    if (at != tasks.end()) one.task = *at;
  }
  return found;
}

/// Of a task, one of its instances, or a group; `dry`: says which without setting them.
Answer<Reply> patch(Call& call, const std::set<std::string>& tasks, std::optional<int> map_index,
                    const std::string& already, bool dry) {
  ASSIGN(const auto change, change_of(call));
  Catalog catalog(call.workflows);
  ASSIGN(const auto run, run_at(call));
  ASSIGN(auto own, instances_of(call, {run}, [&](const sched::TaskInstance& task) {
           return tasks.contains(task.id.task) && (!map_index || task.id.map_index == *map_index);
         }));
  if (own.empty()) return refuse(404, already.empty() ? "" : "The Task Instance was not found");
  std::vector<FoundTask> found;
  if (change.state) {
    ASSIGN(found, instances_to_set(call, run, change, tasks, map_index, catalog));
  }
  if (dry) return Reply(instances_page(call, change.state ? found : own, catalog, true));
  if (change.state && found.empty())
    return refuse(409, already + std::string(sched::name(*change.state)) + " state");
  TRY(mark(call, change, found, own));
  ASSIGN(own, again(call, std::move(own)));
  return Reply(instances_page(call, own, catalog, true));
}

Answer<Reply> patch_task(Call& call, std::optional<int> map_index, bool dry) {
  const auto dag = Catalog(call.workflows).find(call.at(0));
  if (!dag) return refuse(404, "The Dag with ID: `" + call.at(0) + "` was not found");
  if (dag->find(call.at(2)) == nullptr)
    return refuse(404, "Task '" + call.at(2) + "' not found in Dag '" + call.at(0) + "'");
  ASSIGN(const auto run, or_refuse(call.kept().run({call.at(0), call.at(1)})));
  const std::string missing = "The Task Instance with " + names_of(call) + ", task_id: `" +
                              call.at(2) + "` and map_index: `" +
                              (map_index ? std::to_string(*map_index) : "None") + "` was not found";
  if (!run) return std::unexpected(Refusal{.status = 404, .detail = Json::array({missing})});
  if (map_index) {
    ASSIGN(const auto found, or_refuse(call.kept().tasks(run->id)));
    const bool there = std::ranges::any_of(found, [&](const sched::TaskInstance& task) {
      return task.id.task == call.at(2) && task.id.map_index == *map_index;
    });
    if (!there) return std::unexpected(Refusal{.status = 404, .detail = Json::array({missing})});
  }
  return patch(call, {call.at(2)}, map_index, "Task id " + call.at(2) + " is already in ", dry);
}

Answer<Reply> patch_group(Call& call, bool dry) {
  const auto dag = Catalog(call.workflows).find(call.at(0));
  if (!dag) return refuse(404, "The Dag with ID: `" + call.at(0) + "` was not found");
  const std::string& group = call.at(2);
  std::set<std::string> inside{group}, tasks;
  const auto at = std::ranges::find(dag->groups, group, &dags::Group::id);
  if (at == dag->groups.end())
    return refuse(404, "Task group '" + group + "' not found in DAG '" + call.at(0) + "'");
  for (std::size_t before = 0; before != inside.size();) {
    before = inside.size();
    for (const auto& one : dag->groups)
      if (inside.contains(one.parent)) inside.insert(one.id);
  }
  for (const auto& task : dag->tasks)
    if (inside.contains(task.group)) tasks.insert(task.id);
  ASSIGN(const auto run, or_refuse(call.kept().run({call.at(0), call.at(1)})));
  if (!run)
    return refuse(404, "No task instances found for task group '" + group + "' in dag run '" +
                           call.at(1) + "'");
  return patch(call, tasks, std::nullopt, "All task instances in the group are already in ", dry);
}

}  // namespace

Answer<Reply> list_task_instances(Call& call) {
  Parameters parameters = call.parameters();
  const auto limit = parameters.limit();
  ASSIGN(const auto offset, offset_of(call, parameters));
  const TaskQuery query = query_of(parameters);
  TRY(parameters.check());
  ASSIGN(auto runs, runs_meant(call));
  ASSIGN(auto found, find_rows(call, std::move(runs), query, offset, limit));
  return Reply(
      cursor_page("task_instances", std::move(found.rows), found.total, offset, limit, call));
}

Answer<Reply> list_task_instances_by_body(Call& call) {
  ASSIGN(Body body, call.body());
  const auto words = [&](const char* name) {
    return body.texts(name).value_or(std::vector<std::string>());
  };
  const auto dags = words("dag_ids");
  TaskQuery query;
  query.runs = words("dag_run_ids");
  query.tasks = words("task_ids");
  query.states = words("state");
  query.run_after = time_range(body, "run_after");
  query.logical_date = time_range(body, "logical_date");
  query.start_date = time_range(body, "start_date");
  query.end_date = time_range(body, "end_date");
  query.duration = number_range(body, "duration");
  query.pools = words("pool");
  query.queues = words("queue");
  (void)words("executor");
  const auto offset = body.number("page_offset", 0).value_or(0);
  const auto limit = body.number("page_limit", 0).value_or(100);
  if (const auto order = body.text("order_by")) query.order_by = {*order};
  TRY(body.check());
  std::vector<sched::Run> runs;
  const auto ids = dags.empty() ? std::vector<std::string>{""} : dags;
  for (const auto& dag : ids) {
    ASSIGN(auto some, runs_between(call, dag, std::nullopt, std::nullopt));
    runs.insert(runs.end(), some.begin(), some.end());
  }
  ASSIGN(auto found, find_rows(call, std::move(runs), query, offset, limit));
  return Reply(
      cursor_page("task_instances", std::move(found.rows), found.total, offset, limit, call));
}

Answer<Reply> get_task_instance(Call& call) {
  ASSIGN(const auto run, or_refuse(call.kept().run({call.at(0), call.at(1)})));
  std::vector<FoundTask> found;
  if (run) {
    ASSIGN(found, instances_of(call, {*run}, [&](const sched::TaskInstance& task) {
             return task.id.task == call.at(2);
           }));
  }
  if (found.empty())
    return refuse(404, "The Task Instance with " + names_of(call) + " and task_id: `" + call.at(2) +
                           "` was not found");
  if (found.front().task.id.map_index != -1)
    return refuse(404, "Task instance is mapped, add the map_index value to the URL");
  Catalog catalog(call.workflows);
  return Reply(instance_json(call, found.front(), catalog));
}

Answer<Reply> get_mapped_task_instance(Call& call) {
  ASSIGN(const int index, number_at(call, 3, "map_index"));
  ASSIGN(const auto found,
         find_task(call, index,
                   "The Mapped Task Instance with " + names_of(call) + ", task_id: `" + call.at(2) +
                       "`, and map_index: `" + call.at(3) + "` was not found"));
  Catalog catalog(call.workflows);
  return Reply(instance_json(call, found, catalog));
}

Answer<Reply> list_mapped(Call& call) {
  Parameters parameters = call.parameters();
  const auto limit = parameters.limit(), offset = parameters.offset();
  TaskQuery query = query_of(parameters);
  TRY(parameters.check());
  ASSIGN(const auto run, or_refuse(call.kept().run({call.at(0), call.at(1)})));
  std::vector<sched::Run> runs;
  bool mapped = false;
  if (run) {
    runs.push_back(*run);
    ASSIGN(const auto tasks, or_refuse(call.kept().tasks(run->id)));
    mapped = std::ranges::any_of(tasks, [&](const sched::TaskInstance& task) {
      return task.id.task == call.at(2) && task.id.map_index >= 0;
    });
  }
  Catalog catalog(call.workflows);
  const sched::Plan* plan = catalog.plan(call.at(0));
  if (plan == nullptr) return refuse(404, "The Dag with ID: `" + call.at(0) + "` was not found");
  if (!mapped) {
    const int task = plan->find(call.at(2));
    if (task < 0) return refuse(404, "Task id " + call.at(2) + " not found");
    if (!(*plan)[task].expands()) return refuse(404, "Task id " + call.at(2) + " is not mapped");
    runs.clear();
  }
  query.tasks = {call.at(2)};
  ASSIGN(auto found, find_rows(call, std::move(runs), query, offset, limit));
  return Reply(
      cursor_page("task_instances", std::move(found.rows), found.total, offset, limit, call));
}

Answer<Reply> task_tries(Call& call) {
  Parameters parameters = call.parameters();
  const auto index = parameters.number("map_index").value_or(-1);
  TRY(parameters.check());
  return tries_reply(call, static_cast<int>(index));
}
Answer<Reply> mapped_task_tries(Call& call) {
  ASSIGN(const int index, number_at(call, 3, "map_index"));
  return tries_reply(call, index);
}
Answer<Reply> task_try(Call& call) {
  Parameters parameters = call.parameters();
  const auto index = parameters.number("map_index").value_or(-1);
  TRY(parameters.check());
  ASSIGN(const int number, number_at(call, 3, "task_try_number"));
  return try_reply(call, static_cast<int>(index), number);
}
Answer<Reply> mapped_task_try(Call& call) {
  ASSIGN(const int index, number_at(call, 3, "map_index"));
  ASSIGN(const int number, number_at(call, 4, "task_try_number"));
  return try_reply(call, index, number);
}
Answer<Reply> task_dependencies(Call& call) {
  return dependencies_reply(call, -1);
}
Answer<Reply> mapped_task_dependencies(Call& call) {
  ASSIGN(const int index, number_at(call, 3, "map_index"));
  return dependencies_reply(call, index);
}

Answer<Reply> patch_task_instance(Call& call) {
  return patch_task(call, std::nullopt, false);
}
Answer<Reply> patch_mapped_task_instance(Call& call) {
  ASSIGN(const int index, number_at(call, 3, "map_index"));
  return patch_task(call, index, false);
}
Answer<Reply> patch_task_instance_dry_run(Call& call) {
  return patch_task(call, std::nullopt, true);
}
Answer<Reply> patch_mapped_task_instance_dry_run(Call& call) {
  ASSIGN(const int index, number_at(call, 3, "map_index"));
  return patch_task(call, index, true);
}
Answer<Reply> patch_task_group(Call& call) {
  return patch_group(call, false);
}
Answer<Reply> patch_task_group_dry_run(Call& call) {
  return patch_group(call, true);
}

}  // namespace tailrace::airflow
