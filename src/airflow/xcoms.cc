// What tasks left for each other.
#include <algorithm>

#include "airflow/clearing.h"
#include "airflow/handlers.h"
#include "airflow/listing.h"
#include "airflow/runs.h"

namespace tailrace::airflow {
namespace {

/// The key may hold "/": what is left of the path.
Json entry_json(const FoundTask& found, const std::string& key, const Catalog& catalog) {
  const sched::TaskId& id = found.task.id;
  const auto dag = catalog.find(id.run.dag);
  const dags::Task* task = dag ? dag->find(id.task) : nullptr;
  const bool shown = task != nullptr && !task->task_display_name.empty();
  // When it was written is not kept; it was while its try ran.
  const auto time = found.task.ended_at     ? found.task.ended_at
                    : found.task.started_at ? found.task.started_at
                                            : std::optional(found.run->run_after);
  return {{"key", key},
          {"timestamp", time_json(time)},
          {"logical_date", time_json(found.run->logical_date)},
          {"map_index", id.map_index},
          {"task_id", id.task},
          {"dag_id", id.run.dag},
          {"run_id", id.run.run},
          {"dag_display_name", catalog.display_name(id.run.dag)},
          {"task_display_name", shown ? task->task_display_name : id.task},
          {"run_after", time_json(found.run->run_after)}};
}

Answer<FoundTask> instance(const Call& call, int map_index, const std::string& missing) {
  ASSIGN(auto run, or_refuse(call.kept().run({call.at(0), call.at(1)})));
  if (!run) return refuse(404, missing);
  ASSIGN(const auto found, instances_of(call, {*run}, [&](const sched::TaskInstance& task) {
           return task.id.task == call.at(2) && task.id.map_index == map_index;
         }));
  if (found.empty()) return refuse(404, missing);
  return found.front();
}

Answer<bool> has_key(const Call& call, const sched::TaskId& task, const std::string& key) {
  ASSIGN(const auto keys, or_refuse(call.kept().xcom_keys(task)));
  return std::ranges::find(keys, key) != keys.end();
}

/// That which has an XCom of the key, to be changed.
Answer<FoundTask> instance_with(const Call& call, int map_index, const std::string& key) {
  const std::string missing =
      "The XCom with key: `" + key + "` with mentioned task instance doesn't exist.";
  ASSIGN(auto found, instance(call, map_index, missing));
  ASSIGN(const bool there, has_key(call, found.task.id, key));
  if (!there) return refuse(404, missing);
  return found;
}

}  // namespace

Answer<Reply> list_xcoms(Call& call) {
  Parameters parameters = call.parameters();
  const auto limit = parameters.limit(), offset = parameters.offset();
  const auto index = parameters.number("map_index", -1);
  const Range run_after = time_range(parameters, "run_after");
  const Range logical_date = time_range(parameters, "logical_date");
  TRY(parameters.check());
  const std::string dag = call.at(0) == "~" ? "" : call.at(0);
  std::vector<sched::Run> runs;
  if (call.at(1) == "~") {
    ASSIGN(runs, runs_between(call, dag, std::nullopt, std::nullopt));
  } else {
    ASSIGN(auto run, or_refuse(call.kept().run({dag, call.at(1)})));
    if (run) runs.push_back(std::move(*run));
  }
  ASSIGN(const auto found, instances_of(call, runs, [&](const sched::TaskInstance& task) {
           return (call.at(2) == "~" || task.id.task == call.at(2)) &&
                  (!index || task.id.map_index == *index);
         }));
  const Catalog catalog(call.workflows);
  const std::string key = parameters.text("xcom_key"),
                    pattern = parameters.text("xcom_key_pattern");
  std::vector<Json> rows;
  for (const auto& one : found) {
    ASSIGN(const auto keys, or_refuse(call.kept().xcom_keys(one.task.id)));
    for (const auto& name : keys) {
      if ((!key.empty() && name != key) || (!pattern.empty() && !matches_pattern(name, pattern)))
        continue;
      Json row = entry_json(one, name, catalog);
      if (run_after.holds(row["run_after"]) && logical_date.holds(row["logical_date"]))
        rows.push_back(std::move(row));
    }
  }
  auto order = parameters.texts("order_by");
  if (order.empty()) order = {"dag_id", "task_id", "run_id", "map_index", "key"};
  TRY(sort(
      rows, order,
      {.allowed = {"key", "dag_id", "run_id", "task_id", "map_index", "timestamp", "run_after"}}));
  return Reply(page("xcom_entries", std::move(rows), offset, limit));
}

Answer<Reply> get_xcom(Call& call) {
  Parameters parameters = call.parameters();
  const auto index = static_cast<int>(parameters.number("map_index", -1).value_or(-1));
  const bool text = parameters.flag("stringify").value_or(false);
  (void)parameters.flag("deserialize");
  TRY(parameters.check());
  const std::string& key = call.at(3);
  const std::string missing = "XCom entry with key: `" + key + "` not found";
  ASSIGN(const auto found, instance(call, index, missing));
  ASSIGN(const bool there, has_key(call, found.task.id, key));
  if (!there) return refuse(404, missing);
  ASSIGN(const auto value, or_refuse(call.kept().xcom(found.task.id, key)));
  Json json = entry_json(found, key, Catalog(call.workflows));
  const jinja::Value given = value.value_or(jinja::Value());
  json["value"] = !text || given.is_none() ? value_json(given) : Json(given.text());
  return Reply(std::move(json));
}

Answer<Reply> create_xcom(Call& call) {
  ASSIGN(Body body, call.body());
  body.required("key");
  const std::string key = body.text("key").value_or("");
  body.required("value");
  const Json value = body.any("value").value_or(Json(nullptr));
  const auto index = static_cast<int>(body.number("map_index", -1).value_or(-1));
  TRY(body.check());
  const Catalog catalog(call.workflows);
  const auto dag = catalog.find(call.at(0));
  if (!dag) return refuse(404, "The Dag with ID: `" + call.at(0) + "` was not found");
  if (dag->find(call.at(2)) == nullptr)
    return refuse(404, "Task with ID: `" + call.at(2) + "` not found in dag: `" + call.at(0) + "`");
  const std::string missing =
      "Dag Run with ID: `" + call.at(1) + "` not found for dag: `" + call.at(0) + "`";
  ASSIGN(const auto found, instance(call, index, missing));
  ASSIGN(const bool there, has_key(call, found.task.id, key));
  if (there)
    return refuse(409,
                  "The XCom with key: `" + key + "` with mentioned task instance already exists.");
  TRY(or_refuse(call.kept().put_xcom(found.task.id, key, json_value(value))));
  Json json = entry_json(found, key, catalog);
  json["value"] = value;
  return Reply(201, std::move(json));
}

Answer<Reply> update_xcom(Call& call) {
  ASSIGN(Body body, call.body());
  body.required("value");
  const Json value = body.any("value").value_or(Json(nullptr));
  const auto index = static_cast<int>(body.number("map_index", -1).value_or(-1));
  TRY(body.check());
  const std::string& key = call.at(3);
  ASSIGN(const auto found, instance_with(call, index, key));
  TRY(or_refuse(call.kept().put_xcom(found.task.id, key, json_value(value))));
  Json json = entry_json(found, key, Catalog(call.workflows));
  json["value"] = value;
  return Reply(std::move(json));
}

Answer<Reply> delete_xcom(Call& call) {
  Parameters parameters = call.parameters();
  const auto index = static_cast<int>(parameters.number("map_index", -1).value_or(-1));
  TRY(parameters.check());
  const std::string& key = call.at(3);
  ASSIGN(const auto found, instance_with(call, index, key));
  TRY(or_refuse(call.kept().drop_xcom(found.task.id, key)));
  return Reply::nothing();
}

}  // namespace tailrace::airflow
