"""A conversation with Airflow's REST API: held with Airflow itself it is the recording (tests/real/airflow_api.py),
held with Tailrace it is compared to that, field by field (test_airflow_api.py).

A step is (name, method, path, body). `{word}` in a path is what an earlier answer gave (SAVED). "settle" waits until
every run has ended. Times, ids and what is of the machine are made equal by `normal`.
"""
import json
import re

RUN = "dags/shop/dagRuns/first"
TASKS = RUN + "/taskInstances"

# What becomes of tasks is in their tries here, not in the event log (src/airflow/README.md).
TOLD_ELSEWHERE = "".join(f"&excluded_events={state}" for state in (
    "running", "success", "failed", "skipped", "up_for_retry", "up_for_reschedule", "deferred", "restarting",
    "state%20mismatch", "fail%20task", "skip%20task"))

STEPS = [
    ("version", "GET", "version", None),
    ("health", "GET", "monitor/health", None),
    ("dags", "GET", "dags?order_by=dag_id", None),
    ("dags_page", "GET", "dags?limit=2&offset=1&order_by=-dag_id", None),
    ("dags_tagged", "GET", "dags?tags=shop", None),
    ("dags_named", "GET", "dags?dag_id_pattern=writer", None),
    ("dags_paused", "GET", "dags?paused=true&limit=1&order_by=dag_id", None),
    ("dags_by_nonsense", "GET", "dags?order_by=nonsense", None),
    ("dags_limit_word", "GET", "dags?limit=many", None),
    ("dags_limit_negative", "GET", "dags?limit=-1", None),
    ("dag", "GET", "dags/shop", None),
    ("dag_missing", "GET", "dags/none", None),
    ("dag_details", "GET", "dags/shop/details", None),
    ("dag_details_nightly", "GET", "dags/shop_nightly/details", None),
    ("dag_details_reader", "GET", "dags/shop_reader/details", None),
    ("tags", "GET", "dagTags?tag_name_pattern=daily", None),
    ("tasks", "GET", "dags/shop/tasks", None),
    ("task", "GET", "dags/shop/tasks/load.left", None),
    ("task_missing", "GET", "dags/shop/tasks/none", None),
    ("versions", "GET", "dags/shop/dagVersions", None),
    ("version_missing", "GET", "dags/shop/dagVersions/7", None),
    ("unpause", "PATCH", "dags/shop", {"is_paused": False}),
    ("unpause_writer", "PATCH", "dags/shop_writer?update_mask=is_paused", {"is_paused": False}),
    ("unpause_reader", "PATCH", "dags/shop_reader", {"is_paused": False}),
    ("unpause_missing", "PATCH", "dags/none", {"is_paused": False}),
    ("unpause_nothing", "PATCH", "dags/shop", {}),
    ("unpause_other", "PATCH", "dags/shop", {"is_paused": False, "colour": "red"}),
    ("unpause_text", "PATCH", "dags/shop", {"is_paused": "perhaps"}),
    ("trigger_missing", "POST", "dags/none/dagRuns", {"logical_date": None}),
    ("trigger_no_date", "POST", "dags/shop/dagRuns", {}),
    ("trigger_bad_conf", "POST", "dags/shop/dagRuns", {"logical_date": None, "conf": {"count": 12}}),
    ("trigger_bad_id", "POST", "dags/shop/dagRuns", {"logical_date": None, "dag_run_id": "a b"}),
    ("trigger_kept_id", "POST", "dags/shop/dagRuns", {"logical_date": None, "dag_run_id": "scheduled__x"}),
    ("trigger_bad_date", "POST", "dags/shop/dagRuns", {"logical_date": "2026-01-05T00:00:00"}),
    ("trigger", "POST", "dags/shop/dagRuns", {"logical_date": "2026-01-05T00:00:00Z", "dag_run_id": "first",
                                              "conf": {"count": 5}, "note": "by hand"}),
    ("trigger_same_id", "POST", "dags/shop/dagRuns", {"logical_date": None, "dag_run_id": "first"}),
    ("settle", None, None, None),
    ("run", "GET", RUN, None),
    ("run_missing", "GET", "dags/shop/dagRuns/none", None),
    ("runs", "GET", "dags/shop/dagRuns", None),
    ("runs_of_none", "GET", "dags/none/dagRuns", None),
    ("runs_of_all", "GET", "dags/~/dagRuns?state=failed", None),
    ("runs_by_state", "GET", "dags/shop/dagRuns?state=success", None),
    ("runs_by_nonsense", "GET", "dags/shop/dagRuns?order_by=nonsense", None),
    ("runs_by_no_state", "GET", "dags/shop/dagRuns?state=nonsense", None),
    ("runs_before", "GET", "dags/shop/dagRuns?logical_date_lt=2026-01-05T00:00:00Z", None),
    ("runs_listed", "POST", "dags/~/dagRuns/list", {"dag_ids": ["shop"], "page_limit": 5}),
    ("instances", "GET", TASKS, None),
    ("instances_failed", "GET", TASKS + "?state=failed&state=upstream_failed", None),
    ("instances_of_none", "GET", "dags/shop/dagRuns/none/taskInstances", None),
    ("instances_ordered", "GET", TASKS + "?order_by=-map_index&limit=2", None),
    ("instances_listed", "POST", "dags/~/dagRuns/~/taskInstances/list", {"dag_ids": ["shop"], "state": ["failed"]}),
    ("instance", "GET", TASKS + "/shaky", None),
    ("instance_mapped", "GET", TASKS + "/double", None),
    ("instance_missing", "GET", TASKS + "/none", None),
    ("mapped", "GET", TASKS + "/double/listMapped", None),
    ("mapped_not", "GET", TASKS + "/shaky/listMapped", None),
    ("mapped_one", "GET", TASKS + "/double/1", None),
    ("mapped_one_missing", "GET", TASKS + "/double/9", None),
    ("tries", "GET", TASKS + "/shaky/tries", None),
    ("try_one", "GET", TASKS + "/shaky/tries/1", None),
    ("try_missing", "GET", TASKS + "/shaky/tries/7", None),
    ("dependencies", "GET", TASKS + "/shaky/dependencies", None),
    ("log_missing", "GET", TASKS + "/shaky/logs/9", None),
    ("xcoms", "GET", TASKS + "/numbers/xcomEntries", None),
    ("xcom", "GET", TASKS + "/numbers/xcomEntries/return_value", None),
    ("xcom_text", "GET", TASKS + "/numbers/xcomEntries/return_value?stringify=true", None),
    ("xcom_whole", "GET", TASKS + "/numbers/xcomEntries/return_value?deserialize=true", None),
    ("xcom_mapped", "GET", TASKS + "/double/xcomEntries/return_value?map_index=1", None),
    ("xcom_missing", "GET", TASKS + "/numbers/xcomEntries/none", None),
    ("xcom_made", "POST", TASKS + "/shaky/xcomEntries", {"key": "mine", "value": {"a": [1, None]}}),
    ("xcom_made_again", "POST", TASKS + "/shaky/xcomEntries", {"key": "mine", "value": 1}),
    ("xcom_changed", "PATCH", TASKS + "/shaky/xcomEntries/mine", {"value": "other"}),
    ("xcom_gone", "DELETE", TASKS + "/shaky/xcomEntries/mine", None),
    ("xcom_gone_again", "DELETE", TASKS + "/shaky/xcomEntries/mine", None),
    ("note", "PATCH", RUN, {"note": "looked at"}),
    ("note_gone", "PATCH", RUN, {"note": ""}),
    ("state_nonsense", "PATCH", RUN, {"state": "running"}),
    ("task_note", "PATCH", TASKS + "/hopeless", {"note": "known", "new_state": "success"}),
    ("task_set_again", "PATCH", TASKS + "/hopeless", {"new_state": "success"}),
    ("task_set_dry", "PATCH", TASKS + "/report/dry_run", {"new_state": "failed"}),
    ("task_set_nonsense", "PATCH", TASKS + "/hopeless", {"new_state": "running"}),
    ("task_set_missing", "PATCH", TASKS + "/none", {"new_state": "success"}),
    ("settle", None, None, None),
    ("run_after_set", "GET", RUN, None),
    ("clear_dry", "POST", "dags/shop/clearTaskInstances",
     {"dry_run": True, "dag_run_id": "first", "task_ids": ["load.left"], "include_downstream": True,
      "only_failed": False}),
    ("clear_none", "POST", "dags/shop/clearTaskInstances", {"dry_run": True, "dag_run_id": "none"}),
    ("clear_both", "POST", "dags/shop/clearTaskInstances", {"only_failed": True, "only_running": True}),
    ("clear_empty", "POST", "dags/shop/clearTaskInstances", {"task_ids": [], "dag_run_id": "first"}),
    ("clear_one", "POST", "dags/shop/clearTaskInstances",
     {"dry_run": False, "dag_run_id": "first", "task_ids": [["double", 1]], "only_failed": False}),
    ("settle", None, None, None),
    ("mapped_cleared", "GET", TASKS + "/double/1", None),
    ("clear_run_dry", "POST", RUN + "/clear", {"dry_run": True}),
    ("clear_run", "POST", RUN + "/clear", {"dry_run": False}),
    ("settle", None, None, None),
    ("instances_cleared", "GET", TASKS, None),
    ("bulk_tasks", "PATCH", TASKS, {"actions": [
        {"action": "create", "entities": [{"task_id": "shaky"}]},
        {"action": "update", "entities": [{"task_id": "none", "map_index": -1, "new_state": "success"}]},
        {"action": "update", "entities": [{"task_id": "none", "new_state": "success"}]},
        {"action": "update", "entities": [{"task_id": "none", "new_state": "success"}],
         "action_on_non_existence": "skip"},
        {"action": "update", "entities": [{"task_id": "shaky", "note": "seen", "new_state": "failed"}]},
        {"action": "update", "entities": [{"task_id": "double", "map_index": 1, "new_state": "skipped"}]},
        {"action": "update", "entities": [{"task_id": "hopeless", "new_state": "failed"}]},
        {"action": "update", "entities": [{"task_id": "numbers", "new_state": "skipped", "note": "x"}],
         "update_mask": ["note"]}]}),
    ("settle", None, None, None),
    ("bulk_tasks_then", "GET", TASKS, None),
    ("bulk_tasks_wild", "PATCH", "dags/~/dagRuns/~/taskInstances", {"actions": [
        {"action": "update", "entities": [{"task_id": "shaky", "new_state": "success"}]},
        {"action": "update", "entities": [{"task_id": "shaky", "dag_id": "shop", "dag_run_id": "first",
                                           "new_state": "success"}]}]}),
    ("bulk_tasks_odd", "PATCH", TASKS, {"actions": [
        {"action": "update", "entities": [{"task_id": "shaky", "new_state": "running"}]}]}),
    ("settle", None, None, None),
    ("bulk_runs", "PATCH", "dags/shop/dagRuns", {"actions": [
        {"action": "create", "entities": [{"dag_run_id": "x"}]},
        {"action": "update", "entities": [{"dag_run_id": "none", "state": "success"}]},
        {"action": "update", "entities": [{"dag_run_id": "none", "state": "success"},
                                          {"dag_run_id": "first", "note": "by many", "state": "success"}],
         "action_on_non_existence": "skip"},
        {"action": "update", "entities": [{"dag_run_id": "first", "dag_id": "other", "note": "x"}]},
        {"action": "delete", "entities": ["none", "nobody"]},
        {"action": "delete", "entities": ["~"]}]}),
    ("bulk_runs_then", "GET", RUN, None),
    ("bulk_runs_wild", "PATCH", "dags/~/dagRuns", {"actions": [
        {"action": "update", "entities": [{"dag_run_id": "first", "note": "x"}]},
        {"action": "update", "entities": [{"dag_run_id": "first", "dag_id": "shop", "note": ""}]},
        {"action": "delete", "entities": ["first"]}]}),
    ("bulk_runs_odd", "PATCH", "dags/shop/dagRuns", {"actions": [
        {"action": "update", "entities": [{"state": "success"}]}]}),
    ("bulk_runs_odd_state", "PATCH", "dags/shop/dagRuns", {"actions": [
        {"action": "update", "entities": [{"dag_run_id": "first", "state": "running"}]}]}),
    ("clear_runs_dry", "POST", "dags/shop/clearDagRuns", {"dag_runs": [{"dag_run_id": "first"}], "only_failed": True}),
    ("clear_runs_none", "POST", "dags/shop/clearDagRuns", {"dag_runs": [{"dag_run_id": "none"}]}),
    ("clear_runs_nothing", "POST", "dags/shop/clearDagRuns", {}),
    ("clear_runs_other", "POST", "dags/shop/clearDagRuns",
     {"dag_runs": [{"dag_run_id": "first", "dag_id": "shop_writer"}]}),
    ("clear_runs_wild", "POST", "dags/~/clearDagRuns", {"dag_runs": [{"dag_run_id": "first"}]}),
    ("clear_runs_both", "POST", "dags/shop/clearDagRuns",
     {"dag_runs": [{"dag_run_id": "first"}], "only_failed": True, "only_new": True}),
    ("clear_runs", "POST", "dags/~/clearDagRuns",
     {"dag_runs": [{"dag_run_id": "first", "dag_id": "shop"}], "dry_run": False, "note": "again"}),
    ("settle", None, None, None),
    ("runs_cleared", "GET", RUN, None),
    ("run_set", "PATCH", RUN, {"state": "success"}),
    ("run_delete", "DELETE", RUN, None),
    ("run_delete_again", "DELETE", RUN, None),
    ("assets", "GET", "assets", None),
    ("asset", "GET", "assets/{asset}", None),
    ("asset_missing", "GET", "assets/0", None),
    ("write", "POST", "dags/shop_writer/dagRuns", {"logical_date": None, "dag_run_id": "w"}),
    ("settle", None, None, None),
    ("asset_events", "GET", "assets/events", None),
    ("reader_runs", "GET", "dags/shop_reader/dagRuns", None),
    ("upstream_events", "GET", "dags/shop_reader/dagRuns/{read}/upstreamAssetEvents", None),
    ("event", "POST", "assets/events", {"asset_id": "{asset}", "extra": {"a": 1}}),
    ("event_missing", "POST", "assets/events", {"asset_id": 0}),
    ("event_nothing", "POST", "assets/events", {}),
    ("settle", None, None, None),
    ("asset_events_of", "GET", "assets/events?asset_id={asset}&order_by=-timestamp", None),
    ("queued", "GET", "dags/shop_reader/assets/queuedEvents", None),
    ("queued_gone", "DELETE", "dags/shop_reader/assets/queuedEvents", None),
    ("queued_gone_of", "DELETE", "assets/{asset}/queuedEvents", None),
    ("queued_gone_one", "DELETE", "dags/shop_reader/assets/{asset}/queuedEvents", None),
    ("alias_missing", "GET", "assets/aliases/0", None),
    ("bulk_runs_gone", "PATCH", "dags/~/dagRuns", {"actions": [
        {"action": "delete", "entities": [{"dag_run_id": "w", "dag_id": "shop_writer"}]}]}),
    ("bulk_runs_gone_then", "GET", "dags/shop_writer/dagRuns/w", None),
    ("config", "GET", "config", None),
    ("config_option", "GET", "config/section/core/option/executor", None),
    ("event_log_missing", "GET", "eventLogs/999999", None),
    ("event_logs", "GET", "eventLogs?order_by=id&limit=100" + TOLD_ELSEWHERE, None),
    ("event_logs_rest", "GET", "eventLogs?order_by=event_log_id&offset=40" + TOLD_ELSEWHERE, None),
    ("event_logs_newest", "GET", "eventLogs?order_by=-when&limit=1" + TOLD_ELSEWHERE, None),
    ("event_logs_of_run", "GET", "eventLogs?order_by=id&run_id=first&included_events=patch_dag_run", None),
    ("event_logs_named", "GET", "eventLogs?order_by=id&event_pattern=XCOM&task_id_prefix_pattern=sha", None),
    ("event_logs_none", "GET", "eventLogs?before=2020-01-01T00:00:00Z", None),
    ("event_logs_by_nonsense", "GET", "eventLogs?order_by=nonsense", None),
    ("event_log", "GET", "eventLogs/{event_log}", None),
    ("parse_nonsense", "PUT", "parseDagFile/nonsense", None),
    ("pools", "GET", "pools", None),
    ("pool_made", "POST", "pools", {"name": "two", "slots": 2, "description": "for two"}),
    ("pool_made_again", "POST", "pools", {"name": "two", "slots": 2}),
    ("pool_changed", "PATCH", "pools/two", {"pool": "two", "slots": 3, "include_deferred": False}),
    ("pool", "GET", "pools/two", None),
    ("pool_gone", "DELETE", "pools/two", None),
    ("pool_missing", "GET", "pools/two", None),
    ("pool_default", "DELETE", "pools/default_pool", None),
    ("variable_made", "POST", "variables", {"key": "colour", "value": "red", "description": "of it"}),
    ("variable_made_again", "POST", "variables", {"key": "colour", "value": "red"}),
    ("variable_secret", "POST", "variables", {"key": "my_token", "value": "abc"}),
    ("variable_json", "POST", "variables", {"key": "settings", "value": {"password": "x", "a": 1}}),
    ("variables", "GET", "variables?order_by=key", None),
    ("variable_changed", "PATCH", "variables/colour", {"key": "colour", "value": "green"}),
    ("variable_other_key", "PATCH", "variables/colour", {"key": "other", "value": "green"}),
    ("variable_gone", "DELETE", "variables/colour", None),
    ("variable_missing", "GET", "variables/colour", None),
    ("connection_made", "POST", "connections",
     {"connection_id": "db", "conn_type": "postgres", "host": "localhost", "port": 5432, "login": "ada",
      "password": "word", "schema": "shop", "extra": "{\"token\": \"x\", \"sslmode\": \"disable\"}"}),
    ("connection_made_again", "POST", "connections", {"connection_id": "db", "conn_type": "postgres"}),
    ("connection_bad_extra", "POST", "connections", {"connection_id": "x", "conn_type": "y", "extra": "z"}),
    ("connection_no_type", "POST", "connections", {"connection_id": "x"}),
    ("connections", "GET", "connections?connection_id_pattern=db", None),
    ("connection_changed", "PATCH", "connections/db?update_mask=host",
     {"connection_id": "db", "conn_type": "postgres", "host": "other"}),
    ("connection", "GET", "connections/db", None),
    ("connection_gone", "DELETE", "connections/db", None),
    ("connection_missing", "GET", "connections/db", None),
    ("bulk_variables", "PATCH", "variables", {"actions": [
        {"action": "create", "entities": [{"key": "a", "value": "1", "description": "one"},
                                          {"key": "b", "value": [2]}]},
        {"action": "create", "entities": [{"key": "a", "value": "3"}]},
        {"action": "create", "entities": [{"key": "a", "value": "4"}, {"key": "c", "value": "5"}],
         "action_on_existence": "skip"},
        {"action": "update", "entities": [{"key": "none", "value": "6"}]},
        {"action": "update", "entities": [{"key": "a", "value": "7", "description": "two"}], "update_mask": ["value"]},
        {"action": "update", "entities": [{"key": "b", "value": "8"}, {"key": "none", "value": "9"}],
         "action_on_non_existence": "skip"},
        {"action": "delete", "entities": ["none"]},
        {"action": "delete", "entities": ["c", "none"], "action_on_non_existence": "skip"}]}),
    ("bulk_variables_then", "GET", "variables?order_by=key", None),
    ("bulk_variables_over", "PATCH", "variables", {"actions": [
        {"action": "create", "entities": [{"key": "a", "value": "10"}], "action_on_existence": "overwrite"}]}),
    ("bulk_variables_over_then", "GET", "variables/a", None),
    ("bulk_nothing", "PATCH", "variables", {"actions": []}),
    ("bulk_no_actions", "PATCH", "variables", {}),
    ("bulk_no_key", "PATCH", "variables", {"actions": [{"action": "create", "entities": [{"value": "1"}]}]}),
    ("bulk_odd_way", "PATCH", "variables", {"actions": [
        {"action": "create", "entities": [], "action_on_existence": "perhaps"}]}),
    ("bulk_pools", "PATCH", "pools", {"actions": [
        {"action": "create", "entities": [{"name": "p", "slots": 1, "description": "one"}, {"name": "q", "slots": 2}]},
        {"action": "create", "entities": [{"name": "p", "slots": 1}]},
        {"action": "create", "entities": [{"name": "p", "slots": 5}], "action_on_existence": "overwrite"},
        {"action": "update", "entities": [{"name": "q", "slots": 6, "include_deferred": True}],
         "update_mask": ["slots"]},
        {"action": "update", "entities": [{"name": "default_pool", "slots": 6}]},
        {"action": "update", "entities": [{"name": "none", "slots": 6}]},
        {"action": "delete", "entities": ["none"]}]}),
    ("bulk_pools_then", "GET", "pools?order_by=name", None),
    ("bulk_pools_gone", "PATCH", "pools", {"actions": [{"action": "delete", "entities": ["p"]},
                                                       {"action": "delete", "entities": ["q"]}]}),
    ("bulk_connections_made", "PATCH", "connections", {"actions": [
        {"action": "create", "entities": [
            {"connection_id": "one", "conn_type": "http", "host": "h", "password": "w"},
            {"connection_id": "two", "conn_type": "http", "extra": "{\"token\": \"x\", \"a\": 1}"}]}]}),
    ("bulk_connections", "PATCH", "connections", {"actions": [
        {"action": "create", "entities": [{"connection_id": "one", "conn_type": "http"}]},
        {"action": "update", "entities": [{"connection_id": "one", "conn_type": "https", "port": 8}]},
        {"action": "update", "entities": [{"connection_id": "none", "conn_type": "http"}]},
        {"action": "create", "entities": [{"connection_id": "two", "conn_type": "ftp"}],
         "action_on_existence": "overwrite"}]}),
    ("bulk_connections_one", "GET", "connections/one", None),
    ("bulk_connections_two", "GET", "connections/two", None),
    ("bulk_connections_odd", "PATCH", "connections", {"actions": [
        {"action": "create", "entities": [{"connection_id": "a b", "conn_type": "http"}]}]}),
    ("bulk_connections_gone", "PATCH", "connections", {"actions": [
        {"action": "delete", "entities": ["one"]}, {"action": "delete", "entities": ["two"]}]}),
    ("backfill_dry", "POST", "backfills/dry_run",
     {"dag_id": "shop_nightly", "from_date": "2026-01-02T00:00:00Z", "to_date": "2026-01-05T00:00:00Z"}),
    ("backfill", "POST", "backfills",
     {"dag_id": "shop_nightly", "from_date": "2026-01-02T00:00:00Z", "to_date": "2026-01-05T00:00:00Z",
      "max_active_runs": 2}),
    ("backfills", "GET", "backfills?dag_id=shop_nightly", None),
    ("backfill_missing", "GET", "backfills/99", None),
    ("backfill_none", "POST", "backfills",
     {"dag_id": "none", "from_date": "2026-01-02T00:00:00Z", "to_date": "2026-01-05T00:00:00Z"}),
    ("backfill_pause", "PUT", "backfills/{backfill}/pause", None),
    ("backfill_unpause", "PUT", "backfills/{backfill}/unpause", None),
    ("backfill_again", "POST", "backfills",
     {"dag_id": "shop_nightly", "from_date": "2026-01-02T00:00:00Z", "to_date": "2026-01-05T00:00:00Z"}),
    ("backfill_cancel", "PUT", "backfills/{backfill}/cancel", None),
    ("backfill_cancel_again", "PUT", "backfills/{backfill}/cancel", None),
    ("materialize_none", "POST", "assets/999999/materialize", {}),
    ("materialize_kept_id", "POST", "assets/{asset}/materialize", {"dag_run_id": "asset_materialization__mine"}),
    ("materialize_other", "POST", "assets/{asset}/materialize", {"colour": "red"}),
    ("materialize", "POST", "assets/{asset}/materialize", {"dag_run_id": "made", "note": "for it"}),
    ("settle", None, None, None),
    ("materialized", "GET", "dags/shop_writer/dagRuns/made", None),
    ("materialized_of_type", "GET", "dags/~/dagRuns?run_type=asset_materialization", None),
    ("stats", "GET", "dagStats?dag_ids=shop_writer", None),
    ("jobs", "GET", "plugins/importErrors", None),
    ("import_errors", "GET", "importErrors", None),
    ("event_logs_last", "GET", "eventLogs?order_by=id&included_events=post_variable&included_events=patch_variable"
     "&included_events=bulk_variables&included_events=post_connection&included_events=patch_connection"
     "&included_events=bulk_connections&included_events=post_pool&included_events=create_backfill", None),
    ("jobs_none", "GET", "jobs?job_state=nonsense", None),
    ("jobs_by_nonsense", "GET", "jobs?order_by=nonsense", None),
    ("warnings", "GET", "dagWarnings", None),
    ("warnings_of_kind", "GET", "dagWarnings?warning_type=nonsense", None),
    ("warnings_by_nonsense", "GET", "dagWarnings?order_by=nonsense", None),
    ("dag_gone", "DELETE", "dags/shop_nightly", None),
    ("dag_gone_runs", "GET", "dags/~/dagRuns?dag_id_pattern=nightly", None),
    ("dag_gone_then", "GET", "dags/shop_nightly", None),
    ("dag_gone_again", "DELETE", "dags/shop_nightly", None),
    ("dag_gone_list", "GET", "dags?dag_id_pattern=nightly", None),
    ("dag_gone_missing", "DELETE", "dags/none", None),
    ("nowhere", "GET", "nowhere", None),
    ("wrong_method", "DELETE", "version", None),
]

# What later steps name, by the step that gives it.
SAVED = {
    "assets": ("asset", lambda body: next(a["id"] for a in body["assets"] if a["name"] == "shop_orders")),
    "reader_runs": ("read", lambda body: body["dag_runs"][0]["dag_run_id"]),
    "backfill": ("backfill", lambda body: body["id"]),
    "event_logs_newest": ("event_log", lambda body: body["event_logs"][0]["event_log_id"]),
}

TIMES = {"start_date", "end_date", "queued_at", "queued_when", "scheduled_when", "created_at", "updated_at",
         "timestamp", "when", "last_parsed_time", "last_parsed", "last_scheduling_decision", "completed_at",
         "run_after"}
OF_THE_MACHINE = {"id", "event_log_id", "asset_id", "hostname", "unixname", "pid", "fileloc", "file_token",
                  "bundle_url", "last_parse_duration", "duration", "latest_scheduler_heartbeat", "import_error_id",
                  "latest_triggerer_heartbeat", "latest_dag_processor_heartbeat", "git_version"}
# Where Tailrace has something else on purpose (src/airflow/README.md).
OURS = {"relative_fileloc", "ui_color", "ui_fgcolor", "executor", "trigger", "triggerer_job",
        "last_expired",
        "bundle_name", "bundle_version", "default_args", "is_encrypted", "triggering_user_name", "executor_config"}
# What is left out of the answers to what sets something going: Tailrace's scheduler has begun when it answers,
# Airflow's begins later.
BEGUN = {"state", "start_date", "end_date", "queued_when", "scheduled_when", "last_scheduling_decision", "duration",
         "created_dagruns", "try_number", "hostname", "pid", "updated_at"}
LEFT_OUT = dict.fromkeys(("trigger", "write", "clear_one", "clear_run", "clear_runs", "event", "task_note",
                          "backfill_cancel", "materialize", "materialize_kept_id"), BEGUN) | {
    # The recording has no processes that beat, and no git.
    "health": {"status", "latest_scheduler_heartbeat", "latest_triggerer_heartbeat", "latest_dag_processor_heartbeat"},
    "version": {"git_version"},
    "queued_gone_of": {"detail"}, "queued_gone_one": {"detail"},  # an asset's id is in its sentence
    "asset_events_of": {"created_dagruns"},  # two events of one moment, on a clock that stands still
    # Not kept of earlier tries.
    "tries": {"queued_when", "scheduled_when"}, "try_one": {"queued_when", "scheduled_when"}}
RUN_ID = re.compile(r"^(manual|scheduled|asset_triggered|backfill)__.*")


def filled(value, saved):
    """A path or a body with what was saved."""
    if isinstance(value, str):
        whole = re.fullmatch(r"\{(\w+)\}", value)
        if whole:
            return saved[whole[1]]
        return re.sub(r"\{(\w+)\}", lambda m: str(saved[m[1]]), value)
    if isinstance(value, dict):
        return {key: filled(item, saved) for key, item in value.items()}
    return value


def normal(value, name=""):
    """The answer without what differs from one day or machine to the next."""
    if isinstance(value, dict):
        return {key: normal(item, key) for key, item in sorted(value.items()) if key not in OURS}
    if isinstance(value, list) and name in ("template_fields", "downstream_task_ids"):
        return sorted(value)  # sets
    if isinstance(value, list) and name == "tags":  # dag-factory adds one
        return [normal(item) for item in value
                if "dagfactory" not in (item.values() if isinstance(item, dict) else [item])]
    if isinstance(value, list):
        done = [normal(item, name) for item in value]
        # Instances that are made at once come in any order.
        return sorted(done, key=lambda task: (task.get("map_index", -1), task["task_id"])) \
            if name == "task_instances" else done
    if value is None:
        return None
    if name == "doc_md":
        return value.split("## YML DAG")[0].rstrip() or None  # dag-factory adds the file
    if name == "extra" and isinstance(value, str) and '"method": ' in value:  # of an event log: ids are in it
        return normal(json.loads(value))
    if name == "message":
        return "SENTENCE"
    if name == "detail" and isinstance(value, str) and value.startswith("Invalid input for param"):
        return value.split(":")[0]
    if name in TIMES or name in OF_THE_MACHINE:
        return "TIME" if name in TIMES else "MACHINE"
    if isinstance(value, str) and RUN_ID.match(value):
        return RUN_ID.match(value)[1] + "__"
    return value


def without(value, names):
    if isinstance(value, dict):
        return {key: without(item, names) for key, item in value.items() if key not in names}
    return [without(item, names) for item in value] if isinstance(value, list) else value


def hold(ask, settle):
    """The conversation by `ask(method, path, body) -> (status, JSON or None)`; the answers by name."""
    saved, answers = {}, {}
    for name, method, path, body in STEPS:
        if name == "settle":
            settle()
            continue
        status, answer = ask(method, filled(path, saved), filled(body, saved))
        if name in SAVED and status < 400:
            key, find = SAVED[name]
            saved[key] = find(answer)
        body = normal(answer)
        answers[name] = {"status": status, "body": without(body, LEFT_OUT.get(name, ()))}
    return answers
