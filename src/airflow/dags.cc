// DAGs as their files have them, with what is kept beside: paused, the next run, the last one.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "airflow/handlers.h"
#include "airflow/listing.h"
#include "airflow/models.h"
#include "airflow/runs.h"

namespace tailrace::airflow {
namespace {

using DagPtr = std::shared_ptr<const dags::Dag>;

constexpr std::size_t kMostSource = 16 << 20;

/// What `order_by` and the filters of a list need of a DAG beside its answer.
struct LastRun {
  Json state, start_date, end_date;
};

Answer<LastRun> last_run(Call& call, const std::string& dag) {
  ASSIGN(const auto page, or_refuse(call.kept().runs({.dag = dag, .limit = 1})));
  if (page.runs.empty()) return LastRun{};
  const sched::Run& run = page.runs.front();
  return LastRun{.state = sched::name(run.state),
                 .start_date = time_json(run.started_at),
                 .end_date = time_json(run.ended_at)};
}

bool has_any(const std::vector<std::string>& have, const std::vector<std::string>& wanted) {
  return std::ranges::any_of(
      wanted, [&](const std::string& one) { return std::ranges::find(have, one) != have.end(); });
}

bool has_all(const std::vector<std::string>& have, const std::vector<std::string>& wanted) {
  return std::ranges::all_of(
      wanted, [&](const std::string& one) { return std::ranges::find(have, one) != have.end(); });
}

/// The DAGs that the filters of GET /dags and PATCH /dags leave.
Answer<std::vector<DagPtr>> filtered(const Parameters& given, const Catalog& catalog,
                                     std::optional<bool> paused) {
  std::vector<DagPtr> found;
  for (const auto& dag : catalog.dags()) {
    const std::string name = catalog.display_name(dag->id);
    const bool fits =
        (!given.has("dag_id_pattern") || matches_pattern(dag->id, given.text("dag_id_pattern"))) &&
        dag->id.starts_with(given.text("dag_id_prefix_pattern")) &&
        (!given.has("dag_display_name_pattern") ||
         matches_pattern(name, given.text("dag_display_name_pattern"))) &&
        name.starts_with(given.text("dag_display_name_prefix_pattern")) &&
        (!paused || catalog.row(dag->id).paused == *paused);
    if (!fits) continue;
    const auto tags = given.texts("tags");
    const bool all = given.text("tags_match_mode") == "all";
    if (!tags.empty() && !(all ? has_all(dag->tags, tags) : has_any(dag->tags, tags))) continue;
    const auto owners = given.texts("owners");
    if (!owners.empty() && !has_any(dag->owners, owners)) continue;
    if (given.has("has_asset_schedule") &&
        dag->assets.has_value() != (given.text("has_asset_schedule") == "true"))
      continue;
    found.push_back(dag);
  }
  return found;
}

Answer<DagPtr> dag_at(const Call& call, const Catalog& catalog) {
  auto dag = catalog.find(call.at(0));
  if (!dag) return refuse(404, "The Dag with ID: `" + call.at(0) + "` was not found");
  return dag;
}

Answer<void> only_paused(const Parameters& parameters) {
  const auto mask = parameters.texts("update_mask");
  if (!mask.empty() && mask != std::vector<std::string>{"is_paused"})
    return refuse(400, "Only `is_paused` field can be updated through the REST API");
  return {};
}

Answer<bool> paused_of(Call& call) {
  ASSIGN(Body body, call.body());
  body.required("is_paused");
  const auto paused = body.flag("is_paused");
  TRY(body.check());
  return paused.value_or(false);
}

Json condition_json(const dags::AssetCondition& condition) {
  using Kind = dags::AssetCondition::Kind;
  switch (condition.kind) {
    case Kind::kAsset:
      return {{"asset",
               {{"uri", condition.asset.uri},
                {"name", condition.asset.name},
                {"group", condition.asset.group.empty() ? "asset" : condition.asset.group},
                {"id", asset_id(condition.asset)}}}};
    case Kind::kReference:
      return {{"asset_ref", {{"name", condition.asset.name}, {"uri", condition.asset.uri}}}};
    case Kind::kAlias:
      return {{"alias", {{"name", condition.alias}, {"group", "asset"}}}};
    case Kind::kAll:
    case Kind::kAny:
      break;
  }
  Json parts = Json::array();
  for (const auto& part : condition.parts) parts.push_back(condition_json(part));
  return {{condition.kind == Kind::kAll ? "all" : "any", std::move(parts)}};
}

std::string zone_of(const dags::Dag& dag) {
  const auto& kind = dag.timetable.kind();
  if (const auto* cron = std::get_if<calendar::CronTrigger>(&kind))
    return std::string(cron->zone.name());
  if (const auto* cron = std::get_if<calendar::CronInterval>(&kind))
    return std::string(cron->zone.name());
  return "UTC";
}

}  // namespace

Answer<Reply> list_dags(Call& call) {
  Parameters parameters = call.parameters();
  const auto limit = parameters.limit(), offset = parameters.offset();
  const auto paused = parameters.flag("paused");
  const Range start = time_range(parameters, "dag_run_start_date");
  const Range end = time_range(parameters, "dag_run_end_date");
  const auto states = parameters.texts("dag_run_state");
  TRY(parameters.check());
  const Catalog catalog(call.workflows);
  ASSIGN(const auto found, filtered(parameters, catalog, paused));
  const auto order = parameters.texts("order_by");
  const bool asks_runs =
      start.any() || end.any() || !states.empty() || parameters.has("last_dag_run_state") ||
      std::ranges::any_of(order, [](const std::string& one) { return one.contains("last_run"); });
  std::vector<Json> rows;
  for (const auto& dag : found) {
    Json row = dag_json(*dag, catalog);
    if (asks_runs) {
      ASSIGN(const auto last, last_run(call, dag->id));
      const auto state = parameters.texts("last_dag_run_state");
      if (!is_one_of(last.state, states) || !is_one_of(last.state, state) ||
          !start.holds(last.start_date) || !end.holds(last.end_date))
        continue;
      row[" state"] = last.state;
      row[" start"] = last.start_date;
    }
    rows.push_back(std::move(row));
  }
  const Sorting sorting{.allowed = {"dag_id", "dag_display_name", "next_dagrun", "state",
                                    "start_date", "last_run_state", "last_run_start_date"},
                        .members = {{"next_dagrun", "next_dagrun_logical_date"},
                                    {"state", " state"},
                                    {"start_date", " start"},
                                    {"last_run_state", " state"},
                                    {"last_run_start_date", " start"}}};
  TRY(sort(rows, order.empty() ? std::vector<std::string>{"dag_id"} : order, sorting));
  for (Json& row : rows) {
    row.erase(" state");
    row.erase(" start");
  }
  return Reply(page("dags", std::move(rows), offset, limit));
}

Answer<Reply> get_dag(Call& call) {
  const Catalog catalog(call.workflows);
  ASSIGN(const auto dag, dag_at(call, catalog));
  return Reply(dag_json(*dag, catalog));
}

Answer<Reply> dag_details(Call& call) {
  const Catalog catalog(call.workflows);
  ASSIGN(const auto dag, dag_at(call, catalog));
  ASSIGN(const auto running,
         or_refuse(call.kept().runs(
             {.dag = dag->id, .states = {sched::RunState::kRunning}, .limit = 0})));
  Json json = dag_json(*dag, catalog);
  const bool listens = dag->assets.has_value();
  json["catchup"] = dag->catchup;
  json["dag_run_timeout"] =
      dag->dagrun_timeout ? Json(iso_duration(*dag->dagrun_timeout)) : Json(nullptr);
  json["asset_expression"] = listens ? condition_json(*dag->assets) : Json(nullptr);
  json["doc_md"] = text_or_null(dag->doc_md);
  json["start_date"] = time_json(dag->start_date);
  json["end_date"] = time_json(dag->end_date);
  json["is_paused_upon_creation"] =
      dag->paused_upon_creation ? Json(*dag->paused_upon_creation) : Json(nullptr);
  json["params"] = params_json(dag->params, nullptr);
  json["render_template_as_native_obj"] = dag->render_native;
  json["template_search_path"] = nullptr;
  json["timezone"] = zone_of(*dag);
  json["last_parsed"] = time_json(catalog.read_at());
  json["default_args"] = Json::object();
  json["rerun_with_latest_version"] = nullptr;
  json["owner_links"] = Json::object();
  for (const auto& [owner, link] : dag->owner_links) json["owner_links"][owner] = link;
  json["is_favorite"] = false;
  json["active_runs_count"] = running.total;
  json["concurrency"] = dag->max_active_tasks;
  json["latest_dag_version"] = dag_version_json(*dag, catalog);
  return Reply(std::move(json));
}

Answer<Reply> patch_dag(Call& call) {
  TRY(only_paused(call.parameters()));
  ASSIGN(const bool paused, paused_of(call));
  if (!Catalog(call.workflows).find(call.at(0)))
    return refuse(404, "Dag with id: " + call.at(0) + " was not found");
  TRY(or_refuse(call.workflows.handle(sched::Pause{.dag = call.at(0), .paused = paused})));
  const Catalog catalog(call.workflows);
  ASSIGN(const auto dag, dag_at(call, catalog));
  return Reply(dag_json(*dag, catalog));
}

/// Without a pattern of ids none is meant.
Answer<Reply> patch_dags(Call& call) {
  Parameters parameters = call.parameters();
  TRY(only_paused(parameters));
  const auto limit = parameters.limit(), offset = parameters.offset();
  const auto were_paused = parameters.flag("paused");
  TRY(parameters.check());
  ASSIGN(const bool paused, paused_of(call));
  const bool named = parameters.has("dag_id_pattern") || parameters.has("dag_id_prefix_pattern");
  std::vector<DagPtr> found;
  if (named) {
    const Catalog before(call.workflows);
    ASSIGN(found, filtered(parameters, before, were_paused));
  }
  for (const auto& dag : found)
    TRY(or_refuse(call.workflows.handle(sched::Pause{.dag = dag->id, .paused = paused})));
  const Catalog catalog(call.workflows);
  std::vector<Json> rows;
  for (const auto& dag : found) rows.push_back(dag_json(*dag, catalog));
  return Reply(page("dags", std::move(rows), offset, limit));
}

/// All that is kept of it goes; the DAG is there again when its file is read again.
Answer<Reply> delete_dag(Call& call) {
  const std::string& id = call.at(0);
  if (!Catalog(call.workflows).find(id))
    return refuse(404, "Dag with id: " + id + " was not found");
  const auto gone = call.workflows.forget(id);
  if (!gone && gone.error().code == Code::kFailedPrecondition)
    return refuse(409, "Task instances of dag with id: '" + id + "' are still running");
  TRY(or_refuse(gone));
  return Reply::nothing();
}

/// All files are read; what is wrong with them is among the import errors.
Answer<Reply> parse_dag_file(Call& call) {
  const Catalog catalog(call.workflows);
  for (const auto& dag : catalog.dags()) {
    if (dag_json(*dag, catalog)["file_token"] != call.at(0)) continue;
    (void)call.workflows.reload();
    return Reply(201, nullptr);
  }
  return refuse(404, "File not found");
}

Answer<Reply> dag_tags(Call& call) {
  Parameters parameters = call.parameters();
  const auto limit = parameters.limit(), offset = parameters.offset();
  TRY(parameters.check());
  std::set<std::string> names;
  for (const auto& dag : call.workflows.dags()) {
    for (const auto& tag : dag->tags) {
      if (!parameters.has("tag_name_pattern") ||
          matches_pattern(tag, parameters.text("tag_name_pattern")))
        names.insert(tag);
    }
  }
  std::vector<Json> rows(names.begin(), names.end());
  if (parameters.text("order_by") == "-name") std::ranges::reverse(rows);
  return Reply(page("tags", std::move(rows), offset, limit));
}

Answer<Reply> dag_source(Call& call) {
  Parameters parameters = call.parameters();
  const auto version = parameters.number("version_number");
  TRY(parameters.check());
  const Catalog catalog(call.workflows);
  const auto dag = catalog.find(call.at(0));
  if (!dag || (version && *version != 1))
    return refuse(404, "The source code of the Dag " + call.at(0) + ", version_number " +
                           (version ? std::to_string(*version) : "None") + " was not found");
  std::ifstream in(dag->place.file, std::ios::binary);
  std::string text(kMostSource, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (call.request.header("accept").starts_with("text/plain"))
    return Reply(net::Response{
        .status = 200, .content_type = "text/plain; charset=utf-8", .headers = {}, .body = text});
  return Reply(Json{{"content", text},
                    {"dag_id", dag->id},
                    {"version_number", 1},
                    {"dag_display_name", catalog.display_name(dag->id)}});
}

Answer<Reply> dag_versions(Call& call) {
  Parameters parameters = call.parameters();
  const auto limit = parameters.limit(), offset = parameters.offset();
  const auto number = parameters.number("version_number");
  TRY(parameters.check());
  const Catalog catalog(call.workflows);
  if (call.at(0) != "~") TRY(dag_at(call, catalog));
  std::vector<Json> rows;
  for (const auto& dag : catalog.dags()) {
    if ((call.at(0) == "~" || dag->id == call.at(0)) && number.value_or(1) == 1)
      rows.push_back(dag_version_json(*dag, catalog));
  }
  return Reply(page("dag_versions", std::move(rows), offset, limit));
}

Answer<Reply> dag_version(Call& call) {
  const Catalog catalog(call.workflows);
  const auto dag = catalog.find(call.at(0));
  if (!dag || call.at(1) != "1")
    return refuse(404, "The DagVersion with dag_id: `" + call.at(0) + "` and version_number: `" +
                           call.at(1) + "` was not found");
  return Reply(dag_version_json(*dag, catalog));
}

Answer<Reply> dag_stats(Call& call) {
  const auto wanted = call.parameters().texts("dag_ids");
  const Catalog catalog(call.workflows);
  Json list = Json::array();
  for (const auto& dag : catalog.dags()) {
    if (!is_one_of(dag->id, wanted)) continue;
    Json stats = Json::array();
    std::int64_t all = 0;
    for (const auto state : {sched::RunState::kQueued, sched::RunState::kRunning,
                             sched::RunState::kSuccess, sched::RunState::kFailed}) {
      ASSIGN(const auto runs,
             or_refuse(call.kept().runs({.dag = dag->id, .states = {state}, .limit = 0})));
      all += runs.total;
      stats.push_back({{"state", sched::name(state)}, {"count", runs.total}});
    }
    if (all > 0)
      list.push_back({{"dag_id", dag->id},
                      {"dag_display_name", catalog.display_name(dag->id)},
                      {"stats", std::move(stats)}});
  }
  const auto total = list.size();
  return Reply(Json{{"dags", std::move(list)}, {"total_entries", total}});
}

Answer<Reply> list_tasks(Call& call) {
  Catalog catalog(call.workflows);
  ASSIGN(const auto dag, dag_at(call, catalog));
  std::vector<Json> rows;
  for (const auto& task : dag->tasks) rows.push_back(task_json(task, *dag, catalog));
  const Sorting sorting{.allowed = {"task_id",
                                    "task_display_name",
                                    "owner",
                                    "start_date",
                                    "end_date",
                                    "trigger_rule",
                                    "depends_on_past",
                                    "wait_for_downstream",
                                    "retries",
                                    "queue",
                                    "pool",
                                    "pool_slots",
                                    "execution_timeout",
                                    "retry_delay",
                                    "retry_exponential_backoff",
                                    "priority_weight",
                                    "weight_rule",
                                    "ui_color",
                                    "ui_fgcolor",
                                    "operator_name"},
                        .by_primary_key = false};
  TRY(sort(rows,
           {call.parameters().has("order_by") ? call.parameters().text("order_by") : "task_id"},
           sorting));
  const auto total = static_cast<std::int64_t>(rows.size());
  return Reply(page("tasks", std::move(rows), 0, total));
}

Answer<Reply> get_task(Call& call) {
  Catalog catalog(call.workflows);
  ASSIGN(const auto dag, dag_at(call, catalog));
  const dags::Task* task = dag->find(call.at(1));
  if (task == nullptr) return refuse(404, "Task with id " + call.at(1) + " was not found");
  return Reply(task_json(*task, *dag, catalog));
}

}  // namespace tailrace::airflow
