#include "airflow/models.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace tailrace::airflow {
namespace {

constexpr const char* kBundle = "dags-folder";

/// FNV-1a; ids need to be apart, not secret.
std::uint64_t hash(std::string_view text, std::uint64_t from) {
  for (const char c : text) from = (from ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return from;
}

bool is_periodic(const dags::Dag& dag) {
  const auto& kind = dag.timetable.kind();
  return !std::holds_alternative<calendar::NoTimetable>(kind) &&
         !std::holds_alternative<calendar::Once>(kind) &&
         !std::holds_alternative<calendar::Continuous>(kind) &&
         !std::holds_alternative<calendar::Events>(kind);
}

Json tags_json(const dags::Dag& dag) {
  std::vector<std::string> names = dag.tags;
  std::ranges::sort(names);
  Json tags = Json::array();
  for (const auto& name : names)
    tags.push_back({{"name", name}, {"dag_id", dag.id}, {"dag_display_name", display_name(dag)}});
  return tags;
}

}  // namespace

std::string uuid_of(std::string_view text) {
  const std::uint64_t high = hash(text, 0xcbf29ce484222325ULL);
  const std::uint64_t low = hash(text, high ^ 0x9e3779b97f4a7c15ULL);
  // Version 8 (RFC 9562): made in a way of our own.
  return fmt::format("{:08x}-{:04x}-8{:03x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xFFFF,
                     high & 0xFFF, (low >> 48 & 0x3FFF) | 0x8000, low & 0xFFFFFFFFFFFFULL);
}

std::string display_name(const dags::Dag& dag) {
  return dag.display_name.empty() ? dag.id : dag.display_name;
}

Json dag_version_json(const dags::Dag& dag, const workflows::Workflows& workflows) {
  return {{"id", uuid_of(dag.id + "\n" + dag.version)},
          {"version_number", 1},
          {"dag_id", dag.id},
          {"bundle_name", kBundle},
          {"bundle_version", nullptr},
          {"created_at", time_json(workflows.last_reading().at)},
          {"dag_display_name", display_name(dag)},
          {"bundle_url", nullptr}};
}

Json dag_json(const dags::Dag& dag, const sched::DagRow& row,
              const workflows::Workflows& workflows) {
  std::error_code ignored;
  const auto file = std::filesystem::absolute(dag.place.file, ignored).lexically_normal();
  const auto folder = std::filesystem::absolute(workflows.options().folder + "/dags", ignored);
  Json owners = Json::array();
  for (const auto& owner : dag.owners) owners.push_back(owner);
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
  const std::string relative = file.lexically_relative(folder.lexically_normal()).string();
  return {
      {"dag_id", dag.id},
      {"dag_display_name", display_name(dag)},
      {"is_paused", row.paused},
      {"is_stale", false},
      {"last_parsed_time", time_json(workflows.last_reading().at)},
      {"last_parse_duration", nullptr},
      {"last_expired", nullptr},
      {"bundle_name", kBundle},
      {"bundle_version", nullptr},
      {"relative_fileloc", relative},
      {"fileloc", file.string()},
      {"description", text_or_null(dag.description)},
      {"timetable_summary", text_or_null(dag.timetable_summary)},
      {"timetable_description", dag.timetable.description()},
      {"timetable_partitioned", false},
      {"timetable_periodic", is_periodic(dag)},
      {"tags", tags_json(dag)},
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
      {"owners", std::move(owners)},
      {"is_backfillable", is_periodic(dag)},
      {"file_token", uuid_of(relative)},
  };
}

}  // namespace tailrace::airflow
