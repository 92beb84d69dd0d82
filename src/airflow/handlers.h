// What the routes of routes.cc call, a group of addresses a file. Each reads its parameters or
// body, asks the workflows, and answers in the shape of Airflow's model of the same name.
#pragma once

#include "airflow/call.h"

namespace tailrace::airflow {

// monitor.cc
Answer<Reply> version(Call& call);
Answer<Reply> health(Call& call);
Answer<Reply> list_jobs(Call& call);
Answer<Reply> no_plugins(Call& call);
Answer<Reply> no_plugin_errors(Call& call);
Answer<Reply> providers(Call& call);
Answer<Reply> hidden_config(Call& call);
Answer<Reply> dag_warnings(Call& call);
Answer<Reply> import_errors(Call& call);
Answer<Reply> import_error(Call& call);

// event_log.cc
Answer<Reply> list_event_logs(Call& call);
Answer<Reply> get_event_log(Call& call);

// dags.cc
Answer<Reply> list_dags(Call& call);
Answer<Reply> get_dag(Call& call);
Answer<Reply> dag_details(Call& call);
Answer<Reply> patch_dag(Call& call);
Answer<Reply> patch_dags(Call& call);
Answer<Reply> delete_dag(Call& call);
Answer<Reply> parse_dag_file(Call& call);
Answer<Reply> dag_tags(Call& call);
Answer<Reply> dag_source(Call& call);
Answer<Reply> dag_versions(Call& call);
Answer<Reply> dag_version(Call& call);
Answer<Reply> dag_stats(Call& call);
Answer<Reply> list_tasks(Call& call);
Answer<Reply> get_task(Call& call);

// dag_runs.cc
Answer<Reply> list_dag_runs(Call& call);
Answer<Reply> list_dag_runs_by_body(Call& call);
Answer<Reply> trigger_dag_run(Call& call);
Answer<Reply> materialize_asset(Call& call);
Answer<Reply> get_dag_run(Call& call);
Answer<Reply> patch_dag_run(Call& call);
Answer<Reply> delete_dag_run(Call& call);
Answer<Reply> clear_dag_run(Call& call);
Answer<Reply> wait_for_dag_run(Call& call);

// many_runs.cc
Answer<Reply> bulk_dag_runs(Call& call);
Answer<Reply> clear_dag_runs(Call& call);
Answer<Reply> bulk_task_instances(Call& call);

// clearing.cc
Answer<Reply> clear_task_instances(Call& call);

// task_instances.cc
Answer<Reply> list_task_instances(Call& call);
Answer<Reply> list_task_instances_by_body(Call& call);
Answer<Reply> get_task_instance(Call& call);
Answer<Reply> get_mapped_task_instance(Call& call);
Answer<Reply> list_mapped(Call& call);
Answer<Reply> task_tries(Call& call);
Answer<Reply> mapped_task_tries(Call& call);
Answer<Reply> task_try(Call& call);
Answer<Reply> mapped_task_try(Call& call);
Answer<Reply> task_dependencies(Call& call);
Answer<Reply> mapped_task_dependencies(Call& call);
Answer<Reply> patch_task_instance(Call& call);
Answer<Reply> patch_mapped_task_instance(Call& call);
Answer<Reply> patch_task_instance_dry_run(Call& call);
Answer<Reply> patch_mapped_task_instance_dry_run(Call& call);
Answer<Reply> patch_task_group(Call& call);
Answer<Reply> patch_task_group_dry_run(Call& call);

// logs.cc
Answer<Reply> task_log(Call& call);
Answer<Reply> external_log_url(Call& call);

// xcoms.cc
Answer<Reply> list_xcoms(Call& call);
Answer<Reply> get_xcom(Call& call);
Answer<Reply> create_xcom(Call& call);
Answer<Reply> update_xcom(Call& call);
Answer<Reply> delete_xcom(Call& call);

// assets.cc
Answer<Reply> list_assets(Call& call);
Answer<Reply> get_asset(Call& call);
Answer<Reply> list_asset_aliases(Call& call);
Answer<Reply> get_asset_alias(Call& call);
Answer<Reply> list_asset_events(Call& call);
Answer<Reply> create_asset_event(Call& call);
Answer<Reply> upstream_asset_events(Call& call);
Answer<Reply> asset_queued_events(Call& call);
Answer<Reply> dag_queued_events(Call& call);
Answer<Reply> dag_asset_queued_event(Call& call);
Answer<Reply> delete_asset_queued_events(Call& call);
Answer<Reply> delete_dag_queued_events(Call& call);
Answer<Reply> delete_dag_asset_queued_event(Call& call);

// backfills.cc
Answer<Reply> list_backfills(Call& call);
Answer<Reply> get_backfill(Call& call);
Answer<Reply> create_backfill(Call& call);
Answer<Reply> backfill_dry_run(Call& call);
Answer<Reply> pause_backfill(Call& call);
Answer<Reply> unpause_backfill(Call& call);
Answer<Reply> cancel_backfill(Call& call);

// settings.cc
Answer<Reply> list_pools(Call& call);
Answer<Reply> get_pool(Call& call);
Answer<Reply> create_pool(Call& call);
Answer<Reply> patch_pool(Call& call);
Answer<Reply> delete_pool(Call& call);
Answer<Reply> bulk_pools(Call& call);
Answer<Reply> list_variables(Call& call);
Answer<Reply> get_variable(Call& call);
Answer<Reply> create_variable(Call& call);
Answer<Reply> patch_variable(Call& call);
Answer<Reply> delete_variable(Call& call);
Answer<Reply> bulk_variables(Call& call);
Answer<Reply> list_connections(Call& call);
Answer<Reply> get_connection(Call& call);
Answer<Reply> create_connection(Call& call);
Answer<Reply> patch_connection(Call& call);
Answer<Reply> delete_connection(Call& call);
Answer<Reply> bulk_connections(Call& call);
Answer<Reply> test_connection(Call& call);

}  // namespace tailrace::airflow
