"""A topic's records start a DAG on a real Airflow: the running project tells it of each declared batch, with the
offsets, also after a kill."""
import json
import os

import pytest
import tailrace
from airflow_side import LOADED, RealAirflow
from records import lines

DAG = "heard"
URI = "tailrace://topics/users_created"
pytestmark = pytest.mark.timeout(3600)
YAML = f"""
{DAG}:
  start_date: 2026-01-01
  schedule:
    - {{__type__: airflow.sdk.Asset, uri: "{URI}", extra: {{tailrace: {{batch_events: 10}}}}}}
  tasks:
    told:
      operator: airflow.providers.standard.operators.bash.BashOperator
      bash_command: >-
        echo '{{{{ triggering_asset_events.values() | first | map(attribute="extra") | list | tojson }}}}'
      do_xcom_push: true
"""


def test_each_batch_of_records_is_one_event_of_a_real_airflow(tmp_path):
    (tmp_path / "input").mkdir()
    project = tailrace.Project(tmp_path, settings=tailrace.settings(tailrace.files_from(tmp_path / "input")))
    (project.folder / "dags").mkdir()
    (project.folder / "dags" / "heard.yml").write_text(YAML)
    written = project.command("airflow", project.folder, "--out", tmp_path / "airflow")
    assert written.returncode == 0, written.stderr
    airflow = RealAirflow(tmp_path / "airflow")
    try:
        rest = airflow.start()
        passwords = json.loads((airflow.home / "simple_auth_manager_passwords.json.generated").read_text())
        os.environ["AIRFLOW_WORD"] = passwords["admin"]
        settings = json.loads((project.folder / "tailrace.yml").read_text())
        settings["roles"] = {"schedule": {"url": airflow.url, "user": "admin", "password": "${AIRFLOW_WORD}"}}
        (project.folder / "tailrace.yml").write_text(json.dumps(settings))
        tailrace.wait_until(lambda: rest.get("/dags?limit=10")["dags"], "the DAG", LOADED)
        rest.unpause(DAG)
        project.start()

        def put(name, numbers):
            part = tmp_path / "input" / f".{name}"
            part.write_text(lines(numbers))
            part.rename(part.with_name(f"{name}.jsonl"))

        def events():
            """None while a run that an event made has not begun: Airflow then answers 500."""
            try:
                found = rest.get("/assets/events?limit=100&order_by=timestamp")["asset_events"]
            except AssertionError as refused:
                assert ": 500 " in str(refused)
                return None
            return [one["extra"] for one in found]

        def told_of(count):
            return tailrace.wait_until(lambda: (now := events()) and len(now) == count and now, "the events", LOADED)

        put("a", range(20))
        told_of(2)
        project.kill()
        project.start()
        put("b", range(20, 40))
        extras = told_of(4)
        parts = [part for extra in extras for part in extra.get("parts", [extra])]
        told = [(one["partition"], o) for one in parts for o in range(one["offset"], one["last_offset"] + 1)]
        assert len(told) == len(set(told)) == 40
        assert [one["records"] for one in extras] == [10] * 4 and all(one["from_rest_api"] for one in extras)

        # A run has the events up to the first that asked for it: those that came before Airflow's scheduler looked
        # wait for the run of the next one.
        tailrace.wait_until(lambda: rest.get(f"/dags/{DAG}/assets/queuedEvents")["total_entries"] == 0,
                            "the runs that were asked for", LOADED)
        put("c", range(40, 50))
        extras = told_of(5)

        def seen():
            """What the DAG's runs were told of, when all of it has come to them."""
            runs = rest.runs(DAG)
            if not runs or any(one["state"] not in ("success", "failed") for one in runs):
                return None
            values = [rest.get(f"/dags/{DAG}/dagRuns/{one['dag_run_id']}/taskInstances/told/xcomEntries/return_value")
                      for one in runs]
            names = [extra["tailrace_event"] for one in values for extra in json.loads(one["value"])]
            return names if len(names) >= 5 else None

        names = tailrace.wait_until(seen, "the DAG's runs", LOADED)
        assert sorted(names) == sorted(one["tailrace_event"] for one in extras)
        project.stop()
        assert passwords["admin"] not in project.log.read_text()
    finally:
        project.kill()
        airflow.stop()
