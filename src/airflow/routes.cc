// Which request asks what: the table of addresses below /api/v2.
#include <algorithm>
#include <array>

#include "airflow/door.h"
#include "airflow/event_log.h"
#include "airflow/handlers.h"

namespace tailrace::airflow {
namespace {

using Handle = Answer<Reply> (*)(Call&);

struct Route {
  std::string_view method;
  std::string_view path;  ///< below /api/v2; {} is a name, {...} the rest, whatever is in it
  Handle handle;
  Noted noted = {};
};

/// Of several that fit the first counts: words before names.
constexpr std::array kRoutes = std::to_array<Route>({
    {"GET", "version", version},
    {"GET", "monitor/health", health},
    {"GET", "jobs", list_jobs},
    {"GET", "plugins", no_plugins},
    {"GET", "plugins/importErrors", no_plugin_errors},
    {"GET", "providers", providers},
    {"GET", "eventLogs", list_event_logs},
    {"GET", "eventLogs/{}", get_event_log},
    {"GET", "config", hidden_config},
    {"GET", "config/section/{}/option/{}", hidden_config},
    {"PUT", "parseDagFile/{}", parse_dag_file, {"reparse_dag_file", "file_token"}},
    {"GET", "dagWarnings", dag_warnings},
    {"GET", "importErrors", import_errors},
    {"GET", "importErrors/{}", import_error},
    {"GET", "dags", list_dags},
    {"PATCH", "dags", patch_dags, {"patch_dags"}},
    {"GET", "dags/{}", get_dag},
    {"PATCH", "dags/{}", patch_dag, {"patch_dag", "dag_id"}},
    {"DELETE", "dags/{}", delete_dag, {"delete_dag", "dag_id"}},
    {"GET", "dags/{}/details", dag_details},
    {"GET", "dags/{}/tasks", list_tasks},
    {"GET", "dags/{}/tasks/{}", get_task},
    {"GET", "dags/{}/dagVersions", dag_versions},
    {"GET", "dags/{}/dagVersions/{}", dag_version},
    {"GET", "dagTags", dag_tags},
    {"GET", "dagStats", dag_stats},
    {"GET", "dagSources/{}", dag_source},
    {"GET", "dags/{}/dagRuns", list_dag_runs},
    {"POST", "dags/{}/dagRuns", trigger_dag_run, {"trigger_dag_run", "dag_id"}},
    {"PATCH", "dags/{}/dagRuns", bulk_dag_runs, {"bulk_dag_runs", "dag_id"}},
    {"POST", "dags/{}/clearDagRuns", clear_dag_runs, {"clear_dag_runs", "dag_id"}},
    {"POST", "dags/{}/dagRuns/list", list_dag_runs_by_body},
    {"GET", "dags/{}/dagRuns/{}", get_dag_run},
    {"PATCH", "dags/{}/dagRuns/{}", patch_dag_run, {"patch_dag_run", "dag_id dag_run_id"}},
    {"DELETE", "dags/{}/dagRuns/{}", delete_dag_run, {"delete_dag_run", "dag_id dag_run_id"}},
    {"POST", "dags/{}/dagRuns/{}/clear", clear_dag_run, {"clear_dag_run", "dag_id dag_run_id"}},
    {"GET", "dags/{}/dagRuns/{}/wait", wait_for_dag_run},
    {"GET", "dags/{}/dagRuns/{}/upstreamAssetEvents", upstream_asset_events},
    {"POST",
     "dags/{}/clearTaskInstances",
     clear_task_instances,
     {"post_clear_task_instances", "dag_id"}},
    {"GET", "dags/{}/dagRuns/{}/taskInstances", list_task_instances},
    {"PATCH", "dags/{}/dagRuns/{}/taskInstances", bulk_task_instances},
    {"POST",
     "dags/{}/dagRuns/{}/taskInstances/list",
     list_task_instances_by_body,
     {"get_task_instances_batch", "dag_id dag_run_id"}},
    {"GET", "dags/{}/dagRuns/{}/taskInstances/{}", get_task_instance},
    {"PATCH",
     "dags/{}/dagRuns/{}/taskInstances/{}",
     patch_task_instance,
     {"patch_task_instance", "dag_id dag_run_id task_id"}},
    {"PATCH", "dags/{}/dagRuns/{}/taskInstances/{}/dry_run", patch_task_instance_dry_run},
    {"GET", "dags/{}/dagRuns/{}/taskInstances/{}/listMapped", list_mapped},
    {"GET", "dags/{}/dagRuns/{}/taskInstances/{}/dependencies", task_dependencies},
    {"GET", "dags/{}/dagRuns/{}/taskInstances/{}/tries", task_tries},
    {"GET", "dags/{}/dagRuns/{}/taskInstances/{}/tries/{}", task_try},
    {"GET", "dags/{}/dagRuns/{}/taskInstances/{}/logs/{}", task_log},
    {"GET", "dags/{}/dagRuns/{}/taskInstances/{}/externalLogUrl/{}", external_log_url},
    {"GET", "dags/{}/dagRuns/{}/taskInstances/{}/xcomEntries", list_xcoms},
    {"POST",
     "dags/{}/dagRuns/{}/taskInstances/{}/xcomEntries",
     create_xcom,
     {"create_xcom_entry", "dag_id dag_run_id task_id"}},
    {"GET", "dags/{}/dagRuns/{}/taskInstances/{}/xcomEntries/{...}", get_xcom},
    {"PATCH",
     "dags/{}/dagRuns/{}/taskInstances/{}/xcomEntries/{...}",
     update_xcom,
     {"update_xcom_entry", "dag_id dag_run_id task_id xcom_key"}},
    {"DELETE",
     "dags/{}/dagRuns/{}/taskInstances/{}/xcomEntries/{...}",
     delete_xcom,
     {"delete_xcom_entry", "dag_id dag_run_id task_id xcom_key"}},
    {"GET", "dags/{}/dagRuns/{}/taskInstances/{}/{}", get_mapped_task_instance},
    {"PATCH",
     "dags/{}/dagRuns/{}/taskInstances/{}/{}",
     patch_mapped_task_instance,
     {"patch_task_instance", "dag_id dag_run_id task_id map_index"}},
    {"PATCH", "dags/{}/dagRuns/{}/taskInstances/{}/{}/dry_run", patch_mapped_task_instance_dry_run},
    {"GET", "dags/{}/dagRuns/{}/taskInstances/{}/{}/dependencies", mapped_task_dependencies},
    {"GET", "dags/{}/dagRuns/{}/taskInstances/{}/{}/tries", mapped_task_tries},
    {"GET", "dags/{}/dagRuns/{}/taskInstances/{}/{}/tries/{}", mapped_task_try},
    {"PATCH",
     "dags/{}/dagRuns/{}/taskGroupInstances/{}",
     patch_task_group,
     {"patch_task_group_instances", "dag_id dag_run_id group_id"}},
    {"PATCH", "dags/{}/dagRuns/{}/taskGroupInstances/{}/dry_run", patch_task_group_dry_run},
    {"GET", "dags/{}/assets/queuedEvents", dag_queued_events},
    {"GET", "dags/{}/assets/{}/queuedEvents", dag_asset_queued_event},
    {"DELETE",
     "dags/{}/assets/queuedEvents",
     delete_dag_queued_events,
     {"delete_dag_asset_queued_events", "dag_id"}},
    {"DELETE",
     "dags/{}/assets/{}/queuedEvents",
     delete_dag_asset_queued_event,
     {"delete_dag_asset_queued_event", "dag_id asset_id"}},
    {"GET", "assets", list_assets},
    {"GET", "assets/aliases", list_asset_aliases},
    {"GET", "assets/aliases/{}", get_asset_alias},
    {"GET", "assets/events", list_asset_events},
    {"POST", "assets/events", create_asset_event, {"create_asset_event"}},
    {"GET", "assets/{}", get_asset},
    {"GET", "assets/{}/queuedEvents", asset_queued_events},
    {"POST", "assets/{}/materialize", materialize_asset, {"materialize_asset", "asset_id"}},
    {"DELETE",
     "assets/{}/queuedEvents",
     delete_asset_queued_events,
     {"delete_asset_queued_events", "asset_id"}},
    {"GET", "backfills", list_backfills},
    {"POST", "backfills", create_backfill, {"create_backfill"}},
    {"POST", "backfills/dry_run", backfill_dry_run},
    {"GET", "backfills/{}", get_backfill},
    {"PUT", "backfills/{}/pause", pause_backfill, {"pause_backfill", "backfill_id"}},
    {"PUT", "backfills/{}/unpause", unpause_backfill, {"unpause_backfill", "backfill_id"}},
    {"PUT", "backfills/{}/cancel", cancel_backfill, {"cancel_backfill", "backfill_id"}},
    {"GET", "pools", list_pools},
    {"POST", "pools", create_pool, {"post_pool"}},
    {"PATCH", "pools", bulk_pools, {"bulk_pools"}},
    {"GET", "pools/{...}", get_pool},
    {"PATCH", "pools/{...}", patch_pool, {"patch_pool", "pool_name"}},
    {"DELETE", "pools/{...}", delete_pool, {"delete_pool", "pool_name"}},
    {"GET", "variables", list_variables},
    {"POST", "variables", create_variable, {"post_variable"}},
    {"PATCH", "variables", bulk_variables, {"bulk_variables"}},
    {"GET", "variables/{...}", get_variable},
    {"PATCH", "variables/{...}", patch_variable, {"patch_variable", "variable_key"}},
    {"DELETE", "variables/{...}", delete_variable, {"delete_variable", "variable_key"}},
    {"GET", "connections", list_connections},
    {"POST", "connections", create_connection, {"post_connection"}},
    {"PATCH", "connections", bulk_connections, {"bulk_connections"}},
    {"POST", "connections/test", test_connection},
    {"GET", "connections/{}", get_connection},
    {"PATCH", "connections/{}", patch_connection, {"patch_connection", "connection_id"}},
    {"DELETE", "connections/{}", delete_connection, {"delete_connection", "connection_id"}},
});

/// What stands for the names, where the path fits.
std::optional<std::vector<std::string>> names_of(std::string_view pattern,
                                                 const std::vector<std::string>& segments) {
  std::vector<std::string> names;
  std::size_t place = 2;  // after api, v2
  for (std::size_t from = 0; from <= pattern.size(); ++place) {
    if (place >= segments.size()) return std::nullopt;
    const std::size_t end = std::min(pattern.find('/', from), pattern.size());
    const std::string_view part = pattern.substr(from, end - from);
    if (part == "{...}") {
      std::string rest = segments[place];
      while (++place < segments.size()) rest += "/" + segments[place];
      names.push_back(std::move(rest));
      return names;
    }
    if (part == "{}")
      names.push_back(segments[place]);
    else if (part != segments[place])
      return std::nullopt;
    from = end + 1;
  }
  if (place != segments.size()) return std::nullopt;
  return names;
}

net::Response response_of(Answer<Reply> answer) {
  net::Response response;
  response.content_type = "application/json";
  if (!answer) {
    response.status = answer.error().status;
    response.body = dump(Json{{"detail", answer.error().detail}});
  } else if (answer->whole) {
    response = std::move(*answer->whole);
  } else {
    response.status = answer->status;
    if (answer->body) response.body = dump(*answer->body);
  }
  return response;
}

}  // namespace

net::Response answer(workflows::Workflows& workflows, const net::Request& request,
                     const std::string& user) {
  const auto& segments = request.segments;
  if (segments.size() < 2 || segments[0] != "api" || segments[1] != "v2")
    return refusal(404, "Not Found");
  bool known = false;
  for (const Route& route : kRoutes) {
    auto names = names_of(route.path, segments);
    if (!names) continue;
    known = true;
    if (route.method != request.method) continue;
    if (route.handle != health && route.handle != version)
      if (const std::string why = workflows.trouble(); !why.empty())
        return refusal(503, "The workflows wait for their metadata: " + why);
    Call call{.workflows = workflows, .request = request, .names = std::move(*names), .user = user};
    if (!route.noted.event.empty())
      if (auto kept = note(call, route.noted); !kept)
        return response_of(std::unexpected(kept.error()));
    return response_of(route.handle(call));
  }
  if (known) return refusal(405, "Method Not Allowed");
  return response_of(Reply(404, Json{{"error", "API route not found"}}));
}

}  // namespace tailrace::airflow
