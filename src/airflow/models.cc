#include "airflow/models.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "airflow/secrets.h"
#include "dags/read.h"

namespace tailrace::airflow {
namespace {

constexpr const char* kBundle = "dags-folder";

/// FNV-1a; ids need to be apart, not secret.
std::uint64_t hash(std::string_view text, std::uint64_t from) {
  for (const char c : text) from = (from ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return from;
}

template <typename... Kinds>
bool is_one_of(const calendar::Timetable::Kind& kind) {
  return (std::holds_alternative<Kinds>(kind) || ...);
}

/// Timetable.periodic.
bool is_periodic(const dags::Dag& dag) {
  return is_one_of<calendar::CronTrigger, calendar::CronInterval, calendar::DeltaTrigger,
                   calendar::DeltaInterval>(dag.timetable.kind());
}

std::string description_of(const dags::Dag& dag) {
  if (!dag.assets) return dag.timetable.description();
  const bool alone = std::holds_alternative<calendar::NoTimetable>(dag.timetable.kind());
  return alone ? "Triggered by assets" : "Triggered by assets or " + dag.timetable.description();
}

/// Timetable.summary; null where nothing starts the DAG by itself.
Json summary_of(const dags::Dag& dag) {
  const bool timed = !std::holds_alternative<calendar::NoTimetable>(dag.timetable.kind());
  if (dag.assets) return timed ? "Asset or " + dag.timetable_summary : std::string("Asset");
  return timed ? text_or_null(dag.timetable_summary) : Json(nullptr);
}

Json tags_json(const dags::Dag& dag, const Catalog& catalog) {
  std::vector<std::string> names = dag.tags;
  std::ranges::sort(names);
  Json tags = Json::array();
  for (const auto& name : names)
    tags.push_back(
        {{"name", name}, {"dag_id", dag.id}, {"dag_display_name", catalog.display_name(dag.id)}});
  return tags;
}

struct Decorator {
  std::string_view name, module, class_name, shown;
};
constexpr std::array kDecorators = std::to_array<Decorator>({
    {"bash", "bash", "_BashDecoratedOperator", "@task.bash"},
    {"branch", "branch_python", "_BranchPythonDecoratedOperator", "@task.branch"},
    {"short_circuit", "short_circuit", "_ShortCircuitDecoratedOperator", "@task.short_circuit"},
    {"sensor", "sensor", "DecoratedSensorOperator", "@task.sensor"},
    {"virtualenv", "python_virtualenv", "_PythonVirtualenvDecoratedOperator", "@task.virtualenv"},
    {"external_python", "external_python", "_PythonExternalDecoratedOperator",
     "@task.external_python"},
});
constexpr Decorator kTask{"task", "python", "_PythonDecoratedOperator", "@task"};

const Decorator& decorator_of(const dags::Task& task) {
  const std::string last = task.decorator_path.substr(task.decorator_path.rfind('.') + 1);
  const auto at = std::ranges::find(kDecorators, last, &Decorator::name);
  return at == kDecorators.end() ? kTask : *at;
}

std::string_view rule_name(dags::TriggerRule rule) {
  using enum dags::TriggerRule;
  switch (rule) {
    case kAllSuccess:
      return "all_success";
    case kAllFailed:
      return "all_failed";
    case kAllDone:
      return "all_done";
    case kAllDoneMinOneSuccess:
      return "all_done_min_one_success";
    case kAllDoneSetupSuccess:
      return "all_done_setup_success";
    case kOneSuccess:
      return "one_success";
    case kOneFailed:
      return "one_failed";
    case kOneDone:
      return "one_done";
    case kNoneFailed:
      return "none_failed";
    case kNoneSkipped:
      return "none_skipped";
    case kNoneFailedMinOneSuccess:
      return "none_failed_min_one_success";
    case kAllSkipped:
      return "all_skipped";
    case kAlways:
      return "always";
  }
  return "all_success";
}

std::string_view rule_name(dags::WeightRule rule) {
  switch (rule) {
    case dags::WeightRule::kUpstream:
      return "upstream";
    case dags::WeightRule::kAbsolute:
      return "absolute";
    case dags::WeightRule::kDownstream:
      break;
  }
  return "downstream";
}

/// DagRunTriggeredByType; null for what it does not know.
Json triggered_by(std::string_view by) {
  constexpr std::array kKnown = {"cli",  "operator",  "rest_api", "ui",
                                 "test", "timetable", "asset",    "backfill"};
  return std::ranges::find(kKnown, by) != kKnown.end() ? Json(by) : Json(nullptr);
}

/// What both TaskInstanceResponse and its history have, from the display names on.
void add_operator(Json& json, const sched::TaskId& id, Catalog& catalog) {
  const auto dag = catalog.find(id.run.dag);
  const dags::Task* task = dag ? dag->find(id.task) : nullptr;
  const bool shown = task != nullptr && !task->task_display_name.empty();
  json["task_display_name"] = shown ? task->task_display_name : id.task;
  json["dag_display_name"] = catalog.display_name(id.run.dag);
}

void add_pool(Json& json, const sched::TaskId& id, Catalog& catalog) {
  const auto dag = catalog.find(id.run.dag);
  const dags::Task* task = dag ? dag->find(id.task) : nullptr;
  json["unixname"] = user_name();
  json["pool"] = task ? task->pool : "default_pool";
  json["pool_slots"] = task ? task->pool_slots : 1;
  json["queue"] = task ? task->queue : "default";
  json["priority_weight"] = 1;
  json["operator"] = task ? Json(operator_class(*task)) : Json(nullptr);
  json["operator_name"] = task ? Json(operator_name(*task)) : Json(nullptr);
  if (task == nullptr) return;
  const sched::Plan* plan = catalog.plan(id.run.dag);
  json["priority_weight"] = (*plan)[plan->find(id.task)].weight;
}

Json version_or_null(const sched::TaskId& id, const Catalog& catalog) {
  const auto dag = catalog.find(id.run.dag);
  return dag ? dag_version_json(*dag, catalog) : Json(nullptr);
}

}  // namespace

const std::string& host_name() {
  static const std::string name = [] {
    std::array<char, 256> text{};
    return std::string(gethostname(text.data(), text.size() - 1) == 0 ? text.data() : "");
  }();
  return name;
}

const std::string& user_name() {
  static const std::string name = [] {
    const passwd* user = getpwuid(geteuid());
    return user != nullptr ? std::string(user->pw_name) : std::to_string(geteuid());
  }();
  return name;
}

Catalog::Catalog(workflows::Workflows& workflows)
    : dags_(workflows.dags()),
      rows_(workflows.rows()),
      folder_(workflows.options().folder + "/dags"),
      read_at_(workflows.last_reading().at) {}

std::shared_ptr<const dags::Dag> Catalog::find(std::string_view id) const {
  const auto at = std::ranges::find(dags_, id, [](const auto& dag) { return dag->id; });
  return at == dags_.end() ? nullptr : *at;
}

const sched::Plan* Catalog::plan(const std::string& id) {
  if (const auto at = plans_.find(id); at != plans_.end()) return &at->second;
  auto dag = find(id);
  if (!dag) return nullptr;
  return &plans_.try_emplace(id, std::move(dag)).first->second;
}

sched::DagRow Catalog::row(std::string_view id) const {
  const auto at = std::ranges::find(rows_, id, &sched::DagRow::id);
  return at == rows_.end() ? sched::DagRow{} : *at;
}

std::string Catalog::display_name(const std::string& id) const {
  const auto dag = find(id);
  return dag && !dag->display_name.empty() ? dag->display_name : id;
}

std::string uuid_of(std::string_view text) {
  const std::uint64_t high = hash(text, 0xcbf29ce484222325ULL);
  const std::uint64_t low = hash(text, high ^ 0x9e3779b97f4a7c15ULL);
  // Version 8 (RFC 9562): made in a way of our own.
  return fmt::format("{:08x}-{:04x}-8{:03x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xFFFF,
                     high & 0xFFF, (low >> 48 & 0x3FFF) | 0x8000, low & 0xFFFFFFFFFFFFULL);
}

std::int64_t asset_id(std::string_view name, std::string_view uri) {
  std::uint32_t digest = 2166136261U;  // FNV-1a
  const std::string text = std::string(name) + "\n" + std::string(uri);
  for (const char c : text) digest = (digest ^ static_cast<unsigned char>(c)) * 16777619U;
  return digest & 0x7FFFFFFF;
}
std::int64_t asset_id(const dags::Asset& asset) {
  return asset_id(asset.name, asset.uri);
}

std::string operator_class(const dags::Task& task) {
  if (!task.decorator_path.empty()) return std::string(decorator_of(task).class_name);
  return task.operator_path.substr(task.operator_path.rfind('.') + 1);
}

std::string operator_name(const dags::Task& task) {
  if (!task.decorator_path.empty()) return std::string(decorator_of(task).shown);
  return operator_class(task);
}

Json state_json(sched::TaskState state) {
  return state == sched::TaskState::kNone ? Json(nullptr) : Json(sched::name(state));
}

Json dag_version_json(const dags::Dag& dag, const Catalog& catalog) {
  return {{"id", uuid_of(dag.id + "\n" + dag.version)},
          {"version_number", 1},
          {"dag_id", dag.id},
          {"bundle_name", kBundle},
          {"bundle_version", nullptr},
          {"created_at", time_json(catalog.read_at())},
          {"dag_display_name", catalog.display_name(dag.id)},
          {"bundle_url", nullptr}};
}

Json dag_json(const dags::Dag& dag, const Catalog& catalog) {
  const sched::DagRow row = catalog.row(dag.id);
  std::error_code ignored;
  const auto file = std::filesystem::absolute(dag.place.file, ignored).lexically_normal();
  const auto folder = std::filesystem::absolute(catalog.folder(), ignored).lexically_normal();
  const std::string relative = file.lexically_relative(folder).string();
  const bool limited = std::ranges::any_of(dag.tasks, [](const dags::Task& task) {
    return task.max_active_tis_per_dag || task.max_active_tis_per_dagrun;
  });
  Json next_date, next_start, next_end, next_after;
  if (row.next) {
    next_date = time_json(row.next->logical_date);
    next_after = time_json(row.next->run_after);
    if (row.next->interval) {
      next_start = time_json(row.next->interval->start);
      next_end = time_json(row.next->interval->end);
    }
  }
  return {
      {"dag_id", dag.id},
      {"dag_display_name", catalog.display_name(dag.id)},
      {"is_paused", row.paused},
      {"is_stale", false},
      {"last_parsed_time", time_json(catalog.read_at())},
      {"last_parse_duration", nullptr},
      {"last_expired", nullptr},
      {"bundle_name", kBundle},
      {"bundle_version", nullptr},
      {"relative_fileloc", relative},
      {"fileloc", file.string()},
      {"description", text_or_null(dag.description)},
      {"timetable_summary", summary_of(dag)},
      {"timetable_description", description_of(dag)},
      {"timetable_partitioned", false},
      {"timetable_periodic", is_periodic(dag)},
      {"tags", tags_json(dag, catalog)},
      {"max_active_tasks", dag.max_active_tasks},
      {"max_active_runs", dag.max_active_runs},
      {"max_consecutive_failed_dag_runs", dag.max_consecutive_failed_runs},
      {"has_task_concurrency_limits", limited},
      {"has_import_errors", false},
      {"next_dagrun_logical_date", std::move(next_date)},
      {"next_dagrun_data_interval_start", std::move(next_start)},
      {"next_dagrun_data_interval_end", std::move(next_end)},
      {"next_dagrun_run_after", std::move(next_after)},
      {"allowed_run_types", nullptr},
      {"owners", dag.owners},
      {"is_backfillable", is_periodic(dag)},
      {"file_token", uuid_of(relative)},
  };
}

Json params_json(const std::vector<dags::Param>& params, const Json& source) {
  Json all = Json::object();
  for (const auto& param : params) {
    all[param.name] = {{"value", value_json(param.value)},
                       {"schema", param.schema.dict() ? value_json(param.schema) : Json::object()},
                       {"description", text_or_null(param.description)},
                       {"source", source}};
  }
  return all;
}

Json task_json(const dags::Task& task, const dags::Dag& dag, Catalog& catalog) {
  const std::string& path = task.decorator_path.empty() ? task.operator_path : task.decorator_path;
  const auto* signature = dags::airflow_operators().find(path);
  std::string module = signature != nullptr ? signature->path : path;
  module.erase(std::min(module.rfind('.'), module.size()));
  if (!task.decorator_path.empty())
    module = fmt::format("airflow.providers.standard.decorators.{}", decorator_of(task).module);
  const sched::Plan* plan = catalog.plan(dag.id);
  std::vector<dags::Param> params = dag.params;
  for (const auto& own : task.params) {
    const auto at = std::ranges::find(params, own.name, &dags::Param::name);
    at == params.end() ? params.push_back(own) : void(*at = own);
  }
  const bool shown = !task.task_display_name.empty();
  return {
      {"task_id", task.id},
      {"task_display_name", shown ? task.task_display_name : task.id},
      {"owner", task.owner},
      {"start_date", time_json(task.start_date)},
      {"end_date", time_json(task.end_date)},
      {"trigger_rule", rule_name(task.trigger_rule)},
      {"depends_on_past", task.depends_on_past},
      {"wait_for_downstream", task.wait_for_downstream},
      {"retries", static_cast<double>(task.retries)},
      {"queue", task.queue},
      {"pool", task.pool},
      {"pool_slots", static_cast<double>(task.pool_slots)},
      {"execution_timeout", delta_json(task.execution_timeout)},
      {"retry_delay", delta_json(task.retry_delay)},
      {"retry_exponential_backoff", task.retry_exponential_backoff},
      {"priority_weight", static_cast<double>(task.priority_weight)},
      {"weight_rule", rule_name(task.weight_rule)},
      {"ui_color", "#fff"},
      {"ui_fgcolor", "#000"},
      {"template_fields", signature != nullptr ? Json(signature->template_fields) : Json::array()},
      {"downstream_task_ids", task.downstream},
      {"doc_md", text_or_null(task.doc_md)},
      {"operator_name", operator_name(task)},
      {"params", params_json(params, "dag")},
      {"class_ref", {{"module_path", module}, {"class_name", operator_class(task)}}},
      {"is_mapped", (*plan)[plan->find(task.id)].expands()},
      {"extra_links", Json::array()},
  };
}

Json run_json(const sched::Run& run, const Catalog& catalog) {
  const auto dag = catalog.find(run.id.dag);
  Json versions = Json::array();
  if (dag) versions.push_back(dag_version_json(*dag, catalog));
  const bool finished =
      run.state == sched::RunState::kSuccess || run.state == sched::RunState::kFailed;
  Json start, end;
  if (run.interval) {
    start = time_json(run.interval->start);
    end = time_json(run.interval->end);
  }
  return {
      {"dag_run_id", run.id.run},
      {"dag_id", run.id.dag},
      {"logical_date", time_json(run.logical_date)},
      {"queued_at", time_json(run.queued_at)},
      {"start_date", time_json(run.started_at)},
      {"end_date", time_json(run.ended_at)},
      {"duration", duration_json(run.started_at, run.ended_at)},
      {"data_interval_start", std::move(start)},
      {"data_interval_end", std::move(end)},
      {"run_after", time_json(run.run_after)},
      {"last_scheduling_decision", time_json(finished ? run.ended_at : run.started_at)},
      {"run_type", sched::name(run.type)},
      {"state", sched::name(run.state)},
      {"triggered_by", triggered_by(sched::way_of(run))},
      {"triggering_user_name", user_of(run)},
      {"conf", run.conf.dict() != nullptr ? value_json(run.conf) : Json::object()},
      {"note", text_or_null(run.note)},
      {"dag_versions", std::move(versions)},
      {"bundle_version", nullptr},
      {"dag_display_name", catalog.display_name(run.id.dag)},
      {"partition_key", nullptr},
      {"partition_date", nullptr},
  };
}

Json task_instance_json(const sched::TaskInstance& task, const sched::Run& run,
                        const TryDetails& details, Catalog& catalog) {
  const sched::TaskId& id = task.id;
  Json json = {
      {"id", uuid_of(fmt::format("{}\n{}\n{}\n{}", id.run.dag, id.run.run, id.task, id.map_index))},
      {"task_id", id.task},
      {"dag_id", id.run.dag},
      {"dag_run_id", id.run.run},
      {"map_index", id.map_index},
      {"logical_date", time_json(run.logical_date)},
      {"run_after", time_json(run.run_after)},
      {"start_date", time_json(task.started_at)},
      {"end_date", time_json(task.ended_at)},
      {"duration", duration_json(task.started_at, task.ended_at)},
      {"state", state_json(task.state)},
      {"try_number", task.try_number},
      {"max_tries", task.max_tries},
  };
  add_operator(json, id, catalog);
  json["hostname"] = task.started_at ? host_name() : "";
  add_pool(json, id, catalog);
  json["queued_when"] = time_json(task.queued_at);
  json["scheduled_when"] = time_json(task.scheduled_at);
  json["pid"] = details.pid > 0 ? Json(details.pid) : Json(nullptr);
  json["executor"] = nullptr;
  json["executor_config"] = "{}";
  json["note"] = text_or_null(task.note);
  json["rendered_map_index"] = nullptr;
  if (id.map_index >= 0) json["rendered_map_index"] = std::to_string(id.map_index);
  json["rendered_fields"] = Json::object();
  if (details.rendered) {
    if (const std::string& name = details.rendered->map_index; !name.empty())
      json["rendered_map_index"] = name;
    for (const auto& [name, value] : details.rendered->fields.items())
      json["rendered_fields"][name.text()] = redacted(value_json(value), name.text());
  }
  json["trigger"] = nullptr;
  json["triggerer_job"] = nullptr;
  json["dag_version"] = version_or_null(id, catalog);
  return json;
}

Json try_json(const metadata::Try& one, const sched::TaskInstance& task, Catalog& catalog) {
  const sched::TaskId& id = one.task;
  Json json = {
      {"task_id", id.task},
      {"dag_id", id.run.dag},
      {"dag_run_id", id.run.run},
      {"map_index", id.map_index},
      {"start_date", time_json(one.started_at)},
      {"end_date", time_json(one.ended_at)},
      {"duration", duration_json(one.started_at, one.ended_at)},
      {"state", state_json(one.state)},
      {"try_number", one.number},
      {"max_tries", task.max_tries},
  };
  add_operator(json, id, catalog);
  json["hostname"] = one.started_at ? host_name() : "";
  add_pool(json, id, catalog);
  json["queued_when"] = one.number == task.try_number ? time_json(task.queued_at) : Json(nullptr);
  json["scheduled_when"] =
      one.number == task.try_number ? time_json(task.scheduled_at) : Json(nullptr);
  json["pid"] = one.pid > 0 ? Json(one.pid) : Json(nullptr);
  json["executor"] = nullptr;
  json["executor_config"] = "{}";
  json["dag_version"] = version_or_null(id, catalog);
  return json;
}

}  // namespace tailrace::airflow
