// What is there beside DAGs: version, health, and what a project on one machine has none of.
#include <set>

#include "airflow/handlers.h"
#include "airflow/listing.h"
#include "airflow/models.h"

namespace tailrace::airflow {
namespace {

/// The release whose API this is.
constexpr const char* kVersion = "3.3.2";

Answer<Reply> empty(const char* name) {
  return Reply(Json{{name, Json::array()}, {"total_entries", 0}});
}

/// What is wrong with the files as they are now; the DAGs are those of before.
Json errors_json(Call& call) {
  const auto reading = call.workflows.last_reading();
  Json errors = Json::array();
  for (const auto& finding : reading.findings) {
    if (!finding.fatal) continue;
    errors.push_back({{"import_error_id", errors.size() + 1},
                      {"timestamp", time_json(reading.at)},
                      {"filename", finding.place.file},
                      {"bundle_name", "dags-folder"},
                      {"stack_trace", finding.text()}});
  }
  return errors;
}

}  // namespace

Answer<Reply> version(Call&) {
  return Reply(Json{{"version", kVersion}, {"git_version", nullptr}});
}

Answer<Reply> health(Call& call) {
  if (!call.workflows.trouble().empty()) {
    const auto unhealthy = [](const char* beat) {
      return Json{{"status", "unhealthy"}, {beat, nullptr}};
    };
    return Reply(Json{{"metadatabase", {{"status", "unhealthy"}}},
                      {"scheduler", unhealthy("latest_scheduler_heartbeat")},
                      {"triggerer", unhealthy("latest_triggerer_heartbeat")},
                      {"dag_processor", unhealthy("latest_dag_processor_heartbeat")}});
  }
  const auto beat = time_json(call.workflows.now());
  return Reply(Json{
      {"metadatabase", {{"status", "healthy"}}},
      {"scheduler", {{"status", "healthy"}, {"latest_scheduler_heartbeat", beat}}},
      {"triggerer", {{"status", "healthy"}, {"latest_triggerer_heartbeat", beat}}},
      {"dag_processor", {{"status", "healthy"}, {"latest_dag_processor_heartbeat", beat}}},
  });
}

/// What Airflow has processes for is this one program; each is there since it began.
Answer<Reply> list_jobs(Call& call) {
  Parameters parameters = call.parameters();
  const auto limit = parameters.limit(), offset = parameters.offset();
  const auto order = parameters.texts("order_by");
  const Range started = time_range(parameters, "start_date");
  const Range ended = time_range(parameters, "end_date");
  const std::string state = parameters.text("job_state"), type = parameters.text("job_type"),
                    host = parameters.text("hostname"),
                    executor = parameters.text("executor_class");
  const auto alive = parameters.flag("is_alive");
  TRY(parameters.check());
  std::vector<Json> rows;
  for (const char* one : {"SchedulerJob", "DagProcessorJob", "TriggererJob"}) {
    Json row = {{"id", rows.size() + 1},
                {"dag_id", nullptr},
                {"state", "running"},
                {"job_type", one},
                {"start_date", time_json(call.workflows.began())},
                {"end_date", nullptr},
                {"latest_heartbeat", time_json(call.workflows.now())},
                {"executor_class", "LocalExecutor"},
                {"hostname", host_name()},
                {"unixname", user_name()},
                {"dag_display_name", nullptr}};
    rows.push_back(std::move(row));
  }
  const auto is = [](const Json& value, const std::string& wanted) {
    return wanted.empty() || value == Json(wanted);
  };
  std::erase_if(rows, [&](const Json& row) {
    return !is(row["state"], state) || !is(row["job_type"], type) || !is(row["hostname"], host) ||
           !is(row["executor_class"], executor) || !started.holds(row["start_date"]) ||
           !ended.holds(row["end_date"]);
  });
  const auto total = static_cast<std::int64_t>(rows.size());
  if (alive == false) rows.clear();
  TRY(sort(rows, order,
           {.allowed = {"id", "dag_id", "state", "job_type", "start_date", "end_date",
                        "latest_heartbeat", "executor_class", "hostname", "unixname"}}));
  Json answer = page("jobs", std::move(rows), offset, limit);
  answer["total_entries"] = total;  // as Airflow counts: before it asks who is alive
  return Reply(std::move(answer));
}
Answer<Reply> no_plugins(Call&) {
  return empty("plugins");
}
Answer<Reply> no_plugin_errors(Call&) {
  return empty("import_errors");
}
Answer<Reply> providers(Call&) {
  return empty("providers");
}
/// Of the kinds that Airflow tells of, the one that can be here: tasks in pools that there are not.
Answer<Reply> dag_warnings(Call& call) {
  Parameters parameters = call.parameters();
  const auto limit = parameters.limit(), offset = parameters.offset();
  const auto wanted = parameters.text("dag_id");
  const auto type = parameters.one_of(
      "warning_type", {"asset conflict", "non-existent pool", "runtime varying value"});
  const auto order = parameters.texts("order_by");
  TRY(parameters.check());
  std::set<std::string> pools;
  for (const auto& pool : call.workflows.pools()) pools.insert(pool.name);
  const Catalog catalog(call.workflows);
  std::vector<Json> rows;
  for (const auto& dag : catalog.dags()) {
    std::set<std::string> missing;
    for (const auto& task : dag->tasks)
      if (!pools.contains(task.pool)) missing.insert(task.pool);
    const bool asked =
        (wanted.empty() || wanted == dag->id) && (!type || *type == "non-existent pool");
    if (missing.empty() || !asked) continue;
    std::string names;
    for (const auto& name : missing) names += (names.empty() ? "'" : ", '") + name + "'";
    rows.push_back(
        {{"dag_id", dag->id},
         {"warning_type", "non-existent pool"},
         {"message", "Dag '" + dag->id + "' references non-existent pools: [" + names + "]"},
         {"timestamp", time_json(catalog.read_at())},
         {"dag_display_name", catalog.display_name(dag->id)}});
  }
  TRY(sort(rows, order, {.allowed = {"dag_id", "warning_type", "message", "timestamp"}}));
  return Reply(page("dag_warnings", std::move(rows), offset, limit));
}

Answer<Reply> import_errors(Call& call) {
  Json errors = errors_json(call);
  const auto total = errors.size();
  return Reply(Json{{"import_errors", std::move(errors)}, {"total_entries", total}});
}

Answer<Reply> import_error(Call& call) {
  for (const Json& one : errors_json(call)) {
    if (one["import_error_id"].dump() == call.at(0)) return Reply(one);
  }
  return refuse(404, "The ImportError with import_error_id: `" + call.at(0) + "` was not found");
}

/// As Airflow answers unless `expose_config` is set: a project's settings may hold secrets.
Answer<Reply> hidden_config(Call&) {
  return refuse(403,
                "Your Airflow administrator chose not to expose the configuration, most likely for "
                "security reasons.");
}

}  // namespace tailrace::airflow
