"""What a task's templates and Python functions see of their run, as Airflow's get_template_context has it."""
import datetime
import json
import subprocess
import time
import uuid

import pytest
import tailrace

BASH = "airflow.providers.standard.operators.bash.BashOperator"
PYTHON = "airflow.providers.standard.operators.python.PythonOperator"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "dags").mkdir()
    return tmp_path


def tried(folder, dag, *words):
    (folder / "dags" / "one.yml").write_text(dag)
    told = subprocess.run([tailrace.PROGRAM, "dags", "test", "one", "--project", folder, *words], capture_output=True,
                          text=True, timeout=120, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


def test_templates_have_a_clock_and_random_numbers(folder):
    before = time.time()
    tried(folder, f"""
one:
  start_date: 2026-01-01
  tasks:
    tell:
      operator: {BASH}
      bash_command: >-
        echo '{{{{ macros.random() }}}}|{{{{ macros.uuid.uuid4() }}}}|{{{{ macros.time.time() }}}}|{{{{
        macros.datetime.now() }}}}|{{{{ [1, 2, 3] | random }}}}|{{{{ macros.random() }}}}' > {folder}/told
""")
    number, made, now, moment, one, other = (folder / "told").read_text().strip().split("|")
    assert 0 <= float(number) < 1 and number != other and one in "123"
    assert uuid.UUID(made).version == 4
    assert before - 1 < float(now) <= time.time()
    # Python's datetime.now() has no zone: it is the machine's time.
    assert abs((datetime.datetime.now() - datetime.datetime.fromisoformat(moment)).total_seconds()) < 600


def test_python_functions_see_their_run(folder):
    (folder / "dags" / "seeing.py").write_text(f"""
import json


def see(ti, task_instance, dag_run, dag, task, macros, inlets, outlets, map_index_template, triggering_asset_events,
        **_):
    assert ti is task_instance and ti.task is task and task.dag is dag
    json.dump({{
        "ti": [ti.state, ti.start_date.tzinfo is not None, ti.hostname, ti.max_tries, ti.log_url, ti.mark_success_url],
        "run": [dag_run.state, dag_run.start_date.tzinfo is not None, dag_run.run_after.tzinfo is not None,
                dag_run.data_interval_start.isoformat(), dag_run.data_interval_end.isoformat(), dag_run.run_type],
        "dag": sorted(dag.tags), "task": [task.task_id, task.retries, task.owner],
        "macros": [macros.ds_add("2026-01-31", 1), 0 <= macros.random() < 1, macros.uuid.uuid4().version],
        "assets": [[one.uri for one in inlets], [one.uri for one in outlets]],
        "template": map_index_template, "events": len(triggering_asset_events),
    }}, open({str(folder / "seen")!r}, "w"))
""")
    tried(folder, f"""
one:
  schedule: "@daily"
  start_date: 2026-01-01
  tags: [b, a]
  tasks:
    see:
      operator: {PYTHON}
      python_callable: seeing.see
      retries: 3
      map_index_template: "{{{{ task.task_id }}}}"
      inlets: ["s3://bucket/in"]
      outlets: [{{__type__: airflow.sdk.Asset, name: out, uri: "s3://bucket/out"}}]
    link:
      operator: {BASH}
      bash_command: "echo '{{{{ ti.log_url }}}} {{{{ ti.mark_success_url }}}}' > {folder}/link"
""", "--date", "2026-02-03")
    seen = json.loads((folder / "seen").read_text())
    link = "http://localhost:8080/dags/one/runs/"
    assert seen["ti"][:4] == ["running", True, "localhost", 3]
    for url in seen["ti"][4:]:
        assert url.startswith(link) and url.endswith("/tasks/see?try_number=1") and "%3A" in url and "+" not in url
    assert [url.endswith("/tasks/link?try_number=1") for url in (folder / "link").read_text().split()] == [True, True]
    state, *zones, start, end, kind = seen["run"]
    assert (state, zones, kind) == ("running", [True, True], "manual")
    assert start.startswith("2026-02-0") and end.startswith("2026-02-0")
    assert seen["dag"] == ["a", "b"] and seen["task"] == ["see", 3, "airflow"]
    assert seen["macros"] == ["2026-02-01", True, 4]
    assert seen["assets"] == [["s3://bucket/in"], ["s3://bucket/out"]]
    assert seen["template"] == "{{ task.task_id }}" and seen["events"] == 0


def test_xcom_pull_takes_map_indexes_and_is_airflows(folder):
    (folder / "dags" / "pulling.py").write_text("""
def give(value):
    return value


def pull(ti):
    assert ti.xcom_pull(task_ids="src", map_indexes=[0, 2]) == [1, 3]
    assert ti.xcom_pull(task_ids="src", map_indexes=1) == 2
    assert ti.xcom_pull(task_ids="src") == [1, 2, 3]
    assert ti.xcom_pull(task_ids=["src", "none"]) == [1, 2, 3, None]
    assert ti.xcom_pull(task_ids="src", map_indexes=[1, 7], default={4}) == [2, {4}]
    assert ti.xcom_pull(task_ids="src", map_indexes=None) is None
    assert ti.xcom_pull(task_ids="none", map_indexes=-1, default="d") == "d"
    ti.xcom_push("own", {"a": 1})
    assert ti.xcom_pull(key="own") == {"a": 1}
""")
    tried(folder, f"""
one:
  start_date: 2026-01-01
  tasks:
    src: {{operator: {PYTHON}, python_callable: pulling.give, expand: {{op_args: [[1], [2], [3]]}}}}
    pull: {{operator: {PYTHON}, python_callable: pulling.pull, dependencies: [src]}}
""")


def test_files_of_tasks_import_what_they_need_of_airflow(folder, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", "http://shop.host/")
    (folder / "dags" / "importing.py").write_text("""
from airflow import DAG
from airflow.decorators import task as older_task
from airflow.sdk import Asset, BaseHook, Context, Metadata, Param, dag, task, timezone
from airflow.sdk.bases.hook import BaseHook as SameHook
from airflow.utils.context import Context as SameContext

ran = []


@task
def plain(number=1):
    ran.append(number)
    return number


@task.bash(env={})
def script():
    return "true"


@dag(schedule=None, params={"a": Param(1, type="integer")})
def pipeline():
    plain(2) >> [script()]


pipeline()
with DAG("inline"):
    plain.expand(number=[1, 2])
assert ran == [], "importing runs nothing"


class ShopHook(BaseHook):
    def host(self):
        return self.get_connection("shop").host


def use(**context: Context):
    assert SameHook is BaseHook and SameContext is Context and older_task is task
    assert ShopHook().host() == BaseHook.get_connection("shop").host == "shop.host"
    assert timezone.utcnow().tzinfo is not None and timezone.datetime(2026, 1, 2).isoformat().endswith("+00:00")
    assert timezone.parse("2026-01-02T03:04:05").isoformat() == "2026-01-02T03:04:05+00:00"
    assert plain(5) == 5
    yield Metadata(Asset("s3://bucket/out"), {"rows": 1})
    assert context["outlet_events"][Asset("s3://bucket/out")].extra == {"rows": 1}
""")
    tried(folder, f"""
one:
  start_date: 2026-01-01
  tasks:
    plain: {{operator: {PYTHON}, python_callable: importing.plain, op_args: [3]}}
    use: {{operator: {PYTHON}, python_callable: importing.use, outlets: ["s3://bucket/out"]}}
""")
