// JSON by nlohmann/json.
#include "console/workflows_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "dags/task_fields.h"

namespace tailrace::console {
namespace {

using Json = nlohmann::ordered_json;
using sched::Micros;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::int64_t ms(std::optional<Micros> at) {
  return at ? *at / 1000 : 0;
}

/// A value as its JSON; what JSON cannot say as its text.
Json value_json(const jinja::Value& value) {
  if (const auto text = jinja::to_json(value)) {
    auto parsed = Json::parse(*text, nullptr, false);
    if (!parsed.is_discarded()) return parsed;
  }
  return value.text();
}

Json run_json(const sched::Run& run) {
  return {{"run_id", run.id.run},
          {"number", run.number},
          {"state", sched::name(run.state)},
          {"type", sched::name(run.type)},
          {"logical_ms", ms(run.logical_date)},
          {"interval_start_ms", run.interval ? run.interval->start / 1000 : 0},
          {"interval_end_ms", run.interval ? run.interval->end / 1000 : 0},
          {"run_after_ms", run.run_after / 1000},
          {"queued_ms", run.queued_at / 1000},
          {"started_ms", ms(run.started_at)},
          {"ended_ms", ms(run.ended_at)},
          {"conf", value_json(run.conf)},
          {"note", run.note},
          {"triggered_by", sched::way_of(run)},
          {"backfill", run.backfill}};
}

Json dag_json(const ListedDag& listed) {
  const dags::Dag& dag = *listed.dag;
  Json runs = Json::array();
  for (const auto& run : listed.runs) runs.push_back(run_json(run));
  const bool by_itself = !std::holds_alternative<calendar::NoTimetable>(dag.timetable.kind());
  return {{"name", dag.id},
          {"title", dag.display_name.empty() ? dag.id : dag.display_name},
          {"description", dag.description},
          {"doc", dag.doc_md},
          {"tags", dag.tags},
          {"owners", dag.owners},
          {"file", dag.place.text()},
          {"schedule", by_itself || dag.assets ? dag.timetable_summary : ""},
          {"schedule_words", by_itself ? dag.timetable.description() : ""},
          {"assets", dag.assets ? expression_of(*dag.assets) : ""},
          {"paused", listed.row.paused},
          {"next_run_ms", listed.row.next ? listed.row.next->run_after / 1000 : 0},
          {"tasks", dag.tasks.size()},
          {"max_active_runs", dag.max_active_runs},
          {"runs", std::move(runs)}};
}

/// `BashOperator` of a dotted path, `@task.branch` of a decorator.
std::string operator_of(const dags::Task& task) {
  if (task.operator_path.empty()) {
    const std::string_view sdk = "airflow.sdk.";
    const std::string& path = task.decorator_path;
    return "@" + (path.starts_with(sdk) ? path.substr(sdk.size()) : path);
  }
  return task.operator_path.substr(task.operator_path.rfind('.') + 1);
}

const dags::Group* group_of(const dags::Dag& dag, const std::string& id) {
  const auto found = std::ranges::find(dag.groups, id, &dags::Group::id);
  return found == dag.groups.end() ? nullptr : &*found;
}

bool is_mapped(const dags::Dag& dag, const dags::Task& task) {
  if (task.expansion) return true;
  for (const auto* group = group_of(dag, task.group); group != nullptr;
       group = group_of(dag, group->parent)) {
    if (group->expansion) return true;
  }
  return false;
}

Json task_json(const dags::Dag& dag, const dags::Task& task) {
  Json outlets = Json::array();
  for (const auto& outlet : task.outlets) outlets.push_back(outlet.uri);
  return {{"name", task.id},
          {"title", task.task_display_name.empty() ? task.id : task.task_display_name},
          {"group", task.group},
          {"operator", operator_of(task)},
          {"doc", task.doc_md},
          {"mapped", is_mapped(dag, task)},
          {"setup", task.is_setup},
          {"teardown", task.is_teardown},
          {"trigger_rule", dags::name(task.trigger_rule)},
          {"retries", task.retries},
          {"pool", task.pool},
          {"downstream", task.downstream},
          {"outlets", std::move(outlets)}};
}

struct Cell {
  std::map<std::string, int> states;
  int tries = 0;
  Micros started = 0, ended = 0;
  bool over = true;
};

/// What a run's instances of each task are, together.
Json cells_json(const std::vector<sched::TaskInstance>& tasks) {
  std::map<std::string, Cell> cells;
  for (const auto& task : tasks) {
    Cell& cell = cells[task.id.task];
    ++cell.states[std::string(sched::name(task.state))];
    cell.tries = std::max(cell.tries, task.try_number);
    if (task.started_at && (cell.started == 0 || *task.started_at < cell.started))
      cell.started = *task.started_at;
    cell.ended = std::max(cell.ended, task.ended_at.value_or(0));
    cell.over = cell.over && sched::is_finished(task.state);
  }
  Json out = Json::object();
  for (const auto& [name, cell] : cells) {
    out[name] = {{"states", cell.states},
                 {"tries", cell.tries},
                 {"started_ms", cell.started / 1000},
                 {"ended_ms", cell.over ? cell.ended / 1000 : 0}};
  }
  return out;
}

Json instance_json(const sched::TaskInstance& task, const std::vector<std::string>& waits,
                   const std::vector<metadata::Try>& tries) {
  Json told = Json::array();
  for (const auto& one : tries)
    told.push_back({{"number", one.number},
                    {"state", sched::name(one.state)},
                    {"started_ms", ms(one.started_at)},
                    {"ended_ms", ms(one.ended_at)},
                    {"why", one.why}});
  return {{"task", task.id.task},
          {"map_index", task.id.map_index},
          {"state", sched::name(task.state)},
          {"try_number", task.try_number},
          {"max_tries", task.max_tries},
          {"scheduled_ms", ms(task.scheduled_at)},
          {"queued_ms", ms(task.queued_at)},
          {"started_ms", ms(task.started_at)},
          {"ended_ms", ms(task.ended_at)},
          {"next_ms", ms(task.next_at)},
          {"note", task.note},
          {"waits", waits},
          {"tries", std::move(told)}};
}

}  // namespace

std::string expression_of(const dags::AssetCondition& condition) {
  using Kind = dags::AssetCondition::Kind;
  switch (condition.kind) {
    case Kind::kAsset:
    case Kind::kReference:
      return condition.asset.uri.empty() ? condition.asset.name : condition.asset.uri;
    case Kind::kAlias:
      return "alias " + condition.alias;
    case Kind::kAll:
    case Kind::kAny:
      break;
  }
  std::string text;
  for (const auto& part : condition.parts) {
    const bool nested = part.parts.size() > 1;
    if (!text.empty()) text += condition.kind == Kind::kAll ? " & " : " | ";
    text += nested ? "(" + expression_of(part) + ")" : expression_of(part);
  }
  return text;
}

std::string dag_list_json(const DagList& list) {
  Json dags = Json::array();
  for (const auto& one : list.dags) dags.push_back(dag_json(one));
  return dump({{"dags", std::move(dags)}, {"total", list.total}, {"tags", list.tags}});
}

std::string dag_grid_json(const DagGrid& grid) {
  const dags::Dag& dag = *grid.dag.dag;
  Json tasks = Json::array();
  for (const int place : dag.topological_order)
    tasks.push_back(task_json(dag, dag.tasks[static_cast<std::size_t>(place)]));
  Json groups = Json::array();
  for (const auto& group : dag.groups)
    groups.push_back({{"name", group.id},
                      {"parent", group.parent},
                      {"title", group.display_name.empty() ? group.id : group.display_name},
                      {"tooltip", group.tooltip},
                      {"mapped", group.expansion.has_value()}});
  Json columns = Json::array();
  for (const auto& column : grid.columns)
    columns.push_back({{"run", run_json(column.run)}, {"cells", cells_json(column.tasks)}});
  return dump({{"dag", dag_json(grid.dag)},
               {"tasks", std::move(tasks)},
               {"groups", std::move(groups)},
               {"columns", std::move(columns)},
               {"total", grid.total}});
}

std::string run_detail_json(const RunDetail& detail) {
  const auto& view = detail.view;
  Json instances = Json::array();
  for (std::size_t i = 0; i < view.tasks.size(); ++i)
    instances.push_back(instance_json(view.tasks[i], view.waits[i], detail.tries[i]));
  return dump({{"run", run_json(view.run)}, {"instances", std::move(instances)}});
}

}  // namespace tailrace::console
